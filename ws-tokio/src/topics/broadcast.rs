//! The publishing side of a topic.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::task::Waker;

use ws_core::{Message, PreparedMessage};

use super::options::BroadcastOptions;
use super::queue::Queue;
use super::single::Topic;
use super::subscription::Subscription;
use super::topic::{Chair, List, lock, publish};

/// A topic to publish and subscribe to. Cheap to clone; all clones share one topic, which ends when the last is
/// dropped.
///
/// A message is encoded once for all subscribers, as a [`PreparedMessage`], and large payloads are never copied for a
/// server's connections. Each subscriber has its own bounded queue, and [`Slow`](crate::Slow) determines what happens
/// when it is full. Publishing never waits, and a slow subscriber never delays the others.
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
///         // Echoes the client's messages, and delivers published ones meanwhile.
///         _ = subscription.serve(&mut connection, |message, outbox| outbox.send(message)).await;
///     }
/// }));
/// news.publish("It has begun.");
/// # Ok(())
/// # }
/// ```
///
/// # Memory
/// A topic uses 24 bytes per subscriber. A subscriber uses about 150 bytes and a pointer for each queued message, and
/// pins at most [`max_messages`](BroadcastOptions::max_messages) messages and
/// [`max_bytes`](BroadcastOptions::max_bytes) of payload, or a single larger message; and one more while it waits for
/// room in its connection. The connection's send queue is additional
/// ([`Settings::queue_limit`](crate::Settings::queue_limit)): it copies small payloads and shares large ones. A topic
/// doesn't keep messages that every subscriber has received.
#[derive(Clone)]
pub struct Broadcast(Arc<Publisher>);

/// The state that clones of a [`Broadcast`] share. Dropping it ends the topic.
struct Publisher(Arc<Topic>);

impl Broadcast {
    /// Creates a topic with default options: a subscriber with more than 256 messages or 1 MiB queued is disconnected
    /// with 1008.
    #[must_use]
    pub fn new() -> Self {
        Self::with(BroadcastOptions::default())
    }

    /// Creates a topic with these options.
    #[must_use]
    pub fn with(options: BroadcastOptions) -> Self {
        let topic = Topic { options, list: Mutex::new(List::new()) };
        Self(Arc::new(Publisher(Arc::new(topic))))
    }

    /// Subscribes to messages that are published from now on. Dropping the subscription unsubscribes.
    #[must_use]
    pub fn subscribe(&self) -> Subscription {
        let topic = self.topic();
        let seat = lock(&topic.list).enter(Mutex::new(Queue::new()));
        Subscription::new(topic.clone(), seat)
    }

    /// Publishes a message, as [`publish_prepared`](Self::publish_prepared) does.
    pub fn publish(&self, message: impl Into<Message>) -> usize {
        self.publish_prepared(&PreparedMessage::new(message))
    }

    /// Publishes a prepared message, which may also be sent elsewhere. Returns the number of subscribers it was queued
    /// for.
    ///
    /// This never waits. It pushes one pointer per subscriber and wakes the waiting tasks, which then write. All
    /// subscribers receive messages in the same order, even if several tasks publish concurrently.
    pub fn publish_prepared(&self, message: &PreparedMessage) -> usize {
        let Topic { options, list } = &**self.topic();
        publish(list, message, options, |_, offers| offers.queued)
    }

    /// Returns the number of subscribers.
    #[must_use]
    pub fn subscribers(&self) -> usize {
        lock(&self.topic().list).len()
    }

    /// Returns how many messages were not delivered because a subscriber was too slow, summed over all present and past
    /// subscribers.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        lock(&self.topic().list).dropped()
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
    /// Ends the topic; queued messages may still be taken.
    fn drop(&mut self) {
        let seats = lock(&self.0.list).take_all();
        for seat in seats {
            let waker = seat.queue().finish();
            waker.into_iter().for_each(Waker::wake);
        }
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
