//! What one client says goes to all: by a write to each socket, which is the least there can be, and our two ways.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};

use tokio::net::TcpStream;
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
