//! What was said in a room, on all nodes: nothing twice, and in the order in which it came to this one.

use std::collections::VecDeque;

use ws_tokio::PreparedMessage;

use crate::history::History;
use crate::letter::Id;

#[derive(Default)]
pub(crate) struct Log {
    history: History,
    /// What each of the history is.
    entries: VecDeque<(Id, u64)>,
    forgotten: u64,
}

impl Log {
    pub(crate) fn has(&self, id: Id) -> bool {
        self.entries.iter().any(|(known, _)| *known == id)
    }

    /// When the latest was said of what was forgotten here: what isn't later may have been here before.
    pub(crate) const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    pub(crate) fn keep(&mut self, id: Id, at: u64, said: PreparedMessage) {
        self.history.keep(said);
        self.entries.push_back((id, at));
        while self.entries.len() > self.history.iter().len() {
            let at = self.entries.pop_front().map_or(0, |(_, at)| at);
            self.forgotten = self.forgotten.max(at);
        }
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = Id> {
        self.entries.iter().map(|(id, _)| *id)
    }

    /// Returns them all, the oldest first.
    pub(crate) fn said(&self) -> impl Iterator<Item = (Id, &PreparedMessage)> {
        self.ids().zip(self.history.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::letter::Node;

    #[test]
    fn it_knows_the_last_hundred_and_when_the_others_ended() {
        let (mut log, node) = (Log::default(), Node::random());
        for n in 1..=150 {
            log.keep(Id(node, n), 1000 + n, PreparedMessage::new(format!("{n}")));
        }
        assert_eq!(
            log.ids().collect::<Vec<_>>(),
            (51..=150).map(|n| Id(node, n)).collect::<Vec<_>>()
        );
        assert_eq!((log.has(Id(node, 50)), log.has(Id(node, 51))), (false, true));
        assert_eq!(log.forgotten(), 1050);
        let (first, said) = log.said().next().expect("some");
        assert_eq!((first, said.message().as_text()), (Id(node, 51), Some("51")));
    }
}
