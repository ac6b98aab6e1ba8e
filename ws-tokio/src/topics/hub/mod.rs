//! Topics by name, for connections that subscribe to any number of them.

mod channel;
mod event;
mod gap;
mod link;
mod named;
mod names;
mod nodes;
mod published;
mod registry;
mod seat;
mod subscriber;

use std::fmt;
use std::sync::Arc;

use ws_core::{Message, PreparedMessage};

use super::bus::Bus;
use super::options::HubOptions;
pub use event::HubEvent;
pub use gap::Gap;
pub use link::BusStats;
use link::Link;
pub use published::Published;
use registry::Registry;
use seat::Seat;
pub use seat::{SubscribeError, Subscriptions};
pub use subscriber::Subscriber;

/// Topics by name, to publish and subscribe to. Cheap to clone; all clones share the same topics.
///
/// A topic begins with its first subscriber and ends with its last. A [`Subscriber`] has one bounded queue for all of its topics,
/// and [`HubOptions`] say what happens when it is full. A message is encoded once, and compressed once, for all subscribers.
/// Publishing never waits, and touches no other topic and nobody else's subscribers.
///
/// ```
/// use ws_tokio::{Hub, MessageRef, Server};
///
/// # async fn example() -> std::io::Result<()> {
/// let hub = Hub::new();
/// let server = Server::bind("127.0.0.1:9001").await?;
/// tokio::spawn(server.serve({
///     let hub = hub.clone();
///     move |mut connection| {
///         let mut subscriber = hub.subscriber();
///         async move {
///             // A client subscribes by naming a topic.
///             let handler = |message: MessageRef<'_>, outbox: &mut ws_tokio::Outbox<'_>, topics: &ws_tokio::Subscriptions| {
///                 let MessageRef::Text(topic) = message else { return Ok(()) };
///                 match topics.subscribe(topic) {
///                     Ok(_) => Ok(()),
///                     Err(error) => outbox.send(&*error.to_string()),
///                 }
///             };
///             _ = subscriber.serve(&mut connection, handler).await;
///         }
///     }
/// }));
/// hub.publish("weather", "It rains.");
/// # Ok(())
/// # }
/// ```
///
/// # Order
/// A subscriber receives what one task publishes in that order, over all topics, except under
/// [`Slow::KeepLatest`](crate::Slow::KeepLatest); and the messages of one topic in the same order as every other subscriber.
///
/// # Memory
/// A topic takes about 150 bytes and its name, a subscription about 70, and a subscriber about 250 and its queue, as for
/// [`Broadcast`](crate::Broadcast).
#[derive(Clone)]
pub struct Hub(Arc<Registry<Arc<Seat>>>);

impl Hub {
    /// Creates a hub with the default [`HubOptions`].
    #[must_use]
    pub fn new() -> Self {
        Self::with(HubOptions::default())
    }

    /// Creates a hub with these options.
    #[must_use]
    pub fn with(options: HubOptions) -> Self {
        Self(Arc::new(Registry::new(options, None)))
    }

    /// Creates a hub that shares its topics with those of other nodes, over an engine that carries messages between them: `Nats`
    /// or `Redis`, behind the features of these names, or a [`Bus`] of one's own.
    ///
    /// Everything else stays as it is on one node. Subscribers here are served at once; to others, a message goes once per node that has
    /// subscribers of the topic, in order per publisher and topic, at most once. What may have been lost on the way is told by
    /// [`HubEvent::Gap`]. While the bus is away, messages wait for it, up to [`HubOptions::max_waiting`].
    ///
    /// # Panics
    /// Outside of a Tokio runtime, which runs a task until the last clone and the last subscriber are gone.
    #[must_use]
    pub fn over(bus: impl Bus, options: HubOptions) -> Self {
        let (link, queue) = Link::new(&options);
        let shared = link.shared.clone();
        let registry = Arc::new(Registry::new(options, Some(link)));
        tokio::spawn(nodes::run(bus, Arc::downgrade(&registry), shared, queue));
        Self(registry)
    }

    /// Returns figures of the bus; `None` on one node.
    #[must_use]
    pub fn bus_stats(&self) -> Option<BusStats> {
        self.0.link.as_ref().map(Link::stats)
    }

    /// Creates a subscriber, for a connection. It is subscribed to nothing yet.
    #[must_use]
    pub fn subscriber(&self) -> Subscriber {
        Subscriber::new(self.0.clone())
    }

    /// Publishes a message, as [`publish_prepared`](Self::publish_prepared) does. Where nobody is subscribed, it is not even
    /// encoded.
    pub fn publish(&self, topic: &str, message: impl Into<Message>) -> usize {
        self.0.publish(topic, None, || PreparedMessage::new(message))
    }

    /// Publishes a prepared message, which may also be sent elsewhere. Returns the number of subscribers it was queued for: 0 also
    /// for a topic that nobody is subscribed to.
    ///
    /// This never waits. It pushes one pointer per subscriber and wakes the waiting tasks, which then write.
    pub fn publish_prepared(&self, topic: &str, message: &PreparedMessage) -> usize {
        self.0.publish(topic, None, || message.clone())
    }

    /// Publishes a message about one of several things that share a topic: under [`Slow::KeepLatest`](crate::Slow::KeepLatest), it
    /// replaces only what is queued of the same key.
    pub fn publish_keyed(&self, topic: &str, key: &str, message: impl Into<Message>) -> usize {
        self.0.publish(topic, Some(key), || PreparedMessage::new(message))
    }

    /// Returns the number of topics, each of which has subscribers.
    #[must_use]
    pub fn topics(&self) -> usize {
        self.0.len()
    }

    /// Returns the number of subscribers of a topic.
    #[must_use]
    pub fn subscribers(&self, topic: &str) -> usize {
        self.0.find(topic).map_or(0, |channel| channel.subscribers())
    }

    /// Returns how many messages of a topic were not delivered because a subscriber was too slow, summed over all subscribers,
    /// since the topic began.
    #[must_use]
    pub fn dropped(&self, topic: &str) -> u64 {
        self.0.find(topic).map_or(0, |channel| channel.topic.dropped())
    }
}

impl Default for Hub {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("topics", &self.topics()).finish_non_exhaustive()
    }
}
