//! A message in several frames, or one that is streamed or compressed: its bytes are taken away as they arrive.

use std::num::NonZeroUsize;

use ws_mask::{MaskKey, mask};

use super::State;
use super::assembler::Assembler;
use super::inflated::Inflated;
use super::step::{Found, Step};
use crate::deflate::Inflater;
use crate::error::DecodeError;
use crate::header::Header;
use crate::limits::Limits;
use crate::message::{MessageKind, More};
use crate::pool::Pool;
use crate::utf8::Utf8;

/// The message so far.
#[derive(Debug)]
pub(super) struct OpenMessage {
    kind: MessageKind,
    /// Those that held when it began.
    limits: Limits,
    /// Payload bytes that its headers announced.
    announced: u64,
    frames: u32,
    body: Body,
}

/// Where its bytes go.
#[derive(Debug)]
pub(super) enum Body {
    Gathered(Assembler),
    /// To the user, in pieces of at most so many bytes.
    Streamed(Utf8, NonZeroUsize),
    /// Through the inflater, and then either way.
    Inflated(Inflated),
}

/// The rest of the frame under way.
#[derive(Debug)]
pub(super) struct FramePart {
    fin: bool,
    /// Payload bytes that are not taken away.
    left: u64,
    /// Of these, how many are unmasked and judged.
    touched: usize,
    /// The key for the byte behind them.
    key: MaskKey,
}

impl OpenMessage {
    pub(super) const fn new(kind: MessageKind, limits: Limits, body: Body) -> Self {
        Self { kind, limits, announced: 0, frames: 0, body }
    }

    /// Counts a frame, and judges its length together with those before it.
    pub(super) fn start_frame(&mut self, header: &Header) -> Result<FramePart, DecodeError> {
        self.frames = self.frames.saturating_add(1);
        self.limits.judge_frames(self.frames)?;
        self.announced = self.announced.saturating_add(header.len);
        match &mut self.body {
            Body::Gathered(_) | Body::Streamed(..) => self.limits.judge_size(self.announced)?,
            Body::Inflated(body) => {
                body.start_frame();
                self.limits.admit_deflated(self.announced, self.frames)?;
            }
        }
        Ok(FramePart { fin: header.fin, left: header.len, touched: 0, key: header.key() })
    }

    /// How much of the frame is wanted at once.
    pub(super) fn wanted(&self, part: &FramePart) -> usize {
        match self.body {
            Body::Gathered(_) | Body::Inflated(_) => 1,
            Body::Streamed(_, chunk) => part.next(chunk.get()),
        }
    }

    /// Gives memory back that a message under way must not own while its reader waits.
    pub(super) fn park(&mut self, pool: &mut dyn Pool) {
        match &mut self.body {
            Body::Gathered(assembler) => assembler.park(pool),
            Body::Streamed(..) => {}
            Body::Inflated(body) => body.park(pool),
        }
    }

    /// Takes what has arrived of the frame. At the message's end, the inflater that it had goes `home`.
    pub(super) fn take(
        mut self,
        mut part: FramePart,
        input: &mut [u8],
        home: &mut Option<Box<Inflater>>,
        pool: &mut dyn Pool,
    ) -> Result<(State, Step), DecodeError> {
        let step = match &mut self.body {
            Body::Gathered(assembler) => part.gather(assembler, input)?,
            Body::Streamed(utf8, chunk) => part.stream(self.kind, utf8, chunk.get(), input)?,
            Body::Inflated(body) => body.take(&mut part, input, &self.limits, pool)?,
        };
        if !self.body.is_over(&part) {
            return Ok((State::Inside(self, part), step));
        }
        if !part.fin {
            return Ok((State::Between(self), step));
        }
        let last = match self.body {
            Body::Gathered(assembler) => {
                assembler.finish()?;
                Step::found(step.used, Found::Gathered(assembler))
            }
            Body::Streamed(utf8, _) => {
                utf8.finish()?;
                step
            }
            Body::Inflated(body) => body.finish(step.used, home, pool)?,
        };
        Ok((State::Start, last))
    }
}

impl Body {
    /// Whether all of the frame is dealt with.
    const fn is_over(&self, part: &FramePart) -> bool {
        match self {
            Self::Gathered(_) | Self::Streamed(..) => part.is_empty(),
            Self::Inflated(body) => body.is_frame_over(),
        }
    }
}

impl FramePart {
    pub(super) const fn is_empty(&self) -> bool {
        self.left == 0
    }

    pub(super) const fn is_final(&self) -> bool {
        self.fin
    }

    /// What has arrived of the rest, unmasked.
    pub(super) fn unmask<'a>(&mut self, input: &'a mut [u8]) -> &'a [u8] {
        let here = self.next(input.len());
        self.key = mask(&mut input[self.touched..here], self.key);
        self.touched = here;
        &input[..here]
    }

    /// Takes unmasked bytes away.
    pub(super) fn advance(&mut self, bytes: usize) {
        self.touched -= bytes;
        self.left -= bytes as u64;
    }

    /// The rest of the frame, or so many bytes of it.
    fn next(&self, most: usize) -> usize {
        usize::try_from(self.left).map_or(most, |left| left.min(most))
    }

    fn gather(&mut self, assembler: &mut Assembler, input: &mut [u8]) -> Result<Step, DecodeError> {
        let fresh = self.next(input.len());
        self.key = assembler.unmask(&mut input[..fresh], self.key)?;
        self.left -= fresh as u64;
        Ok(if self.left == 0 { Step::again(fresh) } else { Step { used: fresh, ..Step::STARVED } })
    }

    fn stream(
        &mut self,
        kind: MessageKind,
        utf8: &mut Utf8,
        chunk: usize,
        input: &mut [u8],
    ) -> Result<Step, DecodeError> {
        let piece = self.next(chunk);
        let fresh = self.touched..piece.min(input.len());
        self.touched += fresh.len();
        self.key = match kind {
            MessageKind::Text => utf8.unmask(&mut input[fresh], self.key)?,
            MessageKind::Binary => mask(&mut input[fresh], self.key),
        };
        if self.touched < piece {
            return Ok(Step::STARVED);
        }
        self.touched = 0;
        self.left -= piece as u64;
        let more = if self.fin && self.left == 0 { More::Ended } else { More::Follows };
        Ok(Step::found(piece, Found::Piece(kind, 0..piece, more)))
    }
}
