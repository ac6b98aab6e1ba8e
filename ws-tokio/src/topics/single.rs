//! The one topic of a [`Broadcast`](super::Broadcast).

use std::sync::{Arc, Mutex};

use ws_core::PreparedMessage;

use super::options::BroadcastOptions;
use super::queue::Queue;
use super::topic::{List, Place, lock};

/// A subscriber's place, with its queue.
pub(super) type Seat = Arc<Place<Mutex<Queue<PreparedMessage>>>>;

/// The one topic.
pub(super) struct Topic {
    pub(super) options: BroadcastOptions,
    pub(super) list: Mutex<List<Mutex<Queue<PreparedMessage>>>>,
}

impl Topic {
    /// Removes a seat. Does nothing if it was already removed.
    pub(super) fn leave(&self, seat: &Seat) {
        lock(&self.list).leave(seat);
    }
}
