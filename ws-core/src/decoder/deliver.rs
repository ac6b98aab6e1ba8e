//! Turning what a step found into an event, borrowed or owned.

use std::mem;

use bytes::BytesMut;
use ws_mask::MaskKey;

use super::Decoder;
use super::assembler::Assembler;
use super::control::unmasked;
use super::event::{Event, OwnedEvent};
use super::inflated::Inflated;
use super::state::State;
use super::step::Found;
use crate::error::DecodeError;
use crate::message::piece::{Piece, PieceRef};
use crate::pool::Pool;
use crate::text::utf8_bytes::take_out;

impl Decoder {
    /// Returns the event, borrowed.
    #[inline]
    pub(super) fn lend<'a>(
        &'a mut self,
        found: Found,
        input: &'a mut [u8],
    ) -> Result<Event<'a>, DecodeError> {
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

    /// Returns the event, owned. A payload in the input is taken out of its front.
    pub(super) fn take(
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
}

/// Finding an assembled message and keeping it are one step.
const NOT_KEPT: &str = "a message is kept in the step that finds it";
