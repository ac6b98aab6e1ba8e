//! All topics of a hub, in shards, so that threads rarely meet at a lock.

use std::array;
use std::collections::HashSet;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Arc, Mutex, MutexGuard};

use ws_core::PreparedMessage;

use super::channel::{ByName, Channel};
use super::gap::Gap;
use super::link::Link;
use super::named::Named;
use super::published::Published;
use crate::events::hub as events;
use crate::topics::options::HubOptions;
use crate::topics::topic::{Chair, Place, lock, publish, tell_gap};

/// Many times the threads that publish at once on a large machine.
const SHARDS: usize = 64;

/// A shard's lock is held for a look, and never together with another lock.
pub(crate) struct Registry<C> {
    pub(super) options: HubOptions,
    hasher: RandomState,
    shards: [Mutex<HashSet<ByName<C>>>; SHARDS],
    /// To other nodes, if there are any.
    pub(super) link: Option<Link>,
}

impl<C: Chair<Item = Published> + Clone> Registry<C> {
    pub(super) fn new(options: HubOptions, link: Option<Link>) -> Self {
        let shards = array::from_fn(|_| Mutex::default());
        Self { options, hasher: RandomState::new(), shards, link }
    }

    pub(super) fn find(&self, name: &str) -> Option<Arc<Channel<C>>> {
        self.shard(name).get(name).map(|found| found.0.clone())
    }

    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    /// Gives somebody a place in a topic, which begins if there is none.
    pub(super) fn enter(&self, name: &str, chair: &C) -> (Arc<Channel<C>>, Arc<Place<C>>) {
        loop {
            let channel = self.find_or_begin(name);
            // Where its last subscriber has just left, it is on its way out.
            if let Some(place) = channel.enter(chair.clone()) {
                return (channel, place);
            }
            self.end(&channel);
        }
    }

    fn find_or_begin(&self, name: &str) -> Arc<Channel<C>> {
        let mut shard = self.shard(name);
        if let Some(found) = shard.get(name) {
            return found.0.clone();
        }
        let channel = Arc::new(Channel::new(name));
        shard.insert(ByName(channel.clone()));
        drop(shard);
        events::topic_began();
        self.changed(&channel);
        channel
    }

    pub(super) fn leave(&self, channel: &Arc<Channel<C>>, place: &Arc<Place<C>>) {
        if channel.leave(place) {
            self.end(channel);
        }
    }

    /// Forgets a topic that nobody may enter any more. Another of its name may have begun.
    fn end(&self, channel: &Arc<Channel<C>>) {
        let name = &**channel.topic.name();
        let mut shard = self.shard(name);
        if shard.get(name).is_some_and(|found| Arc::ptr_eq(&found.0, channel)) {
            shard.remove(name);
            give_back(&mut shard);
            drop(shard);
            events::topic_ended();
            self.changed(channel);
        }
    }

    /// Returns the names of all topics.
    pub(super) fn names(&self) -> Vec<Arc<str>> {
        let mut names = Vec::new();
        for shard in &self.shards {
            names.extend(lock(shard).iter().map(|channel| channel.0.topic.name().clone()));
        }
        names
    }

    /// Tells a topic's subscribers that they may have missed something, if there are any. Returns whether there is such a topic.
    pub(super) fn tell_gap(&self, topic: &str) -> bool {
        let Some(channel) = self.find(topic) else { return false };
        let message = self.options.gap_message.map(|make| PreparedMessage::new(make(topic)));
        tell_gap(&channel.list, &Gap::new(channel.topic.clone(), message));
        events::gap();
        true
    }

    fn changed(&self, channel: &Channel<C>) {
        if let Some(link) = &self.link {
            link.changed(channel.topic.name());
        }
    }

    /// Publishes a message here and on other nodes.
    pub(super) fn publish(
        &self,
        topic: &str,
        key: Option<&str>,
        prepare: impl FnOnce() -> PreparedMessage,
    ) -> usize {
        let channel = self.find(topic);
        let named = match (&channel, &self.link) {
            (Some(channel), _) => channel.topic.clone(),
            (None, Some(_)) if self.is_name(topic) => Arc::new(Named::new(topic)),
            (None, _) => return 0,
        };
        let published = Published::new(named, key, prepare());
        let queued = channel.map_or(0, |channel| self.queue(&channel, &published));
        if let Some(link) = &self.link {
            link.publish(published);
        }
        queued
    }

    /// Publishes a message of another node here. Returns whether there is such a topic.
    pub(super) fn publish_here(
        &self,
        topic: &str,
        key: Option<&str>,
        message: PreparedMessage,
    ) -> bool {
        let Some(channel) = self.find(topic) else { return false };
        self.queue(&channel, &Published::new(channel.topic.clone(), key, message));
        true
    }

    /// Queues a message for all subscribers of a topic.
    fn queue(&self, channel: &Arc<Channel<C>>, published: &Published) -> usize {
        // Those who were too slow are gone by then.
        let options = &self.options.queues;
        let (offers, ends) = publish(&channel.list, published, options, |list, offers| {
            (offers, list.close_if_empty())
        });
        if ends {
            self.end(channel);
        }
        events::published(offers.queued, offers.dropped, options.slow.name());
        offers.queued
    }

    /// Whether somebody may subscribe to a topic of this name.
    pub(super) const fn is_name(&self, name: &str) -> bool {
        !name.is_empty() && name.len() <= self.options.max_name
    }

    fn shard(&self, name: &str) -> MutexGuard<'_, HashSet<ByName<C>>> {
        // With keys of its own, so that a shard's names are spread over all of its set.
        let hash = self.hasher.hash_one(name);
        lock(&self.shards[(hash >> 32) as usize % SHARDS])
    }
}

/// Gives back the memory of a set that was much larger, as a topic's list does. An empty one keeps none: its capacity may seem
/// small, as it doesn't count the places of what was removed.
pub(super) fn give_back<T: Eq + Hash>(set: &mut HashSet<T>) {
    if set.is_empty() || set.len() * 4 < set.capacity() {
        set.shrink_to(set.len() * 2);
    }
}
