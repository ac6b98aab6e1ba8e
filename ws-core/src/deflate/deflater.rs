//! Compressing the messages of one direction.

use bytes::Bytes;

use super::options::{CompressionOptions, Level, WindowBits};
use super::params::AgreedCompression;
use super::state::Compressor;
use crate::message::piece::More;
use crate::pool::Pool;
use crate::role::Role;

/// How each flush ends, and what no message ends with on the wire (RFC 7692, 7.2.1).
const TAIL: [u8; 4] = *b"\x00\x00\xff\xff";

/// Smallest message that is compressed without context, in bytes, by default.
const THRESHOLD_ALONE: usize = 512;

/// Smallest message that is compressed with context, in bytes, by default.
const THRESHOLD_IN_CONTEXT: usize = 128;

/// The compressing side of a connection.
#[derive(Debug)]
pub(crate) struct Deflater {
    level: Level,
    window: WindowBits,
    threshold: usize,
    context: Context,
}

/// The context kept between messages.
#[derive(Debug)]
enum Context {
    /// None: there is a state only inside a streamed message.
    Forgotten(Option<Compressor>),
    /// All of it: there is a state from the first message on.
    Kept(Option<Compressor>),
}

impl Deflater {
    /// Makes the stage for what this end sends; `None` if zlib can't write its window.
    pub(crate) fn new(
        role: Role,
        agreed: &AgreedCompression,
        options: &CompressionOptions,
    ) -> Option<Self> {
        let (forgets, bits) = match role {
            Role::Server => (agreed.server_no_context_takeover(), agreed.server_max_window_bits()),
            Role::Client => (agreed.client_no_context_takeover(), agreed.client_max_window_bits()),
        };
        let (context, threshold) = if forgets {
            (Context::Forgotten(None), THRESHOLD_ALONE)
        } else {
            (Context::Kept(None), THRESHOLD_IN_CONTEXT)
        };
        Some(Self {
            level: options.level,
            window: WindowBits::new(bits)?,
            threshold: options.threshold.unwrap_or(threshold),
            context,
        })
    }

    pub(crate) const fn threshold(&self) -> usize {
        self.threshold
    }

    pub(crate) fn set_threshold(&mut self, bytes: usize) {
        self.threshold = bytes;
    }

    /// A kept context is dropped with the old level, as may happen at any time between messages.
    pub(crate) fn set_level(&mut self, level: u8) {
        self.level = Level::nearest(level);
        if let Context::Kept(state) = &mut self.context {
            *state = None;
        }
    }

    /// Whether a message of `len` bytes, or one whose first piece is so long, is to be compressed.
    pub(crate) const fn wants(&self, len: usize) -> bool {
        len >= self.threshold
    }

    /// Whether no message is to be compressed.
    pub(crate) const fn is_off(&self) -> bool {
        self.threshold == usize::MAX
    }

    /// Compresses a whole message into memory of the pool; `None` if that doesn't make it shorter.
    pub(crate) fn message(&mut self, payload: &[u8], pool: &mut dyn Pool) -> Option<Vec<u8>> {
        let out = self.piece(payload, More::Ended, pool);
        match self.context {
            // It is in the peer's window now, so it has to be sent as it is.
            Context::Kept(_) => Some(out),
            Context::Forgotten(_) if out.len() < payload.len() => Some(out),
            Context::Forgotten(_) => {
                pool.give(out);
                None
            }
        }
    }

    /// Compresses a piece of a message into memory of the pool. The peer can decompress all of it as soon as it
    /// arrives.
    pub(crate) fn piece(&mut self, piece: &[u8], more: More, pool: &mut dyn Pool) -> Vec<u8> {
        let mut out = pool.take();
        out.clear();
        let (Context::Forgotten(state) | Context::Kept(state)) = &mut self.context;
        let (level, window) = (self.level.get(), self.window.get());
        let compressor = state.get_or_insert_with(|| pool.take_compressor(level, window));
        compressor.deflate(piece, &mut out);
        if more == More::Ended {
            cut_tail(&mut out);
            self.end(pool);
        }
        out
    }

    /// Ends a message: a state without context goes back to the pool.
    fn end(&mut self, pool: &mut dyn Pool) {
        if let Context::Forgotten(state) = &mut self.context {
            if let Some(mut compressor) = state.take() {
                compressor.reset();
                pool.give_compressor(compressor);
            }
        }
    }

    /// Whether a message of `len` bytes that was compressed by itself can be sent here. It enters the peer's window but
    /// not ours, so we must keep no context, and the peer's window must be large enough for all of it.
    pub(crate) fn can_share(&self, len: usize) -> bool {
        match self.context {
            Context::Kept(_) => false,
            Context::Forgotten(_) => self.wants(len) && window_for(len) <= self.window,
        }
    }

    /// Compresses a message for all connections that can share it.
    pub(crate) fn share(&self, payload: &[u8], pool: &mut dyn Pool) -> Bytes {
        let window = window_for(payload.len());
        let mut compressor = pool.take_compressor(self.level.get(), window.get());
        let mut out = Vec::new();
        compressor.deflate(payload, &mut out);
        compressor.reset();
        pool.give_compressor(compressor);
        cut_tail(&mut out);
        out.into()
    }
}

/// Returns the smallest window that has all of `len` bytes in reach, if any.
fn window_for(len: usize) -> WindowBits {
    let bits = usize::BITS - len.saturating_add(OUT_OF_REACH).leading_zeros();
    WindowBits::nearest(bits as u8)
}

/// How many bytes of a window zlib never refers back to.
const OUT_OF_REACH: usize = 262;

/// Removes what the peer appends again. A flush that had nothing to write leaves an empty stored block to be begun
/// (7.2.3.6).
fn cut_tail(out: &mut Vec<u8>) {
    match out.strip_suffix(&TAIL) {
        Some(rest) => out.truncate(rest.len()),
        None => out.push(0),
    }
}
