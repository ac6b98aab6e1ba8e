//! Ciphertext on its way in or out, in memory that is the thread's: an idle stream owns none.

use std::cell::RefCell;
use std::mem;
use std::ops::Range;

/// Size of a pooled buffer in bytes: several records, so that a burst is one read and one write.
const POOLED: usize = 128 * 1024;

/// Maximum number of buffers that a thread keeps. A stream has one for each direction while bytes are there.
const KEPT: usize = 8;

thread_local! {
    static POOL: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Bytes, and the room behind them.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    /// Initialised throughout, so that nothing need be cleared before it is read into.
    memory: Vec<u8>,
    filled: Range<usize>,
}

impl Buffer {
    pub(super) fn is_empty(&self) -> bool {
        self.filled.is_empty()
    }

    pub(super) fn filled(&self) -> &[u8] {
        &self.memory[self.filled.clone()]
    }

    pub(super) fn filled_mut(&mut self) -> &mut [u8] {
        &mut self.memory[self.filled.clone()]
    }

    /// Returns all of the room, which is of at least this many bytes.
    pub(super) fn room(&mut self, least: usize) -> &mut [u8] {
        if self.memory.len() - self.filled.end < least {
            self.make_room(least);
        }
        &mut self.memory[self.filled.end..]
    }

    /// Adds what was put into the first bytes of the room.
    pub(super) fn add(&mut self, len: usize) {
        self.filled.end += len;
    }

    /// Adds a copy.
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        self.room(bytes.len())[..bytes.len()].copy_from_slice(bytes);
        self.add(bytes.len());
    }

    /// Removes bytes from the front. Memory without any goes back to the pool.
    pub(super) fn discard(&mut self, len: usize) {
        self.filled.start += len;
        if self.is_empty() {
            self.clear();
        }
    }

    /// Moves what is left out of pooled memory, to memory of its own size.
    pub(super) fn park(&mut self) {
        if self.memory.len() == POOLED {
            let rest = self.filled().to_vec();
            self.clear();
            (self.filled, self.memory) = (0..rest.len(), rest);
        }
    }

    /// Drops all bytes.
    pub(super) fn clear(&mut self) {
        self.filled = 0..0;
        give(mem::take(&mut self.memory));
    }

    fn make_room(&mut self, least: usize) {
        let len = self.filled.len();
        if self.memory.len() < len + least {
            let mut memory = take();
            if memory.len() < len + least {
                memory.resize(len + least, 0);
            }
            memory[..len].copy_from_slice(self.filled());
            give(mem::replace(&mut self.memory, memory));
        } else {
            self.memory.copy_within(self.filled.clone(), 0);
        }
        self.filled = 0..len;
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.clear();
    }
}

fn take() -> Vec<u8> {
    let kept = POOL.try_with(|pool| pool.borrow_mut().pop()).ok().flatten();
    kept.unwrap_or_else(|| vec![0; POOLED])
}

/// Keeps memory of the pool's; other memory is freed.
fn give(memory: Vec<u8>) {
    if memory.len() == POOLED {
        // There is no pool on a thread that is terminating.
        _ = POOL.try_with(|pool| {
            let mut pool = pool.borrow_mut();
            if pool.len() < KEPT {
                pool.push(memory);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pooled() -> usize {
        POOL.with_borrow(Vec::len)
    }

    #[test]
    fn memory_is_borrowed_while_bytes_are_there() {
        let mut buffer = Buffer::default();
        buffer.extend(b"a record");
        assert_eq!((buffer.memory.len(), pooled()), (POOLED, 0));
        buffer.discard(2);
        assert_eq!((buffer.filled(), pooled()), (&b"record"[..], 0));
        buffer.discard(6);
        assert_eq!((buffer.memory.len(), pooled()), (0, 1));
    }

    #[test]
    fn a_parked_rest_has_memory_of_its_own_size_and_grows_from_it() {
        let mut buffer = Buffer::default();
        buffer.extend(b"a record");
        buffer.discard(2);
        buffer.park();
        assert_eq!((buffer.memory.len(), pooled()), (6, 1));
        buffer.extend(b", continued");
        assert_eq!((buffer.filled(), pooled()), (&b"record, continued"[..], 0));
        drop(buffer);
        assert_eq!(pooled(), 1);
    }

    #[test]
    fn bytes_move_to_the_front_where_room_is_short_and_to_larger_memory_where_there_is_none() {
        let mut buffer = Buffer::default();
        buffer.extend(&[1; POOLED]);
        buffer.discard(POOLED - 3);
        assert!(buffer.room(POOLED - 3).len() == POOLED - 3);
        assert_eq!(buffer.filled(), [1; 3]);
        assert!(buffer.room(POOLED).len() >= POOLED);
        assert_eq!((buffer.filled(), pooled()), (&[1; 3][..], 1));
        buffer.clear();
        assert_eq!(pooled(), 1, "memory that grew is freed");
    }

    #[test]
    fn a_thread_keeps_a_few() {
        let buffers: Vec<_> = (0..2 * KEPT)
            .map(|_| {
                let mut buffer = Buffer::default();
                buffer.extend(b"x");
                buffer
            })
            .collect();
        drop(buffers);
        assert_eq!(pooled(), KEPT);
    }
}
