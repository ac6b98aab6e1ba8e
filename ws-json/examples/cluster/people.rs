//! Who is in a room, on this node and on others.

use std::collections::BTreeMap;
use std::convert::Infallible;

use tokio::sync::oneshot;

use crate::letter::{Node, Person};
use crate::names;
use crate::others::Others;

#[derive(Default)]
pub(crate) struct People {
    /// By what the names look like.
    here: BTreeMap<String, Place>,
    pub(crate) others: Others,
}

/// Somebody's place here, which is lost when it is dropped.
struct Place {
    number: u64,
    person: Person,
    _held: oneshot::Sender<Infallible>,
}

impl People {
    /// Returns the names of everybody, by what they look like.
    pub(crate) fn names(&self) -> BTreeMap<String, String> {
        let here = self.here.iter().map(|(key, place)| (key, &place.person));
        let all = self.others.people().chain(here);
        all.map(|(key, person)| (key.clone(), person.name.clone())).collect()
    }

    pub(crate) fn here(&self) -> Vec<Person> {
        self.here.values().map(|place| place.person.clone()).collect()
    }

    /// Gives a place with this number to somebody. What is returned ends when the place is lost.
    pub(crate) fn enter(&mut self, person: Person, number: u64) -> oneshot::Receiver<Infallible> {
        let (held, place) = oneshot::channel();
        self.here.insert(names::key(&person.name), Place { number, person, _held: held });
        place
    }

    /// Whether somebody has still the place with this number.
    pub(crate) fn has(&self, name: &str, number: u64) -> bool {
        self.here.get(&names::key(name)).is_some_and(|place| place.number == number)
    }

    pub(crate) fn leave(&mut self, name: &str) {
        self.here.remove(&names::key(name));
    }

    /// Takes the places here of those whose name somebody elsewhere had before, and returns their names: while nodes don't hear each
    /// other, a name can be taken on both.
    pub(crate) fn evict(&mut self, here: Node) -> Vec<String> {
        let others = &self.others;
        let mut evicted = Vec::new();
        self.here.retain(|key, Place { person, .. }| {
            let ours = (person.since, here);
            let is_lost = others.claims(key).any(|(node, other)| (other.since, node) < ours);
            evicted.extend(is_lost.then(|| person.name.clone()));
            !is_lost
        });
        evicted
    }
}
