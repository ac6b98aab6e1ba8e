//! Per-thread buffer pools. Busy connections borrow from them; an idle connection owns no buffers.

use std::cell::RefCell;

use bytes::BytesMut;
use ws_core::Pool;
#[cfg(feature = "deflate")]
use ws_core::deflate::{Compressor, Decompressor};

/// Size of a pooled buffer in bytes; the most that one read into it returns.
pub(crate) const BUFFER: usize = 128 * 1024;

/// Maximum number of buffers that a thread keeps for reading, and for writing.
const KEPT: usize = 8;

/// Maximum size in bytes of the one buffer for writing that a thread keeps although it grew. A message of 1 MiB, the default
/// limit, fits: to allocate that much for each would cost page faults.
const GROWN: usize = 2 << 20;

/// Maximum number of states that a thread keeps for compressing (250 to 380 KiB each), and for decompressing (64 KiB
/// each). Only a streamed message holds one while its task waits.
#[cfg(feature = "deflate")]
const KEPT_STATES: usize = 4;

thread_local! {
    static READ: RefCell<Vec<BytesMut>> = const { RefCell::new(Vec::new()) };
    static WRITE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
    static WRITE_GROWN: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

#[cfg(feature = "deflate")]
thread_local! {
    static DEFLATE: RefCell<Vec<Compressor>> = const { RefCell::new(Vec::new()) };
    static INFLATE: RefCell<Vec<Decompressor>> = const { RefCell::new(Vec::new()) };
}

/// Takes an empty read buffer.
pub(crate) fn take_read() -> BytesMut {
    let kept = READ.try_with(|pool| pool.borrow_mut().pop()).ok().flatten();
    kept.unwrap_or_else(|| BytesMut::with_capacity(BUFFER))
}

/// Returns a read buffer to the pool, unless it has grown for a large message or messages still share it.
pub(crate) fn give_read(mut buffer: BytesMut) {
    buffer.clear();
    if buffer.capacity() <= BUFFER && buffer.try_reclaim(BUFFER) && buffer.capacity() <= 2 * BUFFER
    {
        // There is no pool on a thread that is terminating; the buffer is freed.
        _ = READ.try_with(|pool| keep(&mut pool.borrow_mut(), buffer));
    }
}

fn keep<B>(pool: &mut Vec<B>, buffer: B) {
    if pool.len() < KEPT {
        pool.push(buffer);
    }
}

/// The thread's buffers for writing and for assembling messages.
pub(crate) struct ThreadPool;

impl Pool for ThreadPool {
    fn take(&mut self) -> Vec<u8> {
        let kept = WRITE.try_with(|pool| pool.borrow_mut().pop()).ok().flatten();
        kept.unwrap_or_else(|| Vec::with_capacity(BUFFER))
    }

    fn take_for(&mut self, len: usize) -> Vec<u8> {
        if len > BUFFER {
            let grown = WRITE_GROWN.try_with(|grown| grown.take()).unwrap_or_default();
            if grown.capacity() >= len {
                return grown;
            }
            self.give(grown);
        }
        self.take()
    }

    fn give(&mut self, mut buffer: Vec<u8>) {
        buffer.clear();
        if (BUFFER..=2 * BUFFER).contains(&buffer.capacity()) {
            _ = WRITE.try_with(|pool| keep(&mut pool.borrow_mut(), buffer));
        } else if (2 * BUFFER..=GROWN).contains(&buffer.capacity()) {
            _ = WRITE_GROWN.try_with(|grown| {
                let mut grown = grown.borrow_mut();
                if grown.capacity() < buffer.capacity() {
                    *grown = buffer;
                }
            });
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

/// Keeps a state, replacing the oldest if the pool is full.
#[cfg(feature = "deflate")]
fn keep_newest<T>(pool: &mut Vec<T>, state: T) {
    if pool.len() == KEPT_STATES {
        pool.remove(0);
    }
    pool.push(state);
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

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

    /// A task that waits with a buffer may go on, and give it back, on another thread.
    #[test]
    fn buffers_that_move_to_other_threads_are_kept_up_to_each_threads_own_bound() {
        let (give, given) = mpsc::channel();
        let giving = thread::spawn(move || {
            for _ in 0..10 * KEPT {
                give.send((take_read(), ThreadPool.take())).expect("the other thread takes them");
            }
            READ.with_borrow(Vec::len) + WRITE.with_borrow(Vec::len)
        });
        for (read, write) in given {
            give_read(read);
            ThreadPool.give(write);
        }
        assert_eq!(giving.join().expect("no panic"), 0);
        assert_eq!((READ.with_borrow(Vec::len), WRITE.with_borrow(Vec::len)), (KEPT, KEPT));
    }

    #[test]
    fn a_thread_keeps_the_largest_of_the_write_buffers_that_grew_for_a_message_of_its_size() {
        for capacity in [4 * BUFFER, 8 * BUFFER, 6 * BUFFER, GROWN + 1] {
            ThreadPool.give(Vec::with_capacity(capacity));
        }
        assert_eq!(ThreadPool.take_for(BUFFER).capacity(), BUFFER);
        assert_eq!(ThreadPool.take_for(9 * BUFFER).capacity(), BUFFER);
        assert_eq!(ThreadPool.take_for(7 * BUFFER).capacity(), 8 * BUFFER);
        assert_eq!(ThreadPool.take_for(7 * BUFFER).capacity(), BUFFER);
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
