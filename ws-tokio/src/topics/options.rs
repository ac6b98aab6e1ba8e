//! Options of topics: how much is queued for a slow subscriber, and what happens when its queue is full.

use std::time::Duration;

use tokio::sync::Semaphore;
use ws_core::{CloseCode, Message};

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
#[derive(Clone, Debug)]
pub struct HubOptions {
    pub(super) queues: BroadcastOptions,
    pub(super) max_subscriptions: usize,
    pub(super) max_name: usize,
    pub(super) max_waiting: usize,
    pub(super) max_waiting_bytes: usize,
    pub(super) linger: Duration,
    pub(super) gap_message: Option<fn(&str) -> Message>,
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

    /// Sets the maximum length of a topic's name, in bytes. Default 255. All nodes should have the same.
    #[must_use]
    pub fn max_name(self, bytes: usize) -> Self {
        Self { max_name: bytes, ..self }
    }

    /// Sets how much waits for the bus while it is away or slow: a number of messages, at least 1, by default 16384, and their payload
    /// bytes, by default 16 MiB. What is too much stays on this node; it is counted, and other nodes are told of a gap.
    #[must_use]
    pub fn max_waiting(self, messages: usize, bytes: usize) -> Self {
        let max_waiting = messages.clamp(1, Semaphore::MAX_PERMITS);
        Self { max_waiting, max_waiting_bytes: bytes, ..self }
    }

    /// Sets how long a node goes on receiving a topic that has lost its last subscriber: who comes back meanwhile costs the bus nothing.
    /// Default 5 s.
    #[must_use]
    pub fn linger(self, time: Duration) -> Self {
        Self { linger: time, ..self }
    }

    /// Sets what clients are sent after a [gap](super::HubEvent::Gap), by [`Subscriber::serve`](super::Subscriber::serve) and
    /// [`forward`](super::Subscriber::forward): a message that says so, made of the topic's name. Default: nothing.
    #[must_use]
    pub fn gap_message(self, message: fn(topic: &str) -> Message) -> Self {
        Self { gap_message: Some(message), ..self }
    }
}

impl Default for HubOptions {
    fn default() -> Self {
        Self {
            queues: BroadcastOptions::default(),
            max_subscriptions: 1024,
            max_name: 255,
            max_waiting: 16384,
            max_waiting_bytes: 16 << 20,
            linger: Duration::from_secs(5),
            gap_message: None,
        }
    }
}

/// What happens when a subscriber's queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
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

impl Slow {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::DropOldest => "drop_oldest",
            Self::DropNewest => "drop_newest",
            Self::KeepLatest => "keep_latest",
            Self::Disconnect(_) => "disconnect",
        }
    }
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
