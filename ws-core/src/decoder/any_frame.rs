//! Every frame but the common one: the state machine that judges a frame beside those before it.

use bytes::{Buf, BytesMut};

use super::assembler::Assembler;
use super::body::Body;
use super::control::control;
use super::fragments::Fragments;
use super::inflated::stage;
use super::open_message::{Coding, OpenMessage};
use super::state::State;
use super::step::{ControlKind, Found, Outcome, Step};
use super::whole::WholeFrame;
use super::{Decoder, Delivery};
use crate::error::DecodeError;
use crate::header::Header;
use crate::message::{Event, MessageKind, OwnedEvent};
use crate::opcode::Opcode;
use crate::pool::Pool;
use crate::utf8::Utf8;

impl Decoder {
    /// Any other frame: out of line, so that the common one's few steps can stand in the caller's loop.
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
                self.state.forget_last(pool);
                self.state = State::Whole(WholeFrame::new(kind, header, header_len, len));
                return Ok(Step::AGAIN);
            }
            Delivery::Messages => Body::Gathered(Assembler::new(kind, self.state.memory(pool))),
            Delivery::Pieces(chunk) => {
                self.state.forget_last(pool);
                Body::Streamed(Utf8::new(), chunk)
            }
        };
        let mut message = OpenMessage::new(kind, coding, self.limits(), body);
        message.start_frame(header, &mut self.extras)?;
        self.state = State::Open(message);
        Ok(Step::again(header_len))
    }
}
