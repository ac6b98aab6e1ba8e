//! What was said lately in a room, as it goes to those who come later.

use std::collections::VecDeque;

use ws_tokio::PreparedMessage;

/// Most messages that a room keeps for those who come later.
const HISTORY: usize = 100;
/// Most bytes of them, unless one message alone has more.
pub(crate) const HISTORY_BYTES: usize = 4 << 20;

#[derive(Default)]
pub(crate) struct History {
    said: VecDeque<PreparedMessage>,
    bytes: usize,
}

impl History {
    /// Keeps one more, and forgets the oldest that are too much.
    pub(crate) fn keep(&mut self, said: PreparedMessage) {
        self.bytes += len(&said);
        self.said.push_back(said);
        while self.said.len() > HISTORY || self.bytes > HISTORY_BYTES && self.said.len() > 1 {
            self.bytes -= self.said.pop_front().as_ref().map_or(0, len);
        }
    }

    /// Returns them all, the oldest first.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &PreparedMessage> {
        self.said.iter()
    }
}

fn len(said: &PreparedMessage) -> usize {
    said.message().as_bytes().len()
}
