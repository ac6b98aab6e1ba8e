//! What one client says goes to all: by a write to each socket, which is the least there can be, our two ways,
//! and Tokio's channel in front of the published crates.

use std::collections::BTreeMap;
use std::error::Error;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};

use futures_util::{Sink, SinkExt, Stream, StreamExt};
use sockudo_ws::Config;
use sockudo_ws::handshake::server_handshake;
use tokio::net::TcpStream;
use tokio::sync::broadcast::Sender;
use tokio_tungstenite::tungstenite;
use ws_tokio::{Broadcast, BroadcastOptions, MessageRef, Outbox, PreparedMessage, SendHalf, Slow};

use super::asked::{Deflate, Ended};
use super::floor;
use super::ours;
use super::upgrade::upgrade;

/// No library: the frame is made once, and written to each socket.
pub(super) async fn bare(mut stream: TcpStream) -> Ended {
    static CLIENTS: Clients<Arc<TcpStream>> = Clients::nobody();
    upgrade(&mut stream, None).await?;
    let stream = Arc::new(stream);
    let _place = CLIENTS.enter(stream.clone());
    let mut input = Vec::new();
    loop {
        stream.readable().await?;
        match stream.try_read_buf(&mut input) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error.into()),
        }
        if let Some(frame) = floor::answer(&mut input) {
            for socket in CLIENTS.lock().values() {
                // Those that have gone don't matter, and the others read.
                if let Ok(written) = socket.try_write(&frame) {
                    assert_eq!(written, frame.len());
                }
            }
        }
    }
}

pub(super) async fn topic(stream: TcpStream) -> Ended {
    static TOPIC: LazyLock<Broadcast> =
        LazyLock::new(|| Broadcast::with(BroadcastOptions::default().slow(Slow::DropNewest)));
    let mut connection = Box::pin(ours::accept(stream, Deflate::OFF)).await?;
    let publish = |message: MessageRef<'_>, _: &mut Outbox<'_>| {
        TOPIC.publish(message.to_message());
    };
    Ok(TOPIC.subscribe().serve(&mut connection, publish).await?)
}

pub(super) async fn prepared(stream: TcpStream) -> Ended {
    static CLIENTS: Clients<SendHalf<TcpStream>> = Clients::nobody();
    let connection = Box::pin(ours::accept(stream, Deflate::OFF)).await?;
    let (mut receiving, sending) = connection.split();
    let _place = CLIENTS.enter(sending);
    while let Some(message) = receiving.recv().await? {
        let message = PreparedMessage::new(message);
        let clients: Vec<_> = CLIENTS.lock().values().cloned().collect();
        for client in &clients {
            _ = client.send_prepared(&message).await;
        }
    }
    Ok(())
}

/// A channel of Tokio's per server, and a task per client that forwards it, as chats over the published crates do.
pub(super) async fn tungstenite(stream: TcpStream) -> Ended {
    static TOPIC: LazyLock<Sender<tungstenite::Message>> = LazyLock::new(|| Sender::new(QUEUE));
    relay(tokio_tungstenite::accept_async(stream).await?, &TOPIC).await
}

/// The same.
pub(super) async fn sockudo(mut stream: TcpStream) -> Ended {
    static TOPIC: LazyLock<Sender<sockudo_ws::Message>> = LazyLock::new(|| Sender::new(QUEUE));
    server_handshake(&mut stream).await?;
    relay(sockudo_ws::WebSocketStream::server(stream, Config::default()), &TOPIC).await
}

async fn relay<T, M, E>(mut ws: T, topic: &Sender<M>) -> Ended
where
    T: Stream<Item = Result<M, E>> + Sink<M, Error = E> + Unpin,
    M: Clone,
    E: Error + Send + Sync + 'static,
{
    let mut published = topic.subscribe();
    loop {
        tokio::select! {
            said = ws.next() => {
                let Some(message) = said else { return Ok(()) };
                _ = topic.send(message?);
            }
            message = published.recv() => match message {
                Ok(message) => ws.send(message).await?,
                Err(_) => return Ok(()),
            },
        }
    }
}

/// Messages that a slow client may be behind.
const QUEUE: usize = 16;

/// All clients there are.
struct Clients<T>(Mutex<BTreeMap<u64, T>>);

/// A client's place among them, until it is dropped.
struct Place<T: 'static>(&'static Clients<T>, u64);

impl<T> Clients<T> {
    const fn nobody() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, T>> {
        self.0.lock().expect("nobody panics here")
    }

    fn enter(&'static self, client: T) -> Place<T> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        self.lock().insert(number, client);
        Place(self, number)
    }
}

impl<T> Drop for Place<T> {
    fn drop(&mut self) {
        self.0.lock().remove(&self.1);
    }
}
