//! Options of topics: how much is queued for a slow subscriber, and what happens when its queue is full.

use ws_core::CloseCode;

/// Options of a [`Broadcast`](super::Broadcast). Limits are per subscriber.
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

/// Options of a [`Hub`](super::Hub). Limits are per subscriber, over all of its topics.
///
/// ```
/// use ws_tokio::{BroadcastOptions, Hub, HubOptions, Slow};
///
/// let queues = BroadcastOptions::default().max_messages(64).slow(Slow::KeepLatest);
/// let hub = Hub::with(HubOptions::default().queues(queues).max_subscriptions(100));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct HubOptions {
    pub(super) queues: BroadcastOptions,
    pub(super) max_subscriptions: usize,
    pub(super) max_name: usize,
}

impl HubOptions {
    /// Sets the options of each subscriber's one queue. Default: those of [`BroadcastOptions`].
    #[must_use]
    pub fn queues(self, queues: BroadcastOptions) -> Self {
        Self { queues, ..self }
    }

    /// Sets the maximum number of topics of one subscriber. Default 1024; each costs about 100 bytes, and the topic's name
    /// if nobody else is subscribed to it.
    #[must_use]
    pub fn max_subscriptions(self, most: usize) -> Self {
        Self { max_subscriptions: most, ..self }
    }

    /// Sets the maximum length of a topic's name, in bytes. Default 255.
    #[must_use]
    pub fn max_name(self, bytes: usize) -> Self {
        Self { max_name: bytes, ..self }
    }
}

impl Default for HubOptions {
    fn default() -> Self {
        Self { queues: BroadcastOptions::default(), max_subscriptions: 1024, max_name: 255 }
    }
}

/// What happens when a subscriber's queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slow {
    /// Drops the oldest messages, so the subscriber is never far behind. For states, where only the newest matters.
    DropOldest,
    /// Drops the new message: the subscriber receives everything queued before, and then misses some.
    DropNewest,
    /// Drops what is queued of the same topic, or of the same key, in favour of the new message, which takes its place;
    /// the oldest message if the queue is full. For prices and positions: the subscriber gets the latest of each, however slow
    /// it is. Messages of different topics may then change their order.
    KeepLatest,
    /// Empties the queue, unsubscribes, and closes the connection with this code: 1008
    /// ([`CloseCode::POLICY_VIOLATION`]), or 1013 ([`CloseCode::TRY_AGAIN_LATER`]) for clients that should reconnect. A
    /// client that must not miss anything then knows that it did.
    Disconnect(CloseCode),
}

impl BroadcastOptions {
    /// Sets the maximum number of messages queued for a subscriber, at least 1. Default 256; each is a pointer to a
    /// shared message.
    #[must_use]
    pub fn max_messages(self, most: usize) -> Self {
        Self { max_messages: most.max(1), ..self }
    }

    /// Sets the maximum number of payload bytes queued for a subscriber. Default 1 MiB, which a client that doesn't
    /// read can make a topic hold, though equally slow clients share the same messages. A larger message is queued once
    /// the queue is empty.
    #[must_use]
    pub fn max_bytes(self, most: usize) -> Self {
        Self { max_bytes: most, ..self }
    }

    /// Sets what happens when a subscriber's queue is full. Default [`Slow::Disconnect`] with 1008. The other policies
    /// drop messages without notifying the client.
    ///
    /// # Panics
    /// If the close code may not be sent (RFC 6455, 7.4).
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
