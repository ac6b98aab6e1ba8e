//! The state machine for every frame but the common one.

use bytes::{Buf, BytesMut};

use super::Decoder;
use super::event::{Event, OwnedEvent};
use super::fragments::Fragments;
use super::state::State;
use super::step::{Found, Outcome, Step};
use crate::error::DecodeError;
use crate::pool::Pool;

impl Decoder {
    /// Decodes any other frame. Out of line, so that the common frame's few steps are inlined into the caller's loop.
    #[inline(never)]
    pub(super) fn decode_any<'a>(
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

    #[inline(never)]
    pub(super) fn decode_any_owned(
        &mut self,
        input: &mut BytesMut,
        pool: &mut dyn Pool,
    ) -> Result<Option<OwnedEvent>, DecodeError> {
        if let Some(message) = self.common_frame(input) {
            return self.taken(message.take(input));
        }
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

    /// The second common case: all fragments of a message are in the input.
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

    /// Finds the event of any other frame, step by step.
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
                    self.state.forget_last(pool);
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
                    self.state.end_message();
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
}
