//! All topics of a hub, in shards, so that threads rarely meet at a lock.

use std::array;
use std::collections::HashSet;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Arc, Mutex, MutexGuard};

use ws_core::PreparedMessage;

use super::channel::{ByName, Channel};
use super::published::Published;
use crate::topics::options::HubOptions;
use crate::topics::topic::{Chair, Place, lock, publish};

/// Many times the threads that publish at once on a large machine.
const SHARDS: usize = 64;

/// A shard's lock is held for a look, and never together with another lock.
pub(crate) struct Registry<C> {
    pub(super) options: HubOptions,
    hasher: RandomState,
    shards: [Mutex<HashSet<ByName<C>>>; SHARDS],
}

impl<C: Chair<Item = Published> + Clone> Registry<C> {
    pub(super) fn new(options: HubOptions) -> Self {
        let shards = array::from_fn(|_| Mutex::default());
        Self { options, hasher: RandomState::new(), shards }
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
        channel
    }

    pub(super) fn leave(&self, channel: &Arc<Channel<C>>, place: &Arc<Place<C>>) {
        if channel.leave(place) {
            self.end(channel);
        }
    }

    /// Forgets a topic that nobody may enter any more. Another of its name may have begun.
    fn end(&self, channel: &Arc<Channel<C>>) {
        let mut shard = self.shard(channel.topic.name());
        if shard.get(channel.topic.name()).is_some_and(|found| Arc::ptr_eq(&found.0, channel)) {
            shard.remove(channel.topic.name());
            give_back(&mut shard);
        }
    }

    pub(super) fn publish(
        &self,
        topic: &str,
        key: Option<&str>,
        prepare: impl FnOnce() -> PreparedMessage,
    ) -> usize {
        let Some(channel) = self.find(topic) else { return 0 };
        let published = Published::new(channel.topic.clone(), key, prepare());
        // Those who were too slow are gone by then.
        let (queued, ends) =
            publish(&channel.list, &published, &self.options.queues, |list, queued| {
                (queued, list.close_if_empty())
            });
        if ends {
            self.end(&channel);
        }
        queued
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
