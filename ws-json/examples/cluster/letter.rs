//! What the nodes say to each other about a room, as JSON.

use std::hash::{BuildHasher, Hasher, RandomState};

use serde::{Deserialize, Serialize};

use crate::messages::ServerMessage;

/// Most bytes of a letter: `nats-server` takes 1 MiB, unless configured otherwise.
const MAX_LETTER: usize = (1 << 20) - 4096;

/// A node as one room knows it: another after a restart, and when the room has ended there and begun again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Node(u64);

/// Something that was said: on which node, and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Id(pub(crate) Node, pub(crate) u64);

/// Somebody who is in the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Person {
    pub(crate) name: String,
    /// When they came, in milliseconds since 1970: of two with one name, the first keeps it.
    pub(crate) since: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Letter {
    pub(crate) from: Node,
    pub(crate) news: News,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum News {
    Entered(Person),
    Left {
        name: String,
    },
    Typing {
        name: String,
    },
    /// This was said just now.
    Said {
        id: Id,
        said: ServerMessage,
    },
    /// This was said before, here or elsewhere. Part of an answer.
    Again {
        id: Id,
        said: ServerMessage,
    },
    /// Everybody in the room on this node. The end of an answer, or a sign of life.
    Here {
        people: Vec<Person>,
        answers: Option<Node>,
    },
    /// What was said that I don't have?
    Ask {
        have: Vec<Id>,
        /// Whether nodes that don't have all of that should ask in turn.
        back: bool,
    },
}

impl Node {
    pub(crate) fn random() -> Self {
        // What keys the hash tables of std is random.
        Self(RandomState::new().build_hasher().finish())
    }
}

impl Letter {
    pub(crate) fn read(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    /// Returns it as JSON. Of a text that is too long, only the beginning.
    pub(crate) fn write(mut self) -> String {
        loop {
            // The error never happens: these types can always be JSON.
            let json = serde_json::to_string(&self).unwrap_or_default();
            if json.len() <= MAX_LETTER || !self.shorten() {
                return json;
            }
        }
    }

    fn shorten(&mut self) -> bool {
        let (News::Said { said, .. } | News::Again { said, .. }) = &mut self.news else {
            return false;
        };
        let ServerMessage::Said { text, .. } = said else { return false };
        let half = text.trim_end_matches('…').len() / 2;
        let end = (0..=half).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
        end > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let node = Node::random();
        let said =
            ServerMessage::Said { id: "1".into(), name: "Ada".into(), at: 0, text: text.into() };
        let letter = Letter { from: node, news: News::Said { id: Id(node, 1), said } };
        let json = letter.write();
        assert!(json.len() <= MAX_LETTER);
        let News::Said { said: ServerMessage::Said { text, .. }, .. } =
            Letter::read(&json).expect("a letter").news
        else {
            panic!("something else");
        };
        text
    }

    #[test]
    fn a_text_that_is_too_long_for_the_engine_is_cut_between_two_characters() {
        assert_eq!(written("👩‍🚀"), "👩‍🚀");
        assert_eq!(written(&"a".repeat(1_000_000)).len(), 1_000_000);
        for (long, least) in [("a", 500_000), ("é", 500_000), ("\u{1}", 100_000), ("👍", 500_000)]
        {
            let cut = written(&long.repeat((2 << 20) / long.len()));
            let kept = cut.strip_suffix('…').expect("a mark where it was cut");
            assert!(kept.len() >= least && kept.replace(long, "").is_empty(), "{long:?}");
        }
    }
}
