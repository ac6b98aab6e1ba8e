//! Who is in a room on the other nodes, as far as they have told lately.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::letter::{Node, Person};
use crate::names;

/// A node that is silent for so long is gone, and everybody there with it: three signs of life didn't come.
pub(crate) const SILENCE: Duration = Duration::from_secs(6);

#[derive(Default)]
pub(crate) struct Others(BTreeMap<Node, There>);

struct There {
    /// By what the names look like.
    people: BTreeMap<String, Person>,
    heard: Instant,
}

impl Others {
    /// Everybody who claims this name, and where.
    pub(crate) fn claims(&self, key: &str) -> impl Iterator<Item = (Node, &Person)> {
        self.0.iter().filter_map(move |(node, there)| Some((*node, there.people.get(key)?)))
    }

    pub(crate) fn people(&self) -> impl Iterator<Item = (&String, &Person)> {
        self.0.values().flat_map(|there| &there.people)
    }

    /// One more on that node, unless so many are there already.
    pub(crate) fn enter(&mut self, node: Node, person: Person, most: usize) {
        let people = &mut self.there(node).people;
        if people.len() < most {
            people.insert(names::key(&person.name), person);
        }
    }

    pub(crate) fn leave(&mut self, node: Node, name: &str) {
        self.there(node).people.remove(&names::key(name));
    }

    /// These and no others are on that node.
    pub(crate) fn replace(&mut self, node: Node, people: Vec<Person>, most: usize) {
        let keyed = people.into_iter().take(most);
        self.there(node).people = keyed.map(|person| (names::key(&person.name), person)).collect();
    }

    pub(crate) fn forget_silent(&mut self) {
        self.0.retain(|_, there| there.heard.elapsed() < SILENCE && !there.people.is_empty());
    }

    fn there(&mut self, node: Node) -> &mut There {
        let heard = Instant::now();
        let new = || There { people: BTreeMap::new(), heard };
        let there = self.0.entry(node).or_insert_with(new);
        there.heard = heard;
        there
    }
}
