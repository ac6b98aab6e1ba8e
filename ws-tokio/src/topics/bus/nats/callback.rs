//! What async-nats tells of its connection, in a task of its own. It drops what isn't taken soon, so nothing here waits.

use std::sync::Arc;

use async_nats::Event;
use tokio::sync::{Notify, watch};

use super::ready::Ready;

/// What the callback shares with the rest. It holds nothing of a client's, which would keep the client alive.
#[derive(Clone)]
pub(super) struct Told {
    pub(super) ready: Arc<Ready>,
    /// How often the connection was lost.
    pub(super) losses: watch::Sender<u64>,
    /// There may be a new connection.
    pub(super) made: Arc<Notify>,
}

impl Told {
    pub(super) fn new() -> Self {
        Self { ready: Arc::default(), losses: watch::Sender::new(0), made: Arc::default() }
    }

    pub(super) fn event(&self, event: &Event) {
        match event {
            Event::SlowConsumer(sid) => self.ready.missed(*sid),
            Event::Disconnected => {
                self.ready.disconnected();
                self.losses.send_modify(|losses| *losses += 1);
            }
            Event::Connected => {}
            Event::LameDuckMode
            | Event::Draining
            | Event::Closed
            | Event::ServerError(_)
            | Event::ClientError(_) => return,
        }
        // After a loss and after dropped messages too: async-nats drops events when there are many.
        self.made.notify_one();
    }
}
