//! Bytes in, events out: headers parsed, payloads unmasked, text validated, messages whole.

mod assembler;
mod fragments;
mod in_place;
mod inflated;
mod parts;
mod step;
mod whole;

use std::mem;
use std::num::NonZeroUsize;

use bytes::{Buf, BytesMut};
use ws_mask::MaskKey;

use crate::close_frame::CloseFrame;
use crate::counts::Counts;
#[cfg(feature = "deflate")]
use crate::deflate::{AgreedCompression, Inflater};
use crate::error::DecodeError;
use crate::extras::Extras;
use crate::header::Header;
use crate::limits::Limits;
use crate::message::{
    Control, ControlPayload, Event, Message, MessageKind, OwnedEvent, Piece, PieceRef,
};
use crate::opcode::Opcode;
use crate::pool::Pool;
use crate::role::Role;
use crate::utf8::{InvalidUtf8, Utf8};
use crate::utf8_bytes::take_out;
use assembler::Assembler;
use fragments::Fragments;
use in_place::InPlace;
use inflated::Inflated;
use parts::{Body, Coding, OpenMessage, stage};
use step::{ControlKind, Found, Outcome, Step};
use whole::WholeFrame;

/// How messages are delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// Whole, as [`Event::Message`].
    #[default]
    Messages,
    /// As [`Event::Piece`]s while they arrive: a frame larger than this many bytes is cut at exact multiples
    /// of it.
    Pieces(NonZeroUsize),
}

/// Turns the bytes of one direction into events.
///
/// It does no I/O and reads no clock; [`decode`](Self::decode) is given what has arrived and says how much of it
/// is done with. How the bytes were cut on their way never shows in the events.
#[derive(Debug)]
pub struct Decoder {
    role: Role,
    /// The limits that hold now, in parts: side by side with the role they take less room.
    message_size: usize,
    fragments: u32,
    delivery: Delivery,
    state: State,
    /// An inflating stage, where permessage-deflate was agreed.
    extras: Extras<Inflated>,
}

#[derive(Debug)]
enum State {
    /// Between messages, at a frame's first byte, with the last message that was put together: it is lent until more
    /// is decoded, and its memory is at hand for the next.
    Start(Option<Assembler>),
    /// In a frame that is a whole message.
    Whole(WholeFrame),
    /// In a message whose bytes are taken away as they arrive.
    Open(OpenMessage),
    /// A close frame came, or an error: nothing is read as data any more.
    Closed,
}

impl Decoder {
    /// A decoder for what arrives at this end, at the start of a connection. It allocates nothing.
    #[must_use]
    pub const fn new(role: Role, limits: Limits) -> Self {
        Self {
            role,
            message_size: limits.message_size(),
            fragments: limits.fragments(),
            delivery: Delivery::Messages,
            state: State::Start(None),
            extras: Extras::NONE,
        }
    }

    /// Counts what is found. To be said at the start of a connection.
    #[must_use]
    pub fn counted(mut self) -> Self {
        self.extras.count();
        self
    }

    /// What was found so far, where it is counted.
    #[must_use]
    pub fn counts(&self) -> Option<Counts> {
        self.extras.counts()
    }

