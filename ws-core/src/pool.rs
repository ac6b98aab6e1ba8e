//! The source of the codec's memory. It is an argument, so that an idle connection can own none.

#[cfg(feature = "deflate")]
use crate::deflate::state::{Compressor, Decompressor};

/// Lends buffers to the codec and takes them back.
///
/// A caller with many connections keeps a few buffers per thread; [`Unpooled`] uses the allocator each time.
pub trait Pool {
    /// Returns an empty buffer of any capacity.
    fn take(&mut self) -> Vec<u8>;

    /// Returns an empty buffer in which `len` bytes will be queued at once. It need not be that large. By default
    /// [`take`](Self::take)'s.
    fn take_for(&mut self, len: usize) -> Vec<u8> {
        _ = len;
        self.take()
    }

    /// Takes back a buffer that is no longer needed, of any capacity and content.
    fn give(&mut self, buffer: Vec<u8>);

    /// Returns a state for compressing, with this level and window. By default a new one.
    #[cfg(feature = "deflate")]
    fn take_compressor(&mut self, level: u8, window_bits: u8) -> Compressor {
        Compressor::new(level, window_bits)
    }

    /// Takes back a state for compressing, which was reset. By default it is freed.
    #[cfg(feature = "deflate")]
    fn give_compressor(&mut self, compressor: Compressor) {
        drop(compressor);
    }

    /// Returns a state for decompressing. By default a new one.
    #[cfg(feature = "deflate")]
    fn take_decompressor(&mut self) -> Decompressor {
        Decompressor::new()
    }

    /// Takes back a state for decompressing. By default it is freed.
    #[cfg(feature = "deflate")]
    fn give_decompressor(&mut self, decompressor: Decompressor) {
        drop(decompressor);
    }
}

/// Up to this many bytes are moved out of a lent buffer while its user waits.
const SMALL_REMAINDER: usize = 16 * 1024;

/// Gives `buffer` back to the pool while its user waits, if little is left in it after the `done` bytes at its front;
/// the rest moves to memory of its own size. Returns whether it did.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Back(Vec<usize>);

    impl Pool for Back {
        fn take(&mut self) -> Vec<u8> {
            Vec::new()
        }

        fn give(&mut self, buffer: Vec<u8>) {
            self.0.push(buffer.capacity());
        }
    }

    #[test]
    fn a_lent_buffer_goes_back_where_at_most_16_kib_are_left_in_it() {
        const KIB: usize = 1024;
        for (capacity, done, left, goes) in [
            (128 * KIB, 5, 16 * KIB, true),
            (128 * KIB, 5, 16 * KIB + 1, false),
            (128 * KIB, 5, 0, true),
            (32 * KIB + 1, 0, 1, true),
            // As small as what would be left: it is nobody else's.
            (32 * KIB, 0, 1, false),
            (32 * KIB, 1, 0, true),
            (20, 0, 1, false),
            (0, 0, 0, false),
        ] {
            let (mut buffer, mut pool) = (Vec::with_capacity(capacity), Back::default());
            buffer.resize(done, b'x');
            buffer.resize(done + left, b'r');
            assert_eq!(park(&mut buffer, done, &mut pool), goes, "{capacity} {done} {left}");
            assert_eq!(pool.0, if goes { vec![capacity] } else { vec![] });
            assert_eq!(buffer.len(), if goes { left } else { done + left });
            assert!(!goes || buffer.iter().all(|byte| *byte == b'r'));
        }
    }

    #[test]
    fn a_buffer_of_no_pool_is_empty_and_has_no_memory_yet() {
        let buffer = Unpooled.take();
        assert_eq!((buffer.len(), buffer.capacity()), (0, 0));
    }
}
