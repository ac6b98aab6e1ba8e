//! Bytes in, events out: headers parsed, payloads unmasked, text validated, messages whole.

mod any_frame;
mod assembler;
mod body;
mod control;
mod deliver;
pub(crate) mod event;
mod fragments;
mod frame_part;
mod frame_start;
mod in_place;
mod inflated;
mod open_message;
mod state;
mod step;
mod whole;

use std::num::NonZeroUsize;

use bytes::BytesMut;

use crate::counts::Counts;
#[cfg(feature = "deflate")]
use crate::deflate::{AgreedCompression, Inflater};
use crate::error::DecodeError;
use crate::extras::Extras;
use crate::frame::header::Header;
use crate::limits::Limits;
use crate::message::Message;
use crate::pool::Pool;
use crate::role::Role;
use crate::text::utf8::InvalidUtf8;
use event::{Event, OwnedEvent};
use in_place::InPlace;
use inflated::Inflated;
use state::State;

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

    /// Whether the peer must mask its frames: where the role counts.
    #[inline]
    const fn expects_masks(&self) -> bool {
        matches!(self.role, Role::Server)
    }
}
