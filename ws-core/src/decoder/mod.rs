//! The receiving direction: bytes in, events out.

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

use bytes::{Buf, BytesMut};

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
#[non_exhaustive]
pub enum Delivery {
    /// Whole, as [`Event::Message`].
    #[default]
    Messages,
    /// As [`Event::Piece`]s while they arrive. A frame larger than this many bytes is cut at exact multiples of it.
    Pieces(NonZeroUsize),
}

/// Decodes the bytes of one direction into events.
///
/// It does no I/O and reads no clock: [`decode`](Self::decode) gets what has arrived and returns how much of it was
/// used. How the input was cut into reads never shows in the events.
#[derive(Debug)]
pub struct Decoder {
    role: Role,
    /// The limits for the next message, in parts: beside the role they take less room.
    message_size: usize,
    fragments: u32,
    delivery: Delivery,
    state: State,
    /// A decompression stage, if compression was agreed.
    extras: Extras<Inflated>,
}

impl Decoder {
    /// Makes a decoder for this end, at the start of a connection, without allocating.
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

    /// Enables counting. To be called before the first message.
    #[must_use]
    pub fn counted(mut self) -> Self {
        self.extras.count();
        self
    }

    /// Returns the counts of what was found, if counting is enabled.
    #[must_use]
    pub fn counts(&self) -> Option<Counts> {
        self.extras.counts()
    }

    /// Accepts compressed messages, as the handshake agreed. To be called before the first message.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn with_compression(mut self, agreed: &AgreedCompression) -> Self {
        self.extras.set_stage(Some(Inflated::new(Inflater::new(self.role, agreed))));
        self
    }

    /// Decodes the next event at the start of `input`, which is unmasked in place. Also returns how many bytes of
    /// `input` were used; the caller removes these when it is done with the event, and calls again with the rest. No
    /// event means that more bytes are needed after the rest, which the caller must not change.
    ///
    /// A message in one frame is borrowed from `input`. So is a message in fragments that are all there; these are
    /// joined in place. Any other message in fragments is borrowed from the decoder, in memory of `pool`, which is
    /// given back or reused by the next call. After a close frame, all input is used and no events are found.
    ///
    /// # Errors
    /// The rule or limit that the peer violated, at the first byte that shows it. After an error, the decoder behaves
    /// as after a close frame.
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

    /// Decodes the next event at the start of `input` and removes the bytes that were used. Payloads up to 1 KiB are
    /// copied; larger ones share the memory of `input`.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    #[inline]
    pub fn decode_owned(
        &mut self,
        input: &mut BytesMut,
        pool: &mut dyn Pool,
    ) -> Result<Option<OwnedEvent>, DecodeError> {
        if let Some((message, used)) = self.decode_small(input) {
            input.advance(used);
            return Ok(Some(OwnedEvent::Message(message)));
        }
        self.decode_other(input, pool)
    }

    /// The first half of [`decode_owned`](Self::decode_owned): copies the message at the start of `input`, if it is there
    /// whole, in one uncompressed frame of up to 1 KiB. Also returns how many bytes of `input` were used. Anything else,
    /// and any error, is left to [`decode_other`](Self::decode_other).
    ///
    /// A caller with many small messages calls the halves, and removes what was used not for each message, but once before
    /// `decode_other` and before it reads.
    #[inline(always)]
    pub fn decode_small(&mut self, input: &[u8]) -> Option<(Message, usize)> {
        let message = self.common_frame(input).filter(InPlace::is_small)?;
        let end = message.end;
        let message = message.copy(input).ok()?;
        self.extras.count_whole(message.as_bytes().len());
        Some((message, end))
    }

    /// The second half of [`decode_owned`](Self::decode_owned): decodes any event but what
    /// [`decode_small`](Self::decode_small) takes.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    #[inline]
    pub fn decode_other(
        &mut self,
        input: &mut BytesMut,
        pool: &mut dyn Pool,
    ) -> Result<Option<OwnedEvent>, DecodeError> {
        if self.has_all(input) {
            return Ok(None);
        }
        self.decode_any_owned(input, pool)
    }

    /// Sets how messages are delivered, from the next message on.
    pub fn set_delivery(&mut self, delivery: Delivery) {
        self.delivery = delivery;
    }

    /// Returns the limits for the next message.
    #[must_use]
    pub const fn limits(&self) -> Limits {
        Limits::UNLIMITED.with_message_size(self.message_size).with_fragments(self.fragments)
    }

    /// Sets the limits, from the next message on.
    pub fn set_limits(&mut self, limits: Limits) {
        (self.message_size, self.fragments) = (limits.message_size(), limits.fragments());
    }

    /// Returns how long the rest of the input must become before the frame at its start can be delivered, as far as
    /// known. A reader may size its buffer by this, but only as bytes arrive: it is only what the peer announced.
    #[must_use]
    pub fn wanted(&self) -> usize {
        match &self.state {
            State::Whole(frame) => frame.end(),
            State::Open(message) => message.wanted(),
            State::Start(_) | State::Closed => Header::MAX_LEN,
        }
    }

    /// Moves a small start of a fragmented message to an allocation of its own size, so that a peer that begins a
    /// message and waits pins no buffer of `pool`. To be called when the caller waits.
    pub fn park(&mut self, pool: &mut dyn Pool) {
        match &mut self.state {
            State::Open(message) => message.park(pool),
            State::Start(_) | State::Whole(_) | State::Closed => {}
        }
        if let Some(inflated) = self.extras.stage_mut() {
            inflated.park(pool);
        }
    }

    /// Returns whether there was a close frame or an error, after which nothing is found.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// Finds the common message, without the state machine: one whole frame in the input.
    #[inline]
    fn common_frame(&self, input: &[u8]) -> Option<InPlace> {
        if !self.expects_whole() {
            return None;
        }
        InPlace::at_start(input, self.expects_masks(), &self.limits())
    }

    /// Whether a message comes next and is wanted whole.
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

    /// Whether nothing is left and no message is under way, as after the last message of each burst.
    #[inline]
    const fn has_all(&self, input: &[u8]) -> bool {
        input.is_empty() && matches!(self.state, State::Start(None))
    }

    /// Ends decoding after an error.
    #[cold]
    fn close(&mut self, error: DecodeError) -> DecodeError {
        self.end();
        error
    }

    /// Ends decoding, and frees memory.
    fn end(&mut self) {
        self.state = State::Closed;
        self.extras.drop_stage();
    }

    /// Whether the peer must mask its frames.
    #[inline]
    const fn expects_masks(&self) -> bool {
        matches!(self.role, Role::Server)
    }
}
