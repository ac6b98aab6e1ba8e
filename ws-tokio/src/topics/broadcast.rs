//! A topic: what is published reaches every subscriber, and no slow one holds up the others.

use std::fmt;
use std::sync::Arc;

use ws_core::{Message, PreparedMessage};

use super::options::BroadcastOptions;
use super::subscription::Subscription;
use super::topic::Topic;

/// A topic, to publish to and to subscribe to. Cheap to clone; all clones are one, and the topic ends with the last.
///
/// A message is encoded once for all subscribers, as a [`PreparedMessage`], and a large payload is never copied for a server's
/// connections. Each subscriber has a queue of its own with bounds, and [`Slow`](crate::Slow) says what happens when it is full: whoever
/// publishes never waits, and nobody waits for somebody else's client.
///
/// ```
/// use ws_tokio::{AcceptOptions, Broadcast, Server};
///
/// # async fn example() -> std::io::Result<()> {
/// let news = Broadcast::new();
/// let readers = news.clone();
/// let server = Server::bind("127.0.0.1:9001").await?;
/// tokio::spawn(server.serve(move |mut connection| {
///     let mut subscription = readers.subscribe();
///     async move {
///         // What clients send is answered; what is published meanwhile is delivered.
///         _ = subscription.serve(&mut connection, |message, outbox| outbox.send(message)).await;
///     }
/// }));
/// news.publish("It has begun.");
/// # Ok(())
/// # }
/// ```
///
/// # Memory
/// A topic has 24 bytes for each subscriber. A subscriber has about 150, a pointer for each message that is queued for it, and
/// pins at most [`max_messages`](BroadcastOptions::max_messages) messages and
/// [`max_bytes`](BroadcastOptions::max_bytes) of payload, or a single message that is larger; and one message more
/// while that waits for room in its connection. What is in the send queue of its connection comes on top:
/// [`Settings::queue_limit`](crate::Settings::queue_limit), where small payloads are copies and large ones shared. A topic
/// keeps no message that no subscriber has to get.
#[derive(Clone)]
pub struct Broadcast(Arc<Publisher>);

/// What clones of a [`Broadcast`] share: with it, the topic ends.
struct Publisher(Arc<Topic>);

impl Broadcast {
    /// A topic with the default options: a subscriber for whom more than 256 messages or 1 MiB are queued is
    /// disconnected with 1008.
    #[must_use]
    pub fn new() -> Self {
        Self::with(BroadcastOptions::default())
    }

    /// A topic with these options.
    #[must_use]
    pub fn with(options: BroadcastOptions) -> Self {
        Self(Arc::new(Publisher(Arc::new(Topic::new(options)))))
    }

    /// Subscribes to what is published from now on. It leaves the topic when it is dropped.
    #[must_use]
    pub fn subscribe(&self) -> Subscription {
        let topic = self.topic();
        Subscription::new(topic.clone(), topic.enter())
    }

    /// Publishes a message. See [`publish_prepared`](Self::publish_prepared).
    pub fn publish(&self, message: impl Into<Message>) -> usize {
        self.publish_prepared(&PreparedMessage::new(message))
    }

    /// Publishes a message that may have been sent elsewhere before. How many subscribers it was queued for.
    ///
    /// It never waits: it pushes one pointer for each subscriber and wakes the tasks that wait, which write. Whoever else
    /// publishes meanwhile, all subscribers get the messages in the same order.
    pub fn publish_prepared(&self, message: &PreparedMessage) -> usize {
        self.topic().publish(message)
    }

    /// How many are subscribed.
    #[must_use]
    pub fn subscribers(&self) -> usize {
        self.topic().taken()
    }

    /// How many messages were not delivered because a subscriber was too slow: one that five subscribers missed counts five
    /// times. Those of subscribers that are gone count too.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.topic().dropped()
    }

    fn topic(&self) -> &Arc<Topic> {
        &self.0.0
    }
}

impl Default for Broadcast {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.0.finish();
    }
}

impl fmt::Debug for Broadcast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broadcast")
            .field("subscribers", &self.subscribers())
            .field("dropped", &self.dropped())
            .finish_non_exhaustive()
    }
}
