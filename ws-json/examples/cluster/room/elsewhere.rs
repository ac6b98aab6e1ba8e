//! What a room hears from other nodes, and what it asks and answers them.

use super::{Inside, Room};
use crate::letter::{Id, Letter, News, Node};
use crate::log::Log;
use crate::messages::ServerMessage;
use crate::telling::{lock, prepare};

impl Room {
    /// Takes what came over the hub: also what this node has published itself.
    pub(crate) fn take(&self, letter: &str) {
        let Some(Letter { from, news }) = Letter::read(letter) else { return };
        if from == self.node {
            return;
        }
        let mut inside = lock(&self.inside);
        let Inside { people, log } = &mut *inside;
        match news {
            News::Entered(person) => {
                self.change(people, |people| people.others.enter(from, person, self.most));
            }
            News::Left { name } => {
                self.change(people, |people| people.others.leave(from, &name));
            }
            News::Typing { name } => self.tell(&ServerMessage::Typing { name }),
            News::Said { id, said } => self.hear(log, id, &said, 0),
            News::Again { id, said } => {
                let forgotten = log.forgotten();
                self.hear(log, id, &said, forgotten);
            }
            News::Here { people: here, answers } => {
                self.change(people, |people| people.others.replace(from, here, self.most));
                if answers == Some(self.node) {
                    self.answered.send_replace(true);
                }
            }
            News::Ask { have, back } => {
                self.answer(&inside, from, &have);
                if back && have.iter().any(|id| !inside.log.has(*id)) {
                    self.ask(&inside, false);
                }
            }
        }
    }

    /// Asks the other nodes, because something may have been missed.
    pub(crate) fn catch_up(&self) {
        self.ask(&lock(&self.inside), true);
    }

    /// Tells the other nodes that this one lives, and forgets those that don't.
    pub(crate) fn beat(&self) {
        let mut inside = lock(&self.inside);
        self.change(&mut inside.people, |people| people.others.forget_silent());
        if self.is_connected() {
            self.post(inside.here(None));
        }
    }

    fn ask(&self, inside: &Inside, back: bool) {
        self.post(inside.here(None));
        self.post(News::Ask { have: inside.log.ids().collect(), back });
    }

    fn answer(&self, inside: &Inside, asker: Node, have: &[Id]) {
        for (id, said) in inside.log.said().filter(|(id, _)| !have.contains(id)) {
            let json = said.message().as_text().unwrap_or_default();
            if let Ok(said) = serde_json::from_str(json) {
                self.post(News::Again { id, said });
            }
        }
        self.post(inside.here(Some(asker)));
    }

    /// Passes on what was said elsewhere after that time, if it is new here.
    fn hear(&self, log: &mut Log, id: Id, said: &ServerMessage, after: u64) {
        let ServerMessage::Said { at, .. } = *said else { return };
        if at <= after || log.has(id) {
            return;
        }
        let Some(prepared) = prepare(said) else { return };
        self.topic.publish_prepared(&prepared);
        log.keep(id, at, prepared);
    }
}

impl Inside {
    fn here(&self, answers: Option<Node>) -> News {
        News::Here { people: self.people.here(), answers }
    }
}
