//! A room on this node: it tells its members what happens in it on all nodes, and the other nodes what happens in it here.
//!
//! Whatever changes here or comes from elsewhere does so under one lock, so that all members hear the same in the same order.

mod elsewhere;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;
use ws_tokio::{Broadcast, Hub, PreparedMessage};

use crate::ears::Ears;
use crate::letter::{Id, Letter, News, Node, Person};
use crate::log::Log;
use crate::messages::{Refusal, ServerMessage};
use crate::names;
use crate::people::People;
use crate::telling::{lock, now, prepare, topic};

pub(crate) struct Room {
    pub(crate) name: String,
    key: String,
    most: usize,
    hub: Hub,
    node: Node,
    topic: Broadcast,
    inside: Mutex<Inside>,
    numbers: AtomicU64,
    /// Whether another node has answered.
    answered: watch::Sender<bool>,
}

#[derive(Default)]
struct Inside {
    people: People,
    log: Log,
}

/// What somebody gets who has entered.
pub(crate) struct Entered {
    /// The place's number.
    pub(crate) number: u64,
    pub(crate) ears: Ears,
    pub(crate) members: Vec<String>,
    pub(crate) history: Vec<PreparedMessage>,
}

impl Room {
    /// Makes a room for so many members over all nodes.
    pub(crate) fn new(name: &str, most: usize, hub: Hub) -> Self {
        Self {
            name: name.to_owned(),
            key: format!("chat/{}", names::key(name)),
            most,
            hub,
            node: Node::random(),
            topic: topic(),
            inside: Mutex::default(),
            numbers: AtomicU64::new(0),
            answered: watch::Sender::new(false),
        }
    }

    /// Returns the name of the topic in which the nodes speak of this room.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// Waits until another node has told what it knows of the room.
    pub(crate) async fn answered(&self) {
        _ = self.answered.subscribe().wait_for(|answered| *answered).await;
    }

    /// Nobody waits for an answer any more.
    pub(crate) fn give_up_waiting(&self) {
        self.answered.send_replace(true);
    }

    pub(crate) fn enter(&self, name: &str) -> Result<Entered, Refusal> {
        let mut inside = lock(&self.inside);
        let names = inside.people.names();
        if names.contains_key(&names::key(name)) {
            return Err(Refusal::NameTaken);
        }
        if names.len() >= self.most {
            return Err(Refusal::RoomFull);
        }
        let (number, person) = (self.number(), Person { name: name.to_owned(), since: now() });
        self.post(News::Entered(person.clone()));
        let place = self.change(&mut inside.people, |people| people.enter(person, number));
        Ok(Entered {
            number,
            ears: Ears { subscription: self.topic.subscribe(), place },
            members: inside.people.names().into_values().collect(),
            history: inside.log.said().map(|(_, said)| said.clone()).collect(),
        })
    }

    /// Gives up the place with this number, unless it is lost already.
    pub(crate) fn leave(&self, name: &str, number: u64) {
        let mut inside = lock(&self.inside);
        if inside.people.has(name, number) {
            self.post(News::Left { name: name.to_owned() });
            self.change(&mut inside.people, |people| people.leave(name));
        }
    }

    pub(crate) fn say(&self, id: String, name: String, text: String) {
        let at = now();
        let said = ServerMessage::Said { id, name, at, text };
        let Some(prepared) = prepare(&said) else { return };
        let id = Id(self.node, self.number());
        let letter = self.letter(News::Said { id, said });
        let mut inside = lock(&self.inside);
        self.hub.publish(&self.key, letter);
        self.topic.publish_prepared(&prepared);
        inside.log.keep(id, at, prepared);
    }

    pub(crate) fn types(&self, name: &str) {
        self.tell(&ServerMessage::Typing { name: name.to_owned() });
        // By when the engine is back, that is over.
        if self.is_connected() {
            self.post(News::Typing { name: name.to_owned() });
        }
    }

    /// Changes who is where, and tells members here who is in the room now and wasn't, and the other way round.
    fn change<R>(&self, people: &mut People, change: impl FnOnce(&mut People) -> R) -> R {
        let before = people.names();
        let result = change(people);
        for name in people.evict(self.node) {
            self.post(News::Left { name });
        }
        let after = people.names();
        for name in without(&before, &after) {
            self.tell(&ServerMessage::Left { name, at: now() });
        }
        for name in without(&after, &before) {
            self.tell(&ServerMessage::Entered { name, at: now() });
        }
        result
    }

    fn tell(&self, message: &ServerMessage) {
        if let Some(message) = prepare(message) {
            self.topic.publish_prepared(&message);
        }
    }

    fn post(&self, news: News) {
        self.hub.publish(&self.key, self.letter(news));
    }

    fn letter(&self, news: News) -> String {
        Letter { from: self.node, news }.write()
    }

    fn is_connected(&self) -> bool {
        self.hub.bus_stats().is_some_and(|stats| stats.is_connected)
    }

    fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }
}

/// What only the first of these have. A name that is spelled in another way is another.
fn without(some: &BTreeMap<String, String>, others: &BTreeMap<String, String>) -> Vec<String> {
    let missing = some.iter().filter(|(key, name)| others.get(*key) != Some(name));
    missing.map(|(_, name)| name.clone()).collect()
}
