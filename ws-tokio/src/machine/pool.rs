//! Buffers that belong to the thread and are lent to busy connections; an idle connection owns none.

use std::cell::RefCell;

use bytes::BytesMut;
use ws_core::Pool;
#[cfg(feature = "deflate")]
use ws_core::deflate::{Compressor, Decompressor};

/// Size of a pooled buffer in bytes, and so the most that one read can bring.
pub(crate) const BUFFER: usize = 128 * 1024;

/// Most buffers that a thread keeps for reading, and as many for writing.
const KEPT: usize = 8;

/// Most states that a thread keeps for compressing (250 to 380 KiB each), and as many for decompressing (64 KiB each).
/// Only a message that is streamed holds one while its task waits.
#[cfg(feature = "deflate")]
const KEPT_STATES: usize = 4;

thread_local! {
    static READ: RefCell<Vec<BytesMut>> = const { RefCell::new(Vec::new()) };
    static WRITE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

#[cfg(feature = "deflate")]
thread_local! {
    static DEFLATE: RefCell<Vec<Compressor>> = const { RefCell::new(Vec::new()) };
    static INFLATE: RefCell<Vec<Decompressor>> = const { RefCell::new(Vec::new()) };
}

/// Takes an empty buffer for reading.
pub(crate) fn take_read() -> BytesMut {
    let kept = READ.try_with(|pool| pool.borrow_mut().pop()).ok().flatten();
    kept.unwrap_or_else(|| BytesMut::with_capacity(BUFFER))
}

/// Takes a buffer back, unless it has grown for a large message or is still shared by messages.
pub(crate) fn give_read(mut buffer: BytesMut) {
    buffer.clear();
    if buffer.capacity() <= BUFFER && buffer.try_reclaim(BUFFER) && buffer.capacity() <= 2 * BUFFER
    {
        // On a thread that is ending there is no pool: the buffer is freed.
        _ = READ.try_with(|pool| keep(&mut pool.borrow_mut(), buffer));
    }
}

fn keep<B>(pool: &mut Vec<B>, buffer: B) {
    if pool.len() < KEPT {
        pool.push(buffer);
    }
}

/// This thread's buffers for writing and for assembling messages.
pub(crate) struct ThreadPool;

impl Pool for ThreadPool {
    fn take(&mut self) -> Vec<u8> {
        let kept = WRITE.try_with(|pool| pool.borrow_mut().pop()).ok().flatten();
        kept.unwrap_or_else(|| Vec::with_capacity(BUFFER))
    }

    fn give(&mut self, mut buffer: Vec<u8>) {
        buffer.clear();
        if (BUFFER..=2 * BUFFER).contains(&buffer.capacity()) {
            _ = WRITE.try_with(|pool| keep(&mut pool.borrow_mut(), buffer));
        }
    }

    #[cfg(feature = "deflate")]
    fn take_compressor(&mut self, level: u8, window_bits: u8) -> Compressor {
        let like = |kept: &Compressor| (kept.level(), kept.window_bits()) == (level, window_bits);
        let kept = DEFLATE.try_with(|pool| {
            let mut pool = pool.borrow_mut();
            pool.iter().position(like).map(|index| pool.remove(index))
        });
        kept.ok().flatten().unwrap_or_else(|| Compressor::new(level, window_bits))
    }

    #[cfg(feature = "deflate")]
    fn give_compressor(&mut self, compressor: Compressor) {
        _ = DEFLATE.try_with(|pool| keep_newest(&mut pool.borrow_mut(), compressor));
    }

    #[cfg(feature = "deflate")]
    fn take_decompressor(&mut self) -> Decompressor {
        INFLATE.try_with(|pool| pool.borrow_mut().pop()).ok().flatten().unwrap_or_default()
    }

    #[cfg(feature = "deflate")]
    fn give_decompressor(&mut self, decompressor: Decompressor) {
        _ = INFLATE.try_with(|pool| keep_newest(&mut pool.borrow_mut(), decompressor));
    }
}

/// Keeps a state, in place of the oldest if there are too many.
#[cfg(feature = "deflate")]
fn keep_newest<T>(pool: &mut Vec<T>, state: T) {
    if pool.len() == KEPT_STATES {
        pool.remove(0);
    }
    pool.push(state);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_that_a_message_shares_is_not_pooled() {
        let mut buffer = take_read();
        buffer.extend_from_slice(&[7; 4096]);
        let message = buffer.split_to(4096).freeze();
        give_read(buffer);
        assert!(READ.with(|pool| pool.borrow().is_empty()));
        assert_eq!(message, &[7; 4096][..]);
    }

    #[test]
    fn a_whole_buffer_comes_back_whole_after_its_messages_are_gone() {
        let mut buffer = take_read();
        buffer.extend_from_slice(&[7; 4096]);
        drop(buffer.split_to(4096).freeze());
        give_read(buffer);
        let buffer = take_read();
        assert_eq!((buffer.len(), buffer.capacity()), (0, BUFFER));
    }

    #[test]
    fn a_thread_keeps_a_few_buffers_and_none_that_grew() {
        for _ in 0..2 * KEPT {
            give_read(BytesMut::with_capacity(BUFFER));
            ThreadPool.give(Vec::with_capacity(BUFFER));
        }
        assert_eq!(READ.with(|pool| pool.borrow().len()), KEPT);
        assert_eq!(WRITE.with(|pool| pool.borrow().len()), KEPT);
        WRITE.with(|pool| pool.borrow_mut().clear());
        ThreadPool.give(Vec::with_capacity(16 * BUFFER));
        assert!(WRITE.with(|pool| pool.borrow().is_empty()));
    }

    #[cfg(feature = "deflate")]
    #[test]
    fn a_thread_keeps_a_few_compressors_by_level_and_window_the_newest() {
        for level in 1..=6 {
            let compressor = ThreadPool.take_compressor(level, 9);
            ThreadPool.give_compressor(compressor);
            let decompressor = ThreadPool.take_decompressor();
            ThreadPool.give_decompressor(decompressor);
        }
        assert_eq!(INFLATE.with(|pool| pool.borrow().len()), 1);
        let levels =
            || DEFLATE.with(|pool| pool.borrow().iter().map(Compressor::level).collect::<Vec<_>>());
        assert_eq!(levels(), [3, 4, 5, 6]);
        let compressor = ThreadPool.take_compressor(4, 9);
        assert_eq!((compressor.level(), levels()), (4, vec![3, 5, 6]));
        assert_eq!((ThreadPool.take_compressor(5, 15).window_bits(), levels().len()), (15, 3));
    }
}