    /// Takes compressed messages too, as the handshake agreed. To be said at the start of a connection.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn with_compression(mut self, agreed: &AgreedCompression) -> Self {
        self.extras.set_stage(Some(Inflated::new(Inflater::new(self.role, agreed))));
        self
    }

    /// Decodes the next event at the start of `input`, which is unmasked in place; says also how many bytes of
    /// `input` are done with. The caller takes these away once it is done with the event, and calls again with
    /// the rest. No event means that more bytes are needed behind the rest; the caller must keep the rest as
    /// it is.
    ///
    /// A message in one frame is borrowed from `input`, and so is one in fragments that all stand there, which are moved
    /// together; any other in fragments from the decoder, in memory of `pool`, which goes back there with the next call, or
    /// serves the next such message. After a close frame all of `input` is done with and nothing is found.
    ///
    /// # Errors
    /// The rule or limit that the peer broke, at the first byte that shows it. From then on it behaves as after a
    /// close frame.
    #[inline(always)]
    pub fn decode<'a>(
        &'a mut self,
        input: &'a mut [u8],
        pool: &mut dyn Pool,
    ) -> Result<(Option<Event<'a>>, usize), DecodeError> {
        if let Some(message) = self.common_frame(input) {
            return self.lend_in_place(message, input);
        }
        if self.has_all(input) {
            return Ok((None, 0));
        }
        self.decode_any(input, pool)
    }

    /// Any other frame: out of line, so that the common one's few steps can stand in the caller's loop.
    #[inline(never)]
    fn decode_any<'a>(
        &'a mut self,
        input: &'a mut [u8],
        pool: &mut dyn Pool,
    ) -> Result<(Option<Event<'a>>, usize), DecodeError> {
        if let Some(fragments) = self.fragments(input) {
            let message = fragments.join(input);
            return self.lend_in_place(message, input);
        }
        let (found, used) = self.find_any(input, pool)?;
        match found {
            Some(found) => Ok((Some(self.lend(found, input)?), used)),
            None => Ok((None, used)),
        }
    }

    /// Decodes the next event at the start of `input` and takes it out, with all that is done with. Payloads up to
    /// 1 KiB are copied out; larger ones share the memory of `input`.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    #[inline]
    pub fn decode_owned(
        &mut self,
        input: &mut BytesMut,
        pool: &mut dyn Pool,
    ) -> Result<Option<OwnedEvent>, DecodeError> {
        if let Some(message) = self.common_frame(input) {
            return self.taken(message.take(input));
        }
        if self.has_all(input) {
            return Ok(None);
        }
        self.decode_any_owned(input, pool)
    }

    #[inline(never)]
    fn decode_any_owned(
        &mut self,
        input: &mut BytesMut,
        pool: &mut dyn Pool,
    ) -> Result<Option<OwnedEvent>, DecodeError> {
        if let Some(fragments) = self.fragments(input) {
            return self.taken(fragments.take(input));
        }
        let (found, used) = self.find_any(input, pool)?;
        let Some(found) = found else {
            input.advance(used);
            return Ok(None);
        };
        let rest = input.len() - used;
        let event = self.take(found, input, pool).map_err(|error| self.close(error))?;
        input.advance(input.len() - rest);
        Ok(Some(event))
    }

    /// From the next message on, deliver so. A message under way is finished as it began.
    pub fn set_delivery(&mut self, delivery: Delivery) {
        self.delivery = delivery;
    }

    /// The limits that hold now.
    #[must_use]
    pub const fn limits(&self) -> Limits {
        Limits::UNLIMITED.with_message_size(self.message_size).with_fragments(self.fragments)
    }

    /// From the next message on, hold these limits. A message under way keeps those that it began with.
    pub fn set_limits(&mut self, limits: Limits) {
        (self.message_size, self.fragments) = (limits.message_size(), limits.fragments());
    }

    /// How long the rest of the input must become before the frame at its start can be delivered, as far as that
    /// is known. A reader may size its buffer by it, but only as bytes come: the peer just says so.
    #[must_use]
    pub fn wanted(&self) -> usize {
        match &self.state {
            State::Whole(frame) => frame.end(),
            State::Open(message) => message.wanted(),
            State::Start(_) | State::Closed => Header::MAX_LEN,
        }
    }

    /// To be called where the caller waits: what little has arrived of a fragmented message moves to an allocation
    /// of its own size, so that a peer that begins a message and waits pins no buffer of `pool`.
    pub fn park(&mut self, pool: &mut dyn Pool) {
        match &mut self.state {
            State::Open(message) => message.park(pool),
            State::Start(_) | State::Whole(_) | State::Closed => {}
        }
        if let Some(inflated) = self.extras.stage_mut() {
            inflated.park(pool);
        }
    }

    /// Whether a close frame came, or an error: nothing more will be found.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// The common message, before any state machine: in one frame, all of it in the input.
    #[inline]
    fn common_frame(&self, input: &[u8]) -> Option<InPlace> {
        if !self.expects_whole() {
            return None;
        }
        InPlace::at_start(input, self.expects_masks(), &self.limits())
    }

    /// The second common one: in fragments, all of them in the input.
    #[inline]
    fn fragments(&mut self, input: &[u8]) -> Option<Fragments> {
        if !self.expects_whole() {
            return None;
        }
        let found = Fragments::at_start(input, self.expects_masks(), &self.limits())?;
        // The message and its last frame are counted with what is made of it.
        self.extras.count_frames(found.frames - 1);
        Some(found)
    }

    /// Whether a message comes next, and is wanted whole.
    #[inline]
    fn expects_whole(&self) -> bool {
        matches!(self.state, State::Start(_)) && self.delivery == Delivery::Messages
    }

    #[inline(always)]
    fn lend_in_place<'a>(
        &mut self,
        message: InPlace,
        input: &'a mut [u8],
    ) -> Result<(Option<Event<'a>>, usize), DecodeError> {
        let end = message.end;
        let message = message.lend(input).map_err(|error| self.close(error.into()))?;
        self.extras.count_whole(message.as_bytes().len());
        Ok((Some(Event::Message(message)), end))
    }

    #[inline(always)]
    fn taken(
        &mut self,
        message: Result<Message, InvalidUtf8>,
    ) -> Result<Option<OwnedEvent>, DecodeError> {
        let message = message.map_err(|error| self.close(error.into()))?;
        self.extras.count_whole(message.as_bytes().len());
        Ok(Some(OwnedEvent::Message(message)))
    }

    /// Whether nothing is left and nothing is under way, as behind the last message of each burst.
    #[inline]
    const fn has_all(&self, input: &[u8]) -> bool {
        input.is_empty() && matches!(self.state, State::Start(None))
    }

    /// After an error nothing is read as data.
    #[cold]
    fn close(&mut self, error: DecodeError) -> DecodeError {
        self.end();
        error
    }

    /// Nothing more is read as data, and no memory is needed for it.
    fn end(&mut self) {
        self.state = State::Closed;
        self.extras.drop_stage();
    }

    /// Every other frame, step by step.
    fn find_any(
        &mut self,
        input: &mut [u8],
        pool: &mut dyn Pool,
    ) -> Result<(Option<Found>, usize), DecodeError> {
        let mut used = 0;
        loop {
            let step = match self.step(&mut input[used..], pool) {
                Ok(step) => step,
                Err(error) => return Err(self.close(error)),
            };
            match step.outcome {
                Outcome::Again => used += step.used,
                Outcome::Starved => {
                    self.forget_last(pool);
                    return Ok((None, used + step.used));
                }
                Outcome::Found(found) => {
                    self.count(&found);
                    return Ok((Some(found.behind(used)), used + step.used));
                }
            }
        }
    }

    /// Counts what a step found; its frame was counted when it began.
    fn count(&mut self, found: &Found) {
        if !self.extras.is_counting() {
            return;
        }
        self.extras.count_part(match (found, &self.state) {
            (Found::Whole(message), _) => message.place.len(),
            (Found::Piece(_, place, _), _) => place.len(),
            (Found::OwnPiece(..), _) => self.extras.stage().map_or(0, |stage| stage.piece().len()),
            (Found::Gathered, State::Start(Some(message))) => message.len(),
            (Found::Gathered | Found::Control(..), _) => 0,
        });
        if found.ends_message() {
            self.extras.count_end();
        }
    }

    #[inline]
    fn step(&mut self, input: &mut [u8], pool: &mut dyn Pool) -> Result<Step, DecodeError> {
        match &mut self.state {
            State::Whole(frame) => {
                let Some(message) = frame.touch(input)? else { return Ok(Step::STARVED) };
                self.state = State::Start(None);
                Ok(Step::found(message.place.end, Found::Whole(message)))
            }
            State::Open(message) if !message.is_between_frames() => {
                let step = message.take(input, &mut self.extras, pool)?;
                if step.ends_message() {
                    self.end_message();
                }
                Ok(step)
            }
            State::Start(_) | State::Open(_) => {
                let step = self.start_frame(input, pool)?;
                if !matches!(step.outcome, Outcome::Starved) {
                    self.extras.count_frame();
                }
                Ok(step)
            }
            State::Closed => Ok(Step { used: input.len(), ..Step::STARVED }),
        }
    }

    /// Parses a header and judges it beside the message under way.
    #[inline]
    fn start_frame(&mut self, input: &[u8], pool: &mut dyn Pool) -> Result<Step, DecodeError> {
        let Some((header, header_len)) = Header::parse(input)? else { return Ok(Step::STARVED) };
        match header.mask {
            Some(_) if !self.expects_masks() => return Err(DecodeError::MaskUnexpected),
            None if self.expects_masks() => return Err(DecodeError::MaskMissing),
            Some(_) | None => {}
        }
        let open = match &mut self.state {
            State::Open(message) => Some(message),
            State::Start(_) | State::Whole(_) | State::Closed => None,
        };
        let kind = match (header.opcode, open) {
            (Opcode::Continuation, Some(message)) => {
                message.start_frame(&header, &mut self.extras)?;
                return Ok(Step::again(header_len));
            }
            (Opcode::Continuation, None) => return Err(DecodeError::ContinuationWithoutStart),
            (Opcode::Text | Opcode::Binary, Some(_)) => {
                return Err(DecodeError::MessageInsideMessage);
            }
            (Opcode::Text, None) => MessageKind::Text,
            (Opcode::Binary, None) => MessageKind::Binary,
            (Opcode::Ping, _) => return Ok(control(ControlKind::Ping, &header, header_len, input)),
            (Opcode::Pong, _) => return Ok(control(ControlKind::Pong, &header, header_len, input)),
            (Opcode::Close, _) => {
                let step = control(ControlKind::Close, &header, header_len, input);
                if matches!(step.outcome, Outcome::Found(_)) {
                    self.end();
                }
                return Ok(step);
            }
        };
        self.start_message(kind, &header, header_len, pool)
    }

    /// A message's first frame. Where it is the only one, plain and wanted whole, it stays in the input.
    fn start_message(
        &mut self,
        kind: MessageKind,
        header: &Header,
        header_len: usize,
        pool: &mut dyn Pool,
    ) -> Result<Step, DecodeError> {
        let coding = if header.rsv1 { Coding::Deflated } else { Coding::Plain };
        // The bit marks all of the message (RFC 7692, 6).
        match coding {
            Coding::Deflated => stage(&mut self.extras)?.begin(),
            Coding::Plain => {}
        }
        let body = match self.delivery {
            Delivery::Messages if header.fin && coding == Coding::Plain => {
                let len = self.limits().admit(header.len)?;
                self.forget_last(pool);
                self.state = State::Whole(WholeFrame::new(kind, header, header_len, len));
                return Ok(Step::AGAIN);
            }
            Delivery::Messages => Body::Gathered(Assembler::new(kind, self.memory(pool))),
            Delivery::Pieces(chunk) => {
                self.forget_last(pool);
                Body::Streamed(Utf8::new(), chunk)
            }
        };
        let mut message = OpenMessage::new(kind, coding, self.limits(), body);
        message.start_frame(header, &mut self.extras)?;
        self.state = State::Open(message);
        Ok(Step::again(header_len))
    }

    /// The memory of the last message that was put together goes back.
    fn forget_last(&mut self, pool: &mut dyn Pool) {
        if let State::Start(last) = &mut self.state {
            if let Some(last) = last.take() {
                pool.give(last.into_memory());
            }
        }
    }

    /// Memory to put a message together in: the last one's, or the pool's.
    fn memory(&mut self, pool: &mut dyn Pool) -> Vec<u8> {
        match mem::replace(&mut self.state, State::Start(None)) {
            State::Start(Some(last)) => last.into_memory(),
            State::Start(None) | State::Whole(_) | State::Open(_) | State::Closed => pool.take(),
        }
    }

    /// Nothing is under way any more; a message that was put together is kept for whoever it is lent to.
    fn end_message(&mut self) {
        if let State::Open(message) = mem::replace(&mut self.state, State::Start(None)) {
            self.state = State::Start(message.into_gathered());
        }
    }

    /// The found event, borrowed.
    #[inline]
    fn lend<'a>(&'a mut self, found: Found, input: &'a mut [u8]) -> Result<Event<'a>, DecodeError> {
        Ok(match found {
            Found::Whole(message) => match message.lend(input) {
                Ok(message) => Event::Message(message),
                Err(error) => return Err(self.close(error.into())),
            },
            Found::Gathered => match &self.state {
                State::Start(Some(message)) => Event::Message(message.finish()?),
                State::Start(None) | State::Whole(_) | State::Open(_) | State::Closed => {
                    unreachable!("{NOT_KEPT}")
                }
            },
            Found::Piece(kind, place, more) => {
                Event::Piece(PieceRef { kind, data: &input[place], more })
            }
            Found::OwnPiece(kind, more) => {
                let data = self.extras.stage().map_or(&[][..], Inflated::piece);
                Event::Piece(PieceRef { kind, data, more })
            }
            Found::Control(kind, place, key) => Event::Control(unmasked(kind, &input[place], key)?),
        })
    }

    /// The found event, owned: a payload in the input is taken out of its front.
    fn take(
        &mut self,
        found: Found,
        input: &mut BytesMut,
        pool: &mut dyn Pool,
    ) -> Result<OwnedEvent, DecodeError> {
        Ok(match found {
            Found::Whole(message) => OwnedEvent::Message(message.take(input)?),
            Found::Gathered => match mem::replace(&mut self.state, State::Start(None)) {
                State::Start(Some(message)) => OwnedEvent::Message(message.into_message(pool)?),
                State::Start(None) | State::Whole(_) | State::Open(_) | State::Closed => {
                    unreachable!("{NOT_KEPT}")
                }
            },
            Found::Piece(kind, place, more) => {
                OwnedEvent::Piece(Piece { kind, data: take_out(input, place, MaskKey::ZERO), more })
            }
            Found::OwnPiece(kind, more) => {
                let data = self.extras.stage_mut().map_or_else(Vec::new, Inflated::take_piece);
                let data = Assembler::Binary(data).into_message(pool)?.into_bytes();
                OwnedEvent::Piece(Piece { kind, data, more })
            }
            Found::Control(kind, place, key) => {
                OwnedEvent::Control(unmasked(kind, &input[place], key)?)
            }
        })
    }

    /// Whether the peer must mask its frames: where the role counts.
    #[inline]
    const fn expects_masks(&self) -> bool {
        matches!(self.role, Role::Server)
    }
}

/// Why a message that was put together is always there: finding it and keeping it are one step.
const NOT_KEPT: &str = "a message is kept in the step that finds it";

/// A control frame, once it is whole. It may stand between the frames of a message.
fn control(kind: ControlKind, header: &Header, header_len: usize, input: &[u8]) -> Step {
    let end = header_len + header.len as usize; // at most 125
    if input.len() < end {
        return Step::STARVED;
    }
    Step::found(end, Found::Control(kind, header_len..end, header.key()))
}

fn unmasked(kind: ControlKind, payload: &[u8], key: MaskKey) -> Result<Control, DecodeError> {
    let payload = ControlPayload::unmasked(payload, key);
    Ok(match kind {
        ControlKind::Ping => Control::Ping(payload),
        ControlKind::Pong => Control::Pong(payload),
        ControlKind::Close => Control::Close(CloseFrame::parse(&payload)?),
    })
}
