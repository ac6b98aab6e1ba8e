//! Where the codec's memory comes from: an argument, so that an idle connection can own none.

#[cfg(feature = "deflate")]
use crate::deflate::state::{Compressor, Decompressor};

/// Lends buffers to the codec and takes them back.
///
/// A caller with many connections keeps a few buffers per thread; [`Unpooled`] asks the allocator each time.
pub trait Pool {
    /// An empty buffer, with whatever capacity is at hand.
    fn take(&mut self) -> Vec<u8>;

    /// Takes back a buffer that is no longer needed. It may be of any capacity and hold anything.
    fn give(&mut self, buffer: Vec<u8>);

    /// A state that deflates, at this level and with this window. Made anew unless a pool keeps some.
    #[cfg(feature = "deflate")]
    fn take_compressor(&mut self, level: u8, window_bits: u8) -> Compressor {
        Compressor::new(level, window_bits)
    }

    /// Takes back a state that deflates, which has forgotten all that it saw. Freed unless a pool keeps some.
    #[cfg(feature = "deflate")]
    fn give_compressor(&mut self, compressor: Compressor) {
        drop(compressor);
    }

    /// A state that inflates. Made anew unless a pool keeps some.
    #[cfg(feature = "deflate")]
    fn take_decompressor(&mut self) -> Decompressor {
        Decompressor::new()
    }

    /// Takes back a state that inflates. Freed unless a pool keeps some.
    #[cfg(feature = "deflate")]
    fn give_decompressor(&mut self, decompressor: Decompressor) {
        drop(decompressor);
    }
}

/// What is left in a lent buffer moves out of it while its user waits, where it is no more than so many bytes.
const SMALL_REMAINDER: usize = 16 * 1024;

/// Gives `buffer` back to the pool where its user waits with little in it, less than `done` bytes at its front: what
/// is left moves to memory of its own size. Returns whether it did.
pub(crate) fn park(buffer: &mut Vec<u8>, done: usize, pool: &mut dyn Pool) -> bool {
    let left = buffer.len() - done;
    let lent = buffer.capacity() > 2 * SMALL_REMAINDER || left == 0 && buffer.capacity() > 0;
    if !lent || left > SMALL_REMAINDER {
        return false;
    }
    let rest = buffer[done..].to_vec();
    pool.give(std::mem::replace(buffer, rest));
    true
}

/// A pool that holds nothing: every buffer is new, and freed after use.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unpooled;

impl Pool for Unpooled {
    fn take(&mut self) -> Vec<u8> {
        Vec::new()
    }

    fn give(&mut self, _: Vec<u8>) {}
}
