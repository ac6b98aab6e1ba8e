//! What the peer says, right and wrong, and what a decoder makes of it: all that may be received, and how it ends.

use std::num::NonZeroUsize;

use bytes::BytesMut;
use ws_core::{
    CloseFrame, Control, DecodeError, Decoder, Delivery, Header, Limits, MessageKind, More,
    OwnedEvent, Role, Unpooled,
};

use super::input::Input;
use crate::support::wire::{close, frame, peer_of};

/// What a decoder makes of what the peer says.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// Whole messages; the last one may be unfinished.
    pub(super) messages: Vec<Message>,
    pub(super) pings: Vec<Vec<u8>>,
    pub(super) pongs: Vec<Vec<u8>>,
    pub(super) last: Last,
}

#[derive(Debug)]
pub(super) struct Message {
    pub(super) kind: MessageKind,
    pub(super) bytes: Vec<u8>,
    pub(super) more: More,
}

/// What comes last.
#[derive(Debug, Default)]
pub(super) enum Last {
    Close(Option<CloseFrame>),
    Violation(DecodeError),
    /// The bytes just end.
    #[default]
    Nothing,
}

impl Heard {
    /// Frames come as pieces, for a message may be read before it is whole.
    pub(super) fn new(role: Role, limits: Limits, chunk: NonZeroUsize, wire: &[u8]) -> Self {
        let mut decoder = Decoder::new(role, limits);
        decoder.set_delivery(Delivery::Pieces(chunk));
        let (mut heard, mut wire) = (Self::default(), BytesMut::from(wire));
        loop {
            match decoder.decode_owned(&mut wire, &mut Unpooled) {
                Ok(Some(event)) => heard.hear(event),
                Ok(None) => return heard,
                Err(error) => {
                    heard.last = Last::Violation(error);
                    return heard;
                }
            }
        }
    }

    /// Whether the pongs to all pings are queued in order, although nothing be written meanwhile.
    pub(super) fn all_pongs_fit(&self) -> bool {
        self.pong_bytes() <= 4096
    }

    /// What the pongs to all pings come to, at most.
    pub(super) fn pong_bytes(&self) -> usize {
        self.pings.iter().map(|ping| ping.len() + Header::MAX_LEN).sum()
    }

    fn hear(&mut self, event: OwnedEvent) {
        match event {
            OwnedEvent::Message(message) => self.messages.push(Message {
                kind: message.kind(),
                bytes: message.into_bytes().to_vec(),
                more: More::Ended,
            }),
            OwnedEvent::Piece(piece) => match self.messages.last_mut() {
                Some(last) if last.more == More::Follows => {
                    last.bytes.extend_from_slice(&piece.data);
                    last.more = piece.more;
                }
                _ => self.messages.push(Message {
                    kind: piece.kind,
                    bytes: piece.data.to_vec(),
                    more: piece.more,
                }),
            },
            OwnedEvent::Control(Control::Ping(payload)) => self.pings.push(payload.to_vec()),
            OwnedEvent::Control(Control::Pong(payload)) => self.pongs.push(payload.to_vec()),
            OwnedEvent::Control(Control::Close(frame)) => self.last = Last::Close(frame),
        }
    }
}

/// What the peer says, as bytes on the wire.
pub(super) fn speech(peer: Role, input: &mut Input<'_>) -> Vec<u8> {
    let mut pings = 0_u8;
    let sayings = input.some(12, |input| match input.byte() {
        0..=89 => whole(peer, input),
        90..=159 => fragmented(peer, &mut pings, input),
        160..=189 => ping(peer, &mut pings, usize::from(input.byte() % 126)),
        190..=209 => frame(peer, 0x8a, &u64::from(input.byte() % 8).to_be_bytes()),
        210..=219 => {
            let count = input.byte() % 64;
            (0..count).flat_map(|_| ping(peer, &mut pings, 100)).collect()
        }
        220..=235 => close(peer, input.one_of(&[1000, 1001, 1011, 4000, 1005]), "why"),
        236..=243 => violation(peer, input),
        244..=249 => {
            let (first, len) = (input.byte(), usize::from(input.byte() % 32));
            frame(peer, first, input.bytes(len))
        }
        250.. => {
            let len = usize::from(input.byte() % 32);
            input.bytes(len).to_vec()
        }
    });
    sayings.concat()
}

fn whole(peer: Role, input: &mut Input<'_>) -> Vec<u8> {
    let (first, payload) = data(input);
    frame(peer, 0x80 | first, &payload)
}

/// An opcode and a payload, unlike others of its length.
fn data(input: &mut Input<'_>) -> (u8, Vec<u8>) {
    let (seed, len) = (input.byte(), input.len());
    if seed & 1 == 0 {
        let bytes: Vec<u8> = (seed..=255).collect();
        return (2, bytes.repeat(1 + len / bytes.len())[..len].to_vec());
    }
    let letters = ["\u{17c}", "a", "\u{20ac}", "\u{1f600}"][usize::from(seed / 2 % 4)];
    (1, letters.repeat(len.div_ceil(letters.len())).into_bytes())
}

/// A message in fragments, with control frames between them.
fn fragmented(peer: Role, pings: &mut u8, input: &mut Input<'_>) -> Vec<u8> {
    let (opcode, payload) = data(input);
    let (mut wire, mut rest, mut first) = (Vec::new(), &payload[..], opcode);
    for _ in 0..input.byte() % 5 {
        let (fragment, behind) = rest.split_at(input.len().min(rest.len()));
        wire.extend(frame(peer, first, fragment));
        (rest, first) = (behind, 0);
        if input.byte() & 1 == 1 {
            wire.extend(ping(peer, pings, 5));
        }
    }
    wire.extend(frame(peer, 0x80 | first, rest));
    wire
}

/// A ping unlike those before it.
fn ping(peer: Role, pings: &mut u8, len: usize) -> Vec<u8> {
    *pings = pings.wrapping_add(1);
    frame(peer, 0x89, &vec![*pings; len])
}

fn violation(peer: Role, input: &mut Input<'_>) -> Vec<u8> {
    match input.byte() % 9 {
        0 => frame(peer, 0xc1, b"x"),
        1 => frame(peer, 0x83, b""),
        2 => frame(peer, 0x09, b""),
        3 => frame(peer, 0x89, &[0; 126]),
        4 => frame(peer, 0x81, b"a\xff"),
        5 => frame(peer, 0x88, b"\x03"),
        6 => frame(peer_of(peer), 0x82, b"masked as we do"),
        7 => [frame(peer, 0x01, b"a"), frame(peer, 0x81, b"b")].concat(),
        _ => frame(peer, 0x80, b""),
    }
}
