//! What was given to send, and what is known of it: what must be on the wire, what may be, and in which order.

use ws_core::Header;
use ws_tokio::{Error, Message, MessageKind};

use super::plan::Body;

/// All messages, by their numbers.
#[derive(Default)]
pub(super) struct Sent {
    messages: Vec<Given>,
    now: u32,
}

/// A message that was given to send, between two points in time.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) body: Body,
    pub(super) began: u32,
    pub(super) ended: u32,
    pub(super) whole: Presence,
    /// Whether the wire may end with the start of it.
    pub(super) start: bool,
}

/// What is known of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Presence {
    /// It was refused.
    Absent,
    /// Its operation was dropped or failed.
    Possible,
    /// It was accepted: it comes before what is accepted later.
    Queued,
    /// It was written.
    Written,
}

/// A point in time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark(u32);

impl Sent {
    pub(super) fn messages(&self) -> &[Given] {
        &self.messages
    }

    pub(super) fn tick(&mut self) -> u32 {
        self.now += 1;
        self.now
    }

    /// Begins to send the next message: its number, and its payload.
    pub(super) fn begin(&mut self, body: Body) -> (usize, Vec<u8>) {
        let (number, began) = (self.messages.len(), self.tick());
        let whole = Presence::Possible;
        self.messages.push(Given { body, began, ended: u32::MAX, whole, start: false });
        (number, payload(number, body.len))
    }

    pub(super) fn of(&mut self, number: usize) -> &mut Given {
        &mut self.messages[number]
    }

    /// The operation came to this; where it fails, `left` is still possible.
    pub(super) fn settle(
        &mut self,
        number: usize,
        result: &Result<(), Error>,
        accepted: Presence,
        left: Presence,
    ) {
        self.messages[number].whole = match result {
            Ok(()) => accepted,
            Err(Error::Send(_)) => Presence::Absent,
            Err(_) => left,
        };
    }

    /// The operation is over, whatever it came to.
    pub(super) fn end(&mut self, number: usize) {
        self.messages[number].ended = self.tick();
    }

    /// The operation that sent the last message was dropped; whether something was queued meanwhile is known.
    pub(super) fn dropped(&mut self, queued: bool) {
        // What a writer queues may be the start of a message.
        let possible = |it: &&mut Given| it.whole == Presence::Possible && !it.start;
        if let Some(last) = self.messages.last_mut().filter(possible) {
            last.whole = if queued { Presence::Queued } else { Presence::Absent };
        }
    }

    pub(super) fn mark(&mut self) -> Mark {
        Mark(self.tick())
    }

    /// All that was queued before is written.
    pub(super) fn written(&mut self, Mark(mark): Mark) {
        for message in self.messages.iter_mut().filter(|it| it.ended < mark) {
            if message.whole == Presence::Queued {
                message.whole = Presence::Written;
            }
        }
    }

    /// The longest message's frame.
    pub(super) fn largest(&self) -> usize {
        self.messages.iter().map(|it| it.body.len + Header::MAX_LEN).max().unwrap_or(0)
    }
}

/// The payload of a message: letters, of which the first two say its number.
pub(super) fn payload(number: usize, len: usize) -> Vec<u8> {
    let mut payload = vec![LETTERS[number / 64], LETTERS[number % 64]];
    payload.extend(LETTERS.repeat(1 + len / LETTERS.len()));
    payload.truncate(len);
    payload
}

const LETTERS: &[u8; 64] = b"0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmno";

/// The number of the message that begins so; `None` where that is too short to tell.
pub(super) fn number(payload: &[u8]) -> Option<usize> {
    let [a, b, ..] = payload else { return None };
    Some(usize::from(a - b'0') * 64 + usize::from(b - b'0'))
}

pub(super) fn message(kind: MessageKind, payload: Vec<u8>) -> Message {
    match kind {
        MessageKind::Binary => Message::binary(payload),
        MessageKind::Text => Message::text(String::from_utf8(payload).expect("letters")),
    }
}
