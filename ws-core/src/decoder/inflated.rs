//! Compressed messages: decompressed as they arrive, and validated as they come out.

use std::mem;

use super::body::Body;
use super::frame_part::FramePart;
use super::step::{Found, Step};
use crate::deflate::Inflater;
use crate::error::DecodeError;
use crate::extras::Extras;
use crate::limits::Limits;
use crate::message::MessageKind;
use crate::message::piece::More;
use crate::pool::{self, Pool};

/// The decoder's decompression stage, with the state of the current message.
#[derive(Debug)]
pub(super) struct Inflated {
    inflater: Inflater,
    /// Bytes of the message that were decompressed so far.
    inflated: usize,
    /// Whether the current frame is decompressed.
    frame_over: bool,
    /// The current piece of a streamed message, or the last one delivered.
    piece: Vec<u8>,
    delivered: bool,
}

impl Inflated {
    #[cfg(feature = "deflate")]
    pub(super) const fn new(inflater: Inflater) -> Self {
        Self { inflater, inflated: 0, frame_over: false, piece: Vec::new(), delivered: false }
    }

    /// Begins a message.
    pub(super) fn begin(&mut self) {
        self.inflater.begin();
        self.inflated = 0;
    }

    /// Begins a frame.
    pub(super) const fn start_frame(&mut self) {
        self.frame_over = false;
    }

    pub(super) const fn is_frame_over(&self) -> bool {
        self.frame_over
    }

    /// Returns the piece that was delivered last.
    pub(super) fn piece(&self) -> &[u8] {
        &self.piece
    }

    /// Takes the piece that was delivered last.
    pub(super) fn take_piece(&mut self) -> Vec<u8> {
        mem::take(&mut self.piece)
    }

    /// Takes what has arrived of the frame, up to the end of a piece. The rest of a piece is delivered with the frame.
    pub(super) fn take(
        &mut self,
        part: &mut FramePart,
        (kind, body): (MessageKind, &mut Body),
        input: &mut [u8],
        limits: &Limits,
        pool: &mut dyn Pool,
    ) -> Result<Step, DecodeError> {
        self.forget_delivered();
        let mut used = 0;
        loop {
            if self.drain(kind, body, limits, pool)? {
                return Ok(Step::found(used, self.deliver(kind, More::Follows)));
            }
            if !self.inflater.is_drained()? {
                self.inflater.push(&[], pool);
            } else if !part.is_empty() {
                let data = part.unmask(&mut input[used..]);
                if data.is_empty() {
                    return Ok(Step { used, ..Step::STARVED });
                }
                let inflated = self.inflater.push(data, pool);
                part.advance(inflated);
                used += inflated;
            } else if !part.is_final() || self.inflater.push_tail(pool)? {
                self.frame_over = true;
                return Ok(match body {
                    Body::Streamed(..) if !part.is_final() && !self.piece.is_empty() => {
                        Step::found(used, self.deliver(kind, More::Follows))
                    }
                    Body::Streamed(..) | Body::Gathered(_) => Step::again(used),
                });
            }
        }
    }

    /// Ends the message; the rest of it is the last piece.
    pub(super) fn finish(&mut self, kind: MessageKind, pool: &mut dyn Pool) -> Found {
        self.end(pool);
        self.deliver(kind, More::Ended)
    }

    /// Ends the message; its state goes back to the pool.
    pub(super) fn end(&mut self, pool: &mut dyn Pool) {
        self.inflater.end(pool);
    }

    /// Frees memory that a message must not own while its reader waits.
    pub(super) fn park(&mut self, pool: &mut dyn Pool) {
        self.forget_delivered();
        pool::park(&mut self.piece, 0, pool);
    }

    /// Moves decompressed bytes into the message. Returns whether that filled a piece.
    fn drain(
        &mut self,
        kind: MessageKind,
        body: &mut Body,
        limits: &Limits,
        pool: &mut dyn Pool,
    ) -> Result<bool, DecodeError> {
        loop {
            let out = self.inflater.out();
            if out.is_empty() {
                return Ok(false);
            }
            let limit = limits.message_size();
            let fits = out.len().min(limit.saturating_sub(self.inflated));
            if fits == 0 {
                return Err(DecodeError::MessageTooBig { limit });
            }
            let (taken, full) = match body {
                Body::Gathered(assembler) => {
                    assembler.push(&out[..fits])?;
                    (fits, false)
                }
                Body::Streamed(utf8, chunk) => {
                    if self.piece.capacity() == 0 {
                        self.piece = pool.take();
                        self.piece.clear();
                    }
                    let fits = fits.min(chunk.get() - self.piece.len());
                    match kind {
                        MessageKind::Text => utf8.push(&out[..fits])?,
                        MessageKind::Binary => {}
                    }
                    self.piece.extend_from_slice(&out[..fits]);
                    (fits, self.piece.len() == chunk.get())
                }
            };
            self.inflater.take(taken);
            self.inflated += taken;
            if full {
                return Ok(true);
            }
        }
    }

    fn deliver(&mut self, kind: MessageKind, more: More) -> Found {
        self.delivered = true;
        Found::OwnPiece(kind, more)
    }

    fn forget_delivered(&mut self) {
        if mem::take(&mut self.delivered) {
            self.piece.clear();
        }
    }
}

/// Returns the decompression stage. Without one, no frame may be marked as compressed (RFC 6455, 5.2).
pub(super) fn stage(extras: &mut Extras<Inflated>) -> Result<&mut Inflated, DecodeError> {
    extras.stage_mut().ok_or(DecodeError::ReservedBit)
}
