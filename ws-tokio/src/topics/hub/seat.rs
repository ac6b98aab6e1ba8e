//! What a subscriber is subscribed to, and the queue that all of it goes to.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::error;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::mem;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard};

use super::channel::Channel;
use super::published::Published;
use super::registry::{Registry, give_back};
use crate::events::hub as events;
use crate::topics::queue::Queue;
use crate::topics::topic::{Chair, Place, lock};

/// Its subscriptions' lock is taken before any lock of a topic.
pub(crate) struct Seat {
    registry: Arc<Registry<Arc<Seat>>>,
    queue: Mutex<Queue<Published>>,
    subscriptions: Mutex<State>,
}

enum State {
    Open(HashSet<Entry>),
    /// The subscriber is gone: nothing is subscribed to any more.
    Closed,
}

/// One subscription.
struct Entry {
    channel: Arc<Channel<Arc<Seat>>>,
    place: Arc<Place<Arc<Seat>>>,
}

/// The subscriptions of a [`Subscriber`](crate::Subscriber), for handlers and other tasks. Cheap to clone. Once the subscriber is
/// dropped, there are none, and subscribing has no effect.
#[derive(Clone)]
pub struct Subscriptions(pub(super) Arc<Seat>);

/// An error: a subscriber can't be subscribed to one more topic, or not to that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubscribeError {
    /// It has as many as [`HubOptions::max_subscriptions`](crate::HubOptions::max_subscriptions) allows.
    TooMany,
    /// The name is empty.
    NoName,
    /// The name is longer than [`HubOptions::max_name`](crate::HubOptions::max_name).
    NameTooLong,
}

impl Subscriptions {
    pub(super) fn new(registry: Arc<Registry<Arc<Seat>>>) -> Self {
        let subscriptions = Mutex::new(State::Open(HashSet::new()));
        Self(Arc::new(Seat { registry, queue: Mutex::new(Queue::new()), subscriptions }))
    }

    /// Subscribes to messages that are published to the topic from now on. Returns whether it wasn't before.
    ///
    /// # Errors
    /// A [`SubscribeError`] if that would be too much; nothing changes then.
    pub fn subscribe(&self, topic: &str) -> Result<bool, SubscribeError> {
        let registry = &self.0.registry;
        if !registry.is_name(topic) {
            let is_empty = topic.is_empty();
            return Err(if is_empty {
                SubscribeError::NoName
            } else {
                SubscribeError::NameTooLong
            });
        }
        let mut state = self.0.lock();
        let State::Open(entries) = &mut *state else { return Ok(false) };
        if entries.contains(topic) {
            return Ok(false);
        }
        if entries.len() >= registry.options.max_subscriptions {
            return Err(SubscribeError::TooMany);
        }
        let (channel, place) = registry.enter(topic, &self.0);
        events::subscribed();
        Ok(entries.insert(Entry { channel, place }))
    }

    /// Waits until what other nodes publish to all of these topics comes here too. A program that then asks for what was published before
    /// misses nothing, as long as no [gap](crate::HubEvent::Gap) is told. While the bus is away, this waits for topics that the node hasn't had lately; on one node, it doesn't.
    ///
    /// # Cancel safety
    /// This method is cancel-safe.
    pub async fn settled(&self) {
        let Some(link) = &self.0.registry.link else { return };
        loop {
            let mut reached = pin!(link.shared.reached.notified());
            reached.as_mut().enable();
            if self.0.lock().entries().into_iter().flatten().all(|entry| entry.channel.is_reached())
            {
                return;
            }
            reached.await;
        }
    }

    /// Unsubscribes. Messages that are queued are still received. Returns whether it was subscribed.
    pub fn unsubscribe(&self, topic: &str) -> bool {
        let mut state = self.0.lock();
        let State::Open(entries) = &mut *state else { return false };
        let Some(entry) = entries.take(topic) else { return false };
        give_back(entries);
        events::unsubscribed(1);
        self.0.queue().forget_gaps(|gap| gap.topic() == topic);
        self.0.registry.leave(&entry.channel, &entry.place);
        true
    }

    /// Returns whether it is subscribed.
    #[must_use]
    pub fn contains(&self, topic: &str) -> bool {
        self.0.lock().entries().is_some_and(|entries| entries.contains(topic))
    }

    /// Returns the names of the topics, in no order.
    #[must_use]
    pub fn topics(&self) -> Vec<String> {
        let state = self.0.lock();
        state
            .entries()
            .into_iter()
            .flatten()
            .map(|entry| entry.channel.topic.name().to_string())
            .collect()
    }

    /// Returns the number of topics.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.lock().entries().map_or(0, HashSet::len)
    }

    /// Returns whether it is subscribed to nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Unsubscribes from everything, for ever.
    pub(super) fn close(&self) {
        let before = mem::replace(&mut *self.0.lock(), State::Closed);
        events::unsubscribed(before.entries().map_or(0, HashSet::len));
        for entry in before.entries().into_iter().flatten() {
            self.0.registry.leave(&entry.channel, &entry.place);
        }
    }
}

impl Seat {
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.subscriptions)
    }
}

impl Chair for Arc<Seat> {
    type Item = Published;

    fn queue(&self) -> MutexGuard<'_, Queue<Published>> {
        lock(&self.queue)
    }
}

impl State {
    const fn entries(&self) -> Option<&HashSet<Entry>> {
        match self {
            Self::Open(entries) => Some(entries),
            Self::Closed => None,
        }
    }
}

impl Borrow<str> for Entry {
    fn borrow(&self) -> &str {
        self.channel.topic.name()
    }
}

impl Hash for Entry {
    fn hash<H: Hasher>(&self, state: &mut H) {
        str::hash(self.channel.topic.name(), state);
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.channel.topic.name() == other.channel.topic.name()
    }
}

impl Eq for Entry {}

impl fmt::Display for SubscribeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoName => "the topic's name is empty",
            Self::TooMany => "the subscriber has too many subscriptions",
            Self::NameTooLong => "the topic's name is too long",
        })
    }
}

impl error::Error for SubscribeError {}

impl fmt::Debug for Subscriptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriptions").field("len", &self.len()).finish_non_exhaustive()
    }
}
