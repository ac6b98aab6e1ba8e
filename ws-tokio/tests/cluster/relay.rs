//! A network between a node and its engine that can go dead: what is sent goes nowhere, and no end is told.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passing {
    All,
    /// What the engine sends stays where it is.
    ToEngine,
    Nothing,
}

pub(crate) struct Relay {
    pub(crate) port: u16,
    passing: Arc<watch::Sender<Passing>>,
}

impl Relay {
    /// One in front of the engine at this port. It ends with the test's runtime.
    pub(crate) async fn to(engine: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let passing = Arc::new(watch::Sender::new(Passing::All));
        tokio::spawn(accept(listener, engine, passing.clone()));
        Self { port, passing }
    }

    pub(crate) fn lets_pass(&self, passing: Passing) {
        self.passing.send_replace(passing);
    }
}

async fn accept(listener: TcpListener, engine: u16, passing: Arc<watch::Sender<Passing>>) {
    while let Ok((near, _)) = listener.accept().await {
        let passing = passing.clone();
        tokio::spawn(async move {
            // In a dead network, nobody answers.
            _ = passing.subscribe().wait_for(|passing| *passing == Passing::All).await;
            let Ok(far) = TcpStream::connect(("127.0.0.1", engine)).await else { return };
            let ((near_read, near_write), (far_read, far_write)) =
                (near.into_split(), far.into_split());
            let dead = [Passing::Nothing, Passing::Nothing];
            tokio::spawn(copy(near_read, far_write, passing.subscribe(), dead));
            let dead = [Passing::Nothing, Passing::ToEngine];
            tokio::spawn(copy(far_read, near_write, passing.subscribe(), dead));
        });
    }
}

async fn copy(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut passing: watch::Receiver<Passing>,
    dead: [Passing; 2],
) {
    let mut buffer = vec![0; 1 << 16];
    loop {
        if passing.wait_for(|passing| !dead.contains(passing)).await.is_err() {
            return;
        }
        match from.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(len) if dead.contains(&passing.borrow()) => {
                // Lost on the way, as with the connection.
                _ = len;
                return;
            }
            Ok(len) if to.write_all(&buffer[..len]).await.is_err() => return,
            Ok(_) => {}
        }
    }
}
