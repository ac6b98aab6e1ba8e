//! Bytes in, events out: headers parsed, payloads unmasked, text validated, messages whole.

mod assembler;
mod in_place;
mod inflated;
mod parts;
mod step;
mod whole;

use std::mem;
use std::num::NonZeroUsize;

use bytes::{Buf, BytesMut};

use crate::close_frame::CloseFrame;
#[cfg(feature = "deflate")]
use crate::deflate::AgreedCompression;
use crate::deflate::Inflater;
use crate::error::DecodeError;
use crate::header::Header;
use crate::limits::Limits;
use crate::message::{Control, ControlPayload, Event, MessageKind, OwnedEvent, Piece, PieceRef};
use crate::opcode::Opcode;
use crate::pool::Pool;
use crate::role::Role;
use crate::utf8::Utf8;
use crate::utf8_bytes::take_out;
use assembler::Assembler;
use in_place::InPlace;
use inflated::{Inflated, Pieces, Sink};
use parts::{Body, FramePart, OpenMessage};
use step::{Found, Outcome, Step};
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
    limits: Limits,
    delivery: Delivery,
    state: State,
    /// Where permessage-deflate was agreed; a compressed message under way has it.
    inflater: Option<Box<Inflater>>,
    /// The memory of the last event, kept until the next call.
    lent: Option<Assembler>,
}

#[derive(Debug)]
enum State {
    /// Between messages, at a frame's first byte.
    Start,
    /// In a frame that is a whole message.
    Whole(WholeFrame),
    /// Between two frames of a message, at the second's first byte.
    Between(OpenMessage),
    /// In a frame of a message, its header taken away.
    Inside(OpenMessage, FramePart),
    /// A close frame came, or an error: nothing is read as data any more.
    Closed,
}

impl Decoder {
    /// A decoder for what arrives at this end, at the start of a connection. It allocates nothing.
    #[must_use]
    pub const fn new(role: Role, limits: Limits) -> Self {
        Self {
            role,
            limits,
            delivery: Delivery::Messages,
            state: State::Start,
            inflater: None,
            lent: None,
        }
    }

