//! A compressed message: its bytes are taken away as they arrive, and what they inflate to is judged as it comes.

use std::mem;

use super::assembler::Assembler;
use super::parts::FramePart;
use super::step::{Found, Step};
use crate::deflate::{Inflater, Inflating};
use crate::error::DecodeError;
use crate::limits::Limits;
use crate::message::{MessageKind, More};
use crate::pool::{self, Pool};
use crate::utf8::Utf8;

/// The message so far.
#[derive(Debug)]
pub(super) struct Inflated {
    inflating: Inflating,
    sink: Sink,
    limits: Limits,
    /// How many bytes went into the sink.
    inflated: usize,
    /// Whether all of the frame under way is inflated.
    frame_over: bool,
}

/// Where what comes out goes.
#[derive(Debug)]
pub(super) enum Sink {
    /// Into one message.
    Gathered(Assembler),
    /// To the user, in pieces.
    Pieces(Pieces),
}

impl Inflated {
    pub(super) fn new(inflating: Inflating, sink: Sink, limits: Limits) -> Self {
        Self { inflating, sink, limits, inflated: 0, frame_over: false }
    }

    /// Begins a frame, of a message that has come to this length on the wire.
    pub(super) fn start_frame(&mut self, announced: u64, frames: u32) -> Result<(), DecodeError> {
        self.frame_over = false;
        self.limits.admit_deflated(announced, frames)
    }

    pub(super) const fn is_frame_over(&self) -> bool {
        self.frame_over
    }

    /// Takes what has arrived of the frame, up to a piece's end. The rest of a piece is delivered with the frame.
    pub(super) fn take(
        &mut self,
        part: &mut FramePart,
        input: &mut [u8],
        pool: &mut dyn Pool,
    ) -> Result<Step, DecodeError> {
        let mut used = 0;
        loop {
            if self.drain(pool)? {
                return Ok(self.piece(used));
            }
            if !self.inflating.is_drained()? {
                self.inflating.push(&[]);
            } else if !part.is_empty() {
                let data = part.unmask(&mut input[used..]);
                if data.is_empty() {
                    return Ok(Step { used, ..Step::STARVED });
                }
                let inflated = self.inflating.push(data);
                part.advance(inflated);
                used += inflated;
            } else if !part.is_final() || self.inflating.push_tail()? {
                self.frame_over = true;
                return Ok(match (&self.sink, part.is_final()) {
                    (Sink::Pieces(pieces), false) if !pieces.piece.is_empty() => self.piece(used),
                    (Sink::Pieces(_) | Sink::Gathered(_), _) => Step::again(used),
                });
            }
        }
    }

    /// Moves what came out into the sink; whether that filled a piece.
    fn drain(&mut self, pool: &mut dyn Pool) -> Result<bool, DecodeError> {
        loop {
            let out = self.inflating.out();
            if out.is_empty() {
                return Ok(false);
            }
            let limit = self.limits.message_size();
            let fits = out.len().min(limit.saturating_sub(self.inflated));
            if fits == 0 {
                return Err(DecodeError::MessageTooBig { limit });
            }
            let taken = self.sink.push(&out[..fits], pool)?;
            self.inflating.take(taken);
            self.inflated += taken;
            if self.sink.is_full() {
                return Ok(true);
            }
        }
    }

    /// Delivers the piece under way.
    fn piece(&mut self, used: usize) -> Step {
        match &mut self.sink {
            Sink::Gathered(_) => Step::again(used),
            Sink::Pieces(pieces) => Step::found(used, pieces.deliver(More::Follows)),
        }
    }

    /// Ends the message, of which all is inflated.
    pub(super) fn finish(
        self,
        used: usize,
        home: &mut Option<Box<Inflater>>,
        pool: &mut dyn Pool,
    ) -> Result<Step, DecodeError> {
        *home = Some(self.inflating.end(pool));
        let found = match self.sink {
            Sink::Gathered(assembler) => {
                assembler.finish()?;
                Found::Gathered(assembler)
            }
            Sink::Pieces(mut pieces) => {
                pieces.utf8.finish()?;
                pieces.deliver(More::Ended)
            }
        };
        Ok(Step::found(used, found))
    }

    /// Gives memory back that a message under way must not own while its reader waits.
    pub(super) fn park(&mut self, pool: &mut dyn Pool) {
        match &mut self.sink {
            Sink::Gathered(assembler) => assembler.park(pool),
            Sink::Pieces(pieces) => _ = pool::park(&mut pieces.piece, 0, pool),
        }
    }
}

impl Sink {
    /// Takes bytes, up to a piece's end, and judges them; says how many.
    fn push(&mut self, data: &[u8], pool: &mut dyn Pool) -> Result<usize, DecodeError> {
        match self {
            Self::Gathered(assembler) => {
                assembler.push(data)?;
                Ok(data.len())
            }
            Self::Pieces(pieces) => pieces.push(data, pool),
        }
    }

    fn is_full(&self) -> bool {
        match self {
            Self::Gathered(_) => false,
            Self::Pieces(pieces) => pieces.piece.len() == pieces.chunk,
        }
    }
}

/// A message that is delivered in pieces, and the one under way.
#[derive(Debug)]
pub(super) struct Pieces {
    kind: MessageKind,
    utf8: Utf8,
    chunk: usize,
    piece: Vec<u8>,
}

impl Pieces {
    pub(super) const fn new(kind: MessageKind, chunk: usize) -> Self {
        Self { kind, utf8: Utf8::new(), chunk, piece: Vec::new() }
    }

    fn push(&mut self, data: &[u8], pool: &mut dyn Pool) -> Result<usize, DecodeError> {
        if self.piece.capacity() == 0 {
            self.piece = pool.take();
            self.piece.clear();
        }
        let fits = &data[..data.len().min(self.chunk - self.piece.len())];
        match self.kind {
            MessageKind::Text => self.utf8.push(fits)?,
            MessageKind::Binary => {}
        }
        self.piece.extend_from_slice(fits);
        Ok(fits.len())
    }

    fn deliver(&mut self, more: More) -> Found {
        Found::OwnPiece(self.kind, Assembler::Binary(mem::take(&mut self.piece)), more)
    }
}
