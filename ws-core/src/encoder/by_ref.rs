//! Payloads that are queued by reference. A client's are masked on the way out, a chunk at a time: so a copy of them never
//! leaves the cache, and a large one needs no memory of its size.

use std::collections::VecDeque;
use std::iter;

use bytes::{Buf, Bytes};
use ws_mask::{MaskKey, mask, mask_extend};

/// Bytes of a payload that are masked at a time, and the most that are masked into the queue at once.
///
/// Each chunk is a write of its own, which a kernel takes 5 us for; one twice as large no longer fits into most caches.
pub(super) const CHUNK: usize = 512 * 1024;

/// One or more payloads, in order.
#[derive(Debug)]
pub(super) struct ByRefs {
    pub(super) first: ByRef,
    pub(super) rest: VecDeque<ByRef>,
    /// Their total length in bytes.
    pub(super) len: usize,
}

/// A payload that is written when the buffer is written up to `at`.
#[derive(Debug)]
pub(super) struct ByRef {
    pub(super) at: usize,
    /// What is not in the buffer. Invariant: not empty.
    pub(super) payload: Bytes,
    /// The key for its first byte, if it has to be masked. Invariant: then the buffer is not written up to `at`.
    pub(super) key: Option<MaskKey>,
}

impl ByRefs {
    pub(super) fn iter(&self) -> impl Iterator<Item = &ByRef> {
        iter::once(&self.first).chain(&self.rest)
    }

    /// Bytes were put into the front of the buffer, or removed there.
    pub(super) fn shift(&mut self, at: impl Fn(usize) -> usize) {
        for entry in iter::once(&mut self.first).chain(&mut self.rest) {
            entry.at = at(entry.at);
        }
    }

    /// Masks the next chunk of the first payload into the buffer, which is written up to there. Returns how much of the
    /// buffer's front is still written.
    #[cold]
    pub(super) fn stage(&mut self, buffer: &mut Vec<u8>, mut key: MaskKey) -> usize {
        let len = self.first.payload.len().min(CHUNK);
        self.len -= len;
        let mut head = self.first.at;
        if head == buffer.len() {
            buffer.clear();
            key = mask_extend(buffer, &self.first.payload[..len], key);
            (self.first.at, head) = (len, 0);
        } else {
            // The written front is the place for it, and nothing has to move, except after that was given away.
            let missing = len.saturating_sub(head);
            buffer.splice(..0, iter::repeat_n(0, missing));
            self.shift(|at| at + missing);
            let place = &mut buffer[head + missing - len..head + missing];
            place.copy_from_slice(&self.first.payload[..len]);
            key = mask(place, key);
            head = head + missing - len;
        }
        self.first.payload.advance(len);
        self.first.key = Some(key);
        head
    }
}