    /// Takes compressed messages too, as the handshake agreed. To be said at the start of a connection.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn with_compression(self, agreed: &AgreedCompression) -> Self {
        Self { inflater: Some(Box::new(Inflater::new(self.role, agreed))), ..self }
    }

    /// Decodes the next event at the start of `input`, which is unmasked in place; says also how many bytes of
    /// `input` are done with. The caller takes these away once it is done with the event, and calls again with
    /// the rest. No event means that more bytes are needed behind the rest; the caller must keep the rest as
    /// it is.
    ///
    /// A message in one frame is borrowed from `input`; one in fragments from the decoder, in memory of `pool`,
    /// which goes back there with the next call. After a close frame all of `input` is done with and nothing is
    /// found.
    ///
    /// # Errors
    /// The rule or limit that the peer broke, at the first byte that shows it. From then on it behaves as after a
    /// close frame.
    #[inline]
    pub fn decode<'a>(
        &'a mut self,
        input: &'a mut [u8],
        pool: &mut dyn Pool,
    ) -> Result<(Option<Event<'a>>, usize), DecodeError> {
        if let Some(frame) = self.common_frame(input) {
            let end = frame.place.end;
            return match frame.lend(input) {
                Ok(message) => Ok((Some(Event::Message(message)), end)),
                Err(error) => Err(self.close(error.into())),
            };
        }
        let (found, used) = self.find_any(input, pool)?;
        let Some(found) = found else { return Ok((None, used)) };
        match lend(found, &mut self.lent, input) {
            Ok(event) => Ok((Some(event), used)),
            Err(error) => {
                self.state = State::Closed;
                Err(error)
            }
        }
    }

    /// Decodes the next event at the start of `input` and takes it out, with all that is done with. Payloads up to
    /// 1 KiB are copied out; larger ones share the memory of `input`.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn decode_owned(
        &mut self,
        input: &mut BytesMut,
        pool: &mut dyn Pool,
    ) -> Result<Option<OwnedEvent>, DecodeError> {
        if let Some(frame) = self.common_frame(input) {
            let message = frame.take(input).map_err(|error| self.close(error.into()))?;
            return Ok(Some(OwnedEvent::Message(message)));
        }
        let (found, used) = self.find_any(input, pool)?;
        let Some(found) = found else {
            input.advance(used);
            return Ok(None);
        };
        let rest = input.len() - used;
        let event = take(found, input, pool).map_err(|error| self.close(error))?;
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
        self.limits
    }

    /// From the next message on, hold these limits. A message under way keeps those that it began with.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// How long the rest of the input must become before the frame at its start can be delivered, as far as that
    /// is known. A reader may size its buffer by it, but only as bytes come: the peer just says so.
    #[must_use]
    pub fn wanted(&self) -> usize {
        match &self.state {
            State::Whole(frame) => frame.end(),
            State::Inside(message, part) => message.wanted(part),
            State::Start | State::Between(_) | State::Closed => Header::MAX_LEN,
        }
    }

    /// To be called where the caller waits: what little has arrived of a fragmented message moves to an allocation
    /// of its own size, so that a peer that begins a message and waits pins no buffer of `pool`.
    pub fn park(&mut self, pool: &mut dyn Pool) {
        match &mut self.state {
            State::Between(message) | State::Inside(message, _) => message.park(pool),
            State::Start | State::Whole(_) | State::Closed => {}
        }
    }

    /// Whether a close frame came, or an error: nothing more will be found.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// The common frame, before any state machine: a whole message, all of it in the input.
    #[inline]
    fn common_frame(&self, input: &[u8]) -> Option<InPlace> {
        if !matches!(self.state, State::Start) || self.delivery != Delivery::Messages {
            return None;
        }
        // Final and of a known kind, not compressed.
        let kind = match input.first()? {
            0x81 => MessageKind::Text,
            0x82 => MessageKind::Binary,
            _ => return None,
        };
        let (header, start) = Header::parse(input).ok()??;
        if header.mask.is_some() != self.expects_masks() {
            return None;
        }
        let end = start + self.limits.admit(header.len).ok()?;
        (end <= input.len()).then(|| InPlace { kind, place: start..end, key: header.key() })
    }

    /// After an error nothing is read as data.
    #[cold]
    fn close(&mut self, error: DecodeError) -> DecodeError {
        self.state = State::Closed;
        error
    }

    /// Every other frame, step by step.
    #[inline(never)] // The common frame needs none of its many variables.
    fn find_any(
        &mut self,
        input: &mut [u8],
        pool: &mut dyn Pool,
    ) -> Result<(Option<Found>, usize), DecodeError> {
        if let Some(lent) = self.lent.take() {
            pool.give(lent.into_memory());
        }
        let mut used = 0;
        loop {
            let rest = &mut input[used..];
            // After an error the state stays as it is set here.
            let (next, step) = match mem::replace(&mut self.state, State::Closed) {
                State::Start => self.start_frame(None, rest, pool)?,
                State::Between(message) => self.start_frame(Some(message), rest, pool)?,
                State::Whole(frame) => frame.touch(rest)?,
                State::Inside(message, part) => {
                    message.take(part, rest, &mut self.inflater, pool)?
                }
                State::Closed => return Ok((None, input.len())),
            };
            self.state = next;
            match step.outcome {
                Outcome::Again => used += step.used,
                Outcome::Starved => return Ok((None, used + step.used)),
                Outcome::Found(found) => return Ok((Some(found.behind(used)), used + step.used)),
            }
        }
    }

    /// Parses a header and judges it beside the message under way.
    fn start_frame(
        &mut self,
        open: Option<OpenMessage>,
        input: &[u8],
        pool: &mut dyn Pool,
    ) -> Result<(State, Step), DecodeError> {
        let Some((header, header_len)) = Header::parse(input)? else {
            return Ok((State::waiting(open), Step::STARVED));
        };
        match header.mask {
            Some(_) if !self.expects_masks() => return Err(DecodeError::MaskUnexpected),
            None if self.expects_masks() => return Err(DecodeError::MaskMissing),
            Some(_) | None => {}
        }
        match (header.opcode, open) {
            (Opcode::Close | Opcode::Ping | Opcode::Pong, open) => {
                control_frame(open, &header, header_len, input)
            }
            (Opcode::Continuation, None) => Err(DecodeError::ContinuationWithoutStart),
            (Opcode::Text | Opcode::Binary, Some(_)) => Err(DecodeError::MessageInsideMessage),
            (Opcode::Continuation, Some(message)) => start_part(message, &header, header_len),
            (Opcode::Text, None) => {
                self.start_message(MessageKind::Text, &header, header_len, pool)
            }
            (Opcode::Binary, None) => {
                self.start_message(MessageKind::Binary, &header, header_len, pool)
            }
        }
    }

    /// A message's first frame. Where it is the only one, plain and wanted whole, it stays in the input.
    fn start_message(
        &mut self,
        kind: MessageKind,
        header: &Header,
        header_len: usize,
        pool: &mut dyn Pool,
    ) -> Result<(State, Step), DecodeError> {
        let body = match self.delivery {
            _ if header.rsv1 => self.inflated(kind, pool)?,
            Delivery::Pieces(chunk) => Body::Streamed(Utf8::new(), chunk),
            Delivery::Messages if header.fin => {
                let len = self.limits.admit(header.len)?;
                return Ok((
                    State::Whole(WholeFrame::new(kind, header, header_len, len)),
                    Step::AGAIN,
                ));
            }
            Delivery::Messages => Body::Gathered(Assembler::new(kind, pool)),
        };
        start_part(OpenMessage::new(kind, self.limits, body), header, header_len)
    }

    /// A compressed message: the bit marks all of it (RFC 7692, 6).
    fn inflated(&mut self, kind: MessageKind, pool: &mut dyn Pool) -> Result<Body, DecodeError> {
        let inflater = self.inflater.take().ok_or(DecodeError::ReservedBit)?;
        let sink = match self.delivery {
            Delivery::Messages => Sink::Gathered(Assembler::new(kind, pool)),
            Delivery::Pieces(chunk) => Sink::Pieces(Pieces::new(kind, chunk.get())),
        };
        Ok(Body::Inflated(Inflated::new(inflater.begin(pool), sink)))
    }

    /// Whether the peer must mask its frames: where the role counts.
    #[inline]
    const fn expects_masks(&self) -> bool {
        matches!(self.role, Role::Server)
    }
}

