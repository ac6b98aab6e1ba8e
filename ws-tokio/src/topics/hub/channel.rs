//! One topic of a hub: its name, and its subscribers.

use std::borrow::Borrow;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex};

use super::named::Named;
use crate::topics::topic::{Chair, List, Place, lock};

pub(super) struct Channel<C> {
    /// Apart from the rest, since messages outlive a topic.
    pub(super) topic: Arc<Named>,
    pub(super) list: Mutex<List<C>>,
}

impl<C: Chair> Channel<C> {
    pub(super) fn new(name: &str) -> Self {
        Self { topic: Arc::new(Named::new(name)), list: Mutex::new(List::new()) }
    }

    /// Whether what other nodes publish comes here.
    pub(super) fn is_reached(&self) -> bool {
        lock(&self.list).is_reached
    }

    pub(super) fn reached(&self) {
        lock(&self.list).is_reached = true;
    }

    /// Gives somebody a place, unless the topic has ended meanwhile.
    pub(super) fn enter(&self, chair: C) -> Option<Arc<Place<C>>> {
        let mut list = lock(&self.list);
        (!list.is_closed()).then(|| list.enter(chair))
    }

    /// Takes the place away, if it is still there. Returns whether the topic ends with it.
    pub(super) fn leave(&self, place: &Arc<Place<C>>) -> bool {
        let mut list = lock(&self.list);
        list.leave(place);
        list.close_if_empty()
    }

    pub(super) fn subscribers(&self) -> usize {
        lock(&self.list).len()
    }
}

/// A channel that is looked up by its name.
pub(super) struct ByName<C>(pub(super) Arc<Channel<C>>);

impl<C> Borrow<str> for ByName<C> {
    fn borrow(&self) -> &str {
        self.0.topic.name()
    }
}

impl<C> Hash for ByName<C> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        str::hash(self.0.topic.name(), state);
    }
}

impl<C> PartialEq for ByName<C> {
    fn eq(&self, other: &Self) -> bool {
        self.0.topic.name() == other.0.topic.name()
    }
}

impl<C> Eq for ByName<C> {}
