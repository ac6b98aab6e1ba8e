//! Where a connection is in its topic: the next number, and messages that came before their turn.

use std::collections::BTreeMap;

use ws_tokio::PreparedMessage;

/// Most messages that wait for their turn.
const EARLY: usize = 64;

/// The place of one connection.
pub(crate) struct Cursor {
    next: u64,
    /// All after `next`: messages that are published at the same time may overtake each other.
    early: BTreeMap<u64, PreparedMessage>,
}

impl Cursor {
    pub(crate) const fn new(next: u64) -> Self {
        Self { next, early: BTreeMap::new() }
    }

    /// Returns the number of the message that is sent next.
    pub(crate) const fn next(&self) -> u64 {
        self.next
    }

    /// Sets the next number.
    pub(crate) const fn move_to(&mut self, next: u64) {
        self.next = next;
    }

    /// Forgets what waits: the log has it.
    pub(crate) fn forget(&mut self) {
        self.early.clear();
    }

    /// Takes a message, unless it was sent before.
    pub(crate) fn put(&mut self, number: u64, message: &PreparedMessage) {
        if number >= self.next {
            self.early.insert(number, message.clone());
        }
    }

    /// Returns the next message, to be sent now.
    pub(crate) fn take(&mut self) -> Option<PreparedMessage> {
        let message = self.early.remove(&self.next)?;
        self.next += 1;
        Some(message)
    }

    /// Whether messages wait for one that hasn't come.
    pub(crate) fn has_hole(&self) -> bool {
        !self.early.is_empty()
    }

    /// Whether too many wait.
    pub(crate) fn is_full(&self) -> bool {
        self.early.len() >= EARLY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(cursor: &mut Cursor, numbers: &[u64]) {
        for number in numbers {
            cursor.put(*number, &PreparedMessage::new(number.to_string()));
        }
    }

    fn take_all(cursor: &mut Cursor) -> Vec<String> {
        let messages = std::iter::from_fn(|| cursor.take());
        messages.map(|it| it.message().as_text().unwrap().to_owned()).collect()
    }

    #[test]
    fn messages_are_taken_once_and_in_order() {
        let mut cursor = Cursor::new(3);
        put(&mut cursor, &[5, 2, 4, 5]);
        assert!(take_all(&mut cursor).is_empty() && cursor.has_hole());
        put(&mut cursor, &[3, 7]);
        assert_eq!(take_all(&mut cursor), ["3", "4", "5"]);
        assert!(cursor.next() == 6 && cursor.has_hole());
        put(&mut cursor, &[3, 6]);
        assert_eq!(take_all(&mut cursor), ["6", "7"]);
        assert!(!cursor.has_hole());
    }

    #[test]
    fn what_the_log_has_told_is_not_taken_again() {
        let mut cursor = Cursor::new(1);
        put(&mut cursor, &[2, 4, 6]);
        cursor.forget();
        cursor.move_to(7);
        put(&mut cursor, &[4, 6, 7]);
        assert_eq!(take_all(&mut cursor), ["7"]);
    }

    #[test]
    fn too_many_that_wait_are_told() {
        let mut cursor = Cursor::new(1);
        put(&mut cursor, &(2..=EARLY as u64).collect::<Vec<_>>());
        assert!(!cursor.is_full());
        put(&mut cursor, &[1000]);
        assert!(cursor.is_full());
        cursor.forget();
        assert!(!cursor.is_full() && !cursor.has_hole());
    }
}