impl State {
    /// At a frame's first byte.
    fn waiting(open: Option<OpenMessage>) -> Self {
        open.map_or(Self::Start, Self::Between)
    }
}

/// A frame of a message whose bytes are taken away as they arrive.
fn start_part(
    mut message: OpenMessage,
    header: &Header,
    header_len: usize,
) -> Result<(State, Step), DecodeError> {
    let part = message.start_frame(header)?;
    Ok((State::Inside(message, part), Step::again(header_len)))
}

/// A control frame, once it is whole. It may stand between the frames of a message.
fn control_frame(
    open: Option<OpenMessage>,
    header: &Header,
    header_len: usize,
    input: &[u8],
) -> Result<(State, Step), DecodeError> {
    let end = header_len + header.len as usize; // at most 125
    let Some(masked) = input.get(header_len..end) else {
        return Ok((State::waiting(open), Step::STARVED));
    };
    let payload = ControlPayload::unmasked(masked, header.key());
    let (next, control) = match header.opcode {
        Opcode::Ping => (State::waiting(open), Control::Ping(payload)),
        Opcode::Pong => (State::waiting(open), Control::Pong(payload)),
        Opcode::Close | Opcode::Continuation | Opcode::Text | Opcode::Binary => {
            (State::Closed, Control::Close(CloseFrame::parse(&payload)?))
        }
    };
    Ok((next, Step::found(end, Found::Control(control))))
}

/// The found event, borrowed.
fn lend<'a>(
    found: Found,
    lent: &'a mut Option<Assembler>,
    input: &'a mut [u8],
) -> Result<Event<'a>, DecodeError> {
    Ok(match found {
        Found::Whole(message) => Event::Message(message.lend(input)?),
        Found::Gathered(assembler) => Event::Message(lent.insert(assembler).finish()?),
        Found::Piece(kind, place, more) => {
            Event::Piece(PieceRef { kind, data: &input[place], more })
        }
        Found::OwnPiece(kind, assembler, more) => {
            let data = lent.insert(assembler).finish()?.as_bytes();
            Event::Piece(PieceRef { kind, data, more })
        }
        Found::Control(control) => Event::Control(control),
    })
}

/// The found event, owned: a payload in the input is taken out of its front.
fn take(
    found: Found,
    input: &mut BytesMut,
    pool: &mut dyn Pool,
) -> Result<OwnedEvent, DecodeError> {
    Ok(match found {
        Found::Whole(message) => OwnedEvent::Message(message.take(input)?),
        Found::Gathered(assembler) => OwnedEvent::Message(assembler.into_message(pool)?),
        Found::Piece(kind, place, more) => {
            OwnedEvent::Piece(Piece { kind, data: take_out(input, place), more })
        }
        Found::OwnPiece(kind, assembler, more) => {
            let data = assembler.into_message(pool)?.into_bytes();
            OwnedEvent::Piece(Piece { kind, data, more })
        }
        Found::Control(control) => OwnedEvent::Control(control),
    })
}
