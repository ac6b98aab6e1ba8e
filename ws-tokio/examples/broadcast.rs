//! A server of topics: `cargo run -p ws-tokio --example broadcast [ADDR]`
//!
//! The path is the topic: who connects to ws://127.0.0.1:9003/tea hears what others say there, and themselves. A client
//! that reads too slowly is closed with 1013 and may come back; no other notices.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpStream;
use ws_tokio::{Broadcast, BroadcastOptions, CloseCode, Incoming, Server, Slow, Subscription};

/// Every topic that has a subscriber.
#[derive(Clone, Default)]
struct Topics(Arc<Mutex<HashMap<String, Broadcast>>>);

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9003".to_owned());
    let server = Server::bind(address).await?;
    println!("listening on ws://{}", server.local_addr()?);
    let topics = Topics::default();
    server.serve_incoming(move |incoming| serve(topics.clone(), incoming)).await;
    Ok(())
}

/// Serves one connection; how it ended is the peer's business.
async fn serve(topics: Topics, incoming: Incoming<TcpStream>) {
    let name = incoming.request().uri().path().to_owned();
    let Ok(mut connection) = incoming.accept().await else { return };
    let (topic, mut subscription) = topics.enter(&name);
    let say = |message: ws_tokio::MessageRef<'_>, _: &mut ws_tokio::Outbox<'_>| {
        topic.publish(message.to_message());
    };
    _ = subscription.serve(&mut connection, say).await;
    drop(subscription);
    topics.leave(&name);
}

impl Topics {
    fn enter(&self, name: &str) -> (Broadcast, Subscription) {
        let mut topics = self.lock();
        let topic = topics.entry(name.to_owned()).or_insert_with(|| {
            let slow = Slow::Disconnect(CloseCode::TRY_AGAIN_LATER);
            Broadcast::with(BroadcastOptions::default().max_messages(64).slow(slow))
        });
        (topic.clone(), topic.subscribe())
    }

    /// A topic without subscribers is no more.
    fn leave(&self, name: &str) {
        let mut topics = self.lock();
        if topics.get(name).is_some_and(|topic| topic.subscribers() == 0) {
            topics.remove(name);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Broadcast>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
