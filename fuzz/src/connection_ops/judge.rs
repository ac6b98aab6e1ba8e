//! The judge of what was written: frames that a peer takes, and of messages exactly what was accepted, in order.

use bytes::BytesMut;
use ws_core::{Decoder, Limits, MessageKind, OwnedEvent, Role, Unpooled};

use super::book::Book;
use super::received::answer;
use super::sent::{Given, Presence, number, payload};
use crate::support::parse::whole_frames;
use crate::support::wire::peer_of;

/// Whether all that was accepted had its time to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Time {
    Enough,
    Unknown,
}

/// Holds all laws of what a connection of this role wrote.
pub(super) fn judge(role: Role, wire: &[u8], book: &Book, time: Time) {
    decodes(peer_of(role), wire);
    let (frames, rest) = whole_frames(role, wire);
    assert!(time == Time::Unknown || rest.is_empty(), "a frame is cut");
    let (mut messages, mut pings, mut pongs) = (Messages::default(), Vec::new(), Vec::new());
    let mut close = None;
    for (first, payload) in frames {
        assert!(close.is_none(), "a frame after our close frame");
        match first & 0x0f {
            9 => pings.push(payload),
            10 => pongs.push(payload),
            8 => close = Some(payload),
            _ => messages.take(first, payload),
        }
    }
    messages.judge(book, time);
    judge_pings(&pings, book);
    judge_pongs(&pongs, book, time);
    judge_close(close, book, time);
}

/// The other role's decoder finds nothing wrong.
fn decodes(reader: Role, wire: &[u8]) {
    let mut decoder = Decoder::new(reader, Limits::UNLIMITED);
    let mut wire = BytesMut::from(wire);
    while let Some(event) = decoder.decode_owned(&mut wire, &mut Unpooled).expect("valid frames") {
        if matches!(event, OwnedEvent::Control(ws_core::Control::Close(_))) {
            assert!(wire.is_empty(), "bytes after our close frame");
        }
    }
}

/// The messages on the wire, put together.
#[derive(Default)]
struct Messages {
    whole: Vec<(MessageKind, Vec<u8>)>,
    /// The one without an end.
    open: Option<(MessageKind, Vec<u8>)>,
}

impl Messages {
    fn take(&mut self, first: u8, payload: Vec<u8>) {
        let mut message = match (first & 0x0f, self.open.take()) {
            (1, None) => (MessageKind::Text, Vec::new()),
            (2, None) => (MessageKind::Binary, Vec::new()),
            (0, Some(open)) => open,
            (opcode, open) => panic!("opcode {opcode} while {open:?} is open"),
        };
        message.1.extend(payload);
        if first & 0x80 == 0 {
            self.open = Some(message);
        } else {
            self.whole.push(message);
        }
    }

    fn judge(&self, book: &Book, time: Time) {
        let given = book.sent.messages();
        let (mut seen, mut newest) = (vec![false; given.len()], 0);
        for (kind, bytes) in &self.whole {
            let Some(number) = number(bytes) else { continue };
            let message = given.get(number).expect("a message of ours");
            assert_eq!(*kind, message.body.kind);
            assert!(*bytes == payload(number, message.body.len), "message {number} is garbled");
            assert!(
                message.whole != Presence::Absent,
                "message {number} was refused or unfinished"
            );
            assert!(!std::mem::replace(&mut seen[number], true), "message {number} came twice");
            assert!(message.ended >= newest, "message {number} came late: {message:?}");
            newest = newest.max(message.began);
        }
        let must = |it: &Given| {
            it.whole == Presence::Written || it.whole == Presence::Queued && time == Time::Enough
        };
        for (number, message) in given.iter().enumerate() {
            if message.body.len < 2 || seen[number] {
                continue;
            }
            assert!(!must(message), "message {number} is missing");
            let gap = message.whole == Presence::Queued && message.ended < newest;
            assert!(!gap, "message {number} is missing, and later ones came");
        }
        // Those that are too short to say their number are counted.
        let short = || given.iter().filter(|it| it.body.len < 2);
        let most = short().filter(|it| it.whole != Presence::Absent).count();
        let least = short().filter(|it| must(it)).count();
        let came = self.whole.iter().filter(|(_, bytes)| bytes.len() < 2).count();
        assert!((least..=most).contains(&came), "{came} short messages, not {least} to {most}");
        self.judge_open(given);
    }

    /// A message without an end is one that was left so, or one whose end is cut off.
    fn judge_open(&self, given: &[Given]) {
        let Some((kind, bytes)) = &self.open else { return };
        let left = |number: usize| {
            let message = &given[number];
            message.start
                && message.body.kind == *kind
                && payload(number, message.body.len).starts_with(bytes)
        };
        assert!((0..given.len()).any(left), "nobody left a message unfinished");
    }
}

fn judge_pings(pings: &[Vec<u8>], book: &Book) {
    let numbers = (1..=book.pings.len() as u64).map(|number| number.to_be_bytes().to_vec());
    assert!(pings.iter().cloned().eq(numbers.take(pings.len())), "our pings, in order");
    assert!(pings.len() >= book.pings_written, "a ping is missing");
}

fn judge_pongs(pongs: &[Vec<u8>], book: &Book, time: Time) {
    let heard = &book.received.heard;
    let asked = &heard.pings;
    let mut rest = asked.iter();
    assert!(pongs.iter().all(|pong| rest.any(|ping| ping == pong)), "pongs to pings, in order");
    if time == Time::Enough && heard.all_pongs_fit() {
        assert_eq!(pongs.len(), asked.len(), "every ping is answered");
    }
}

fn judge_close(close: Option<Vec<u8>>, book: &Book, time: Time) {
    let answer = answer(&book.received.heard.last);
    assert!(time == Time::Unknown || close == answer, "{close:?} is not {answer:?}");
    let ours = |code: &u16| Some(code.to_be_bytes().to_vec());
    let known = close.is_none() || close == answer || book.codes.iter().any(|it| ours(it) == close);
    assert!(known, "{close:?} is neither {answer:?} nor any of {:?}", book.codes);
}
