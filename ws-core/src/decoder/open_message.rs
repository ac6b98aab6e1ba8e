//! Messages in several frames, and those that are streamed or compressed: their bytes leave the input as they arrive.

use super::assembler::Assembler;
use super::body::Body;
use super::frame_part::FramePart;
use super::inflated::{Inflated, stage};
use super::step::{Found, Step};
use crate::error::DecodeError;
use crate::extras::Extras;
use crate::frame::header::Header;
use crate::limits::Limits;
use crate::message::MessageKind;
use crate::pool::Pool;

/// The current message.
#[derive(Debug)]
pub(super) struct OpenMessage {
    kind: MessageKind,
    coding: Coding,
    /// The limits when it began.
    limits: Limits,
    /// Payload bytes announced by its headers.
    announced: u64,
    frames: u32,
    body: Body,
    /// The current frame, without its header; `None` between frames.
    part: Option<FramePart>,
}

/// Whether its frames carry it plain or compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Plain,
    Deflated,
}

impl OpenMessage {
    pub(super) const fn new(kind: MessageKind, coding: Coding, limits: Limits, body: Body) -> Self {
        Self { kind, coding, limits, announced: 0, frames: 0, body, part: None }
    }

    /// Whether a frame's first byte is next.
    pub(super) const fn is_between_frames(&self) -> bool {
        self.part.is_none()
    }

    /// Starts a frame: counts it, and checks the total length.
    pub(super) fn start_frame(
        &mut self,
        header: &Header,
        extras: &mut Extras<Inflated>,
    ) -> Result<(), DecodeError> {
        self.frames = self.frames.saturating_add(1);
        self.limits.judge_frames(self.frames)?;
        self.announced = self.announced.saturating_add(header.len);
        match self.coding {
            Coding::Plain => self.limits.judge_size(self.announced)?,
            Coding::Deflated => {
                stage(extras)?.start_frame();
                self.limits.admit_deflated(self.announced, self.frames)?;
            }
        }
        self.part = Some(FramePart::new(header));
        Ok(())
    }

    /// Returns how much input is wanted at once.
    pub(super) fn wanted(&self) -> usize {
        match (&self.part, &self.body) {
            (None, _) => Header::MAX_LEN,
            (Some(part), Body::Streamed(_, chunk)) if self.coding == Coding::Plain => {
                part.next(chunk.get())
            }
            (Some(_), Body::Gathered(_) | Body::Streamed(..)) => 1,
        }
    }

    /// Frees memory that a message must not own while its reader waits.
    pub(super) fn park(&mut self, pool: &mut dyn Pool) {
        match &mut self.body {
            Body::Gathered(assembler) => assembler.park(pool),
            Body::Streamed(..) => {}
        }
    }

    /// Takes what has arrived of the frame.
    pub(super) fn take(
        &mut self,
        input: &mut [u8],
        extras: &mut Extras<Inflated>,
        pool: &mut dyn Pool,
    ) -> Result<Step, DecodeError> {
        let Some(part) = &mut self.part else { return Ok(Step::AGAIN) };
        let (step, over) = match (self.coding, &mut self.body) {
            (Coding::Plain, Body::Gathered(assembler)) => {
                (part.gather(assembler, input)?, part.is_empty())
            }
            (Coding::Plain, Body::Streamed(utf8, chunk)) => {
                (part.stream(self.kind, utf8, chunk.get(), input)?, part.is_empty())
            }
            (Coding::Deflated, body) => {
                let inflated = stage(extras)?;
                let message = (self.kind, body);
                let step = inflated.take(part, message, input, &self.limits, pool)?;
                (step, inflated.is_frame_over())
            }
        };
        if !over {
            return Ok(step);
        }
        if part.is_final() {
            return self.finish(step, extras, pool);
        }
        self.part = None;
        Ok(step)
    }

    /// The last step: the message is complete.
    fn finish(
        &mut self,
        step: Step,
        extras: &mut Extras<Inflated>,
        pool: &mut dyn Pool,
    ) -> Result<Step, DecodeError> {
        match &mut self.body {
            Body::Gathered(assembler) => _ = assembler.finish()?,
            Body::Streamed(utf8, _) => utf8.finish()?,
        }
        Ok(match (&self.body, self.coding) {
            (Body::Gathered(_), Coding::Plain) => Step::found(step.used, Found::Gathered),
            (Body::Gathered(_), Coding::Deflated) => {
                stage(extras)?.end(pool);
                Step::found(step.used, Found::Gathered)
            }
            (Body::Streamed(..), Coding::Plain) => step,
            (Body::Streamed(..), Coding::Deflated) => {
                Step::found(step.used, stage(extras)?.finish(self.kind, pool))
            }
        })
    }

    /// Returns what was assembled, which must be complete.
    pub(super) fn into_gathered(self) -> Option<Assembler> {
        match self.body {
            Body::Gathered(assembler) => Some(assembler),
            Body::Streamed(..) => None,
        }
    }
}
