//! How much a topic holds for a subscriber that is slow, and what happens then.

use ws_core::CloseCode;

/// How a [`Broadcast`](super::Broadcast) treats its subscribers, each by itself.
///
/// ```
/// use ws_tokio::{Broadcast, BroadcastOptions, Slow};
///
/// let options = BroadcastOptions::default().max_messages(16).slow(Slow::DropOldest);
/// let prices = Broadcast::with(options);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct BroadcastOptions {
    pub(super) max_messages: usize,
    pub(super) max_bytes: usize,
    pub(super) slow: Slow,
}

/// What happens to a subscriber whose queue has no room for what is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slow {
    /// Its oldest messages make room: it is never far behind. For states, of which the newest counts.
    DropOldest,
    /// What has no room is not queued for it: it gets what it has been promised, and then a gap.
    DropNewest,
    /// Its queue is emptied, it leaves the topic, and its connection is to be closed with this code: 1008
    /// ([`CloseCode::POLICY_VIOLATION`]), or 1013 ([`CloseCode::TRY_AGAIN_LATER`]) for a client that is to come back.
    /// A client that must not miss anything knows then that it did.
    Disconnect(CloseCode),
}

impl BroadcastOptions {
    /// Most messages queued for a subscriber, at least 1. Default 256; each is a pointer to what all share.
    #[must_use]
    pub fn max_messages(self, most: usize) -> Self {
        Self { max_messages: most.max(1), ..self }
    }

    /// Most payload bytes queued for a subscriber. Default 1 MiB; a client that doesn't read can make us hold that much, but
    /// those that are equally slow hold the same messages. A larger message goes alone into an empty queue.
    #[must_use]
    pub fn max_bytes(self, most: usize) -> Self {
        Self { max_bytes: most, ..self }
    }

    /// What happens to a subscriber whose queue is full. Default [`Slow::Disconnect`] with 1008; under the others messages are
    /// missing without a word to the client.
    ///
    /// # Panics
    /// For a code that may not be sent (RFC 6455, 7.4).
    #[must_use]
    pub fn slow(self, slow: Slow) -> Self {
        if let Slow::Disconnect(code) = slow {
            assert!(code.is_sendable(), "close code {code} may not be sent");
        }
        Self { slow, ..self }
    }
}

impl Default for BroadcastOptions {
    fn default() -> Self {
        let slow = Slow::Disconnect(CloseCode::POLICY_VIOLATION);
        Self { max_messages: 256, max_bytes: 1 << 20, slow }
    }
}
