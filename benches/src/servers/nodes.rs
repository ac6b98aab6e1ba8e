//! A node: what one of its members says goes to all of them, and over an engine to those of other nodes.

use std::sync::LazyLock;

use tokio::net::TcpStream;
use ws_tokio::{
    BroadcastOptions, Hub, HubOptions, MessageRef, Nats, Outbox, Redis, Slow, Subscriptions,
};

use super::asked::{Deflate, Ended, spawn};
use super::ours;

const NAME: &str = "ws-tokio Hub";

const TOPIC: &str = "news";

/// The server named `ws-tokio Hub`, alone, or `ws-tokio Hub over URL`.
pub(super) fn find(name: &str) -> Option<impl Fn(TcpStream) + Send + Sync + use<>> {
    let url = match name.strip_prefix(NAME)? {
        "" => None,
        more => Some(more.strip_prefix(" over ")?.to_owned()),
    };
    // The first connection makes it, inside of a runtime.
    let hub = LazyLock::new(|| hub(url));
    Some(move |stream| spawn(serve(hub.clone(), stream)))
}

fn hub(url: Option<String>) -> Hub {
    let queues = BroadcastOptions::default().slow(Slow::DropNewest);
    let options = HubOptions::default().queues(queues);
    match url {
        None => Hub::with(options),
        Some(url) if url.starts_with("nats:") => {
            Hub::over(Nats::new(&url).expect("a URL"), options)
        }
        Some(url) => Hub::over(Redis::new(&url).expect("a URL"), options),
    }
}

/// A client that has shaken hands gets what any node publishes from then on.
async fn serve(hub: Hub, stream: TcpStream) -> Ended {
    let mut subscriber = hub.subscriber();
    subscriber.subscribe(TOPIC)?;
    Box::pin(subscriber.settled()).await;
    let mut connection = Box::pin(ours::accept(stream, Deflate::OFF)).await?;
    let publish = |message: MessageRef<'_>, _: &mut Outbox<'_>, _: &Subscriptions| {
        hub.publish(TOPIC, message.to_message());
    };
    Ok(subscriber.serve(&mut connection, publish).await?)
}
