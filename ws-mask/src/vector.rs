//! The one algorithm: overlapping vectors at both ends, aligned vectors between them, no loop over bytes anywhere.
//!
//! Every `unsafe fn` below has the same contract, said once, here. Its caller promises that
//! 1. the CPU has the instructions of `V`;
//! 2. `src` may be read and `dst` written for `len` bytes; they are equal, or the two ranges don't overlap;
//! 3. `len` is at least `V::BYTES` (for [`edges`]: from `N` to `2 * N` vectors).
//!
//! What overlaps is loaded before anything is stored: in place, a byte that two vectors share is masked once.

use crate::key::MaskKey;

/// A register full of bytes, of one instruction set.
///
/// `#[inline(always)]` carries each method into a function that has the instruction set switched on.
pub(crate) trait Vector: Copy {
    /// Bytes per vector, a power of two.
    const BYTES: usize = size_of::<Self>();

    /// The key, over and over.
    unsafe fn splat(key: MaskKey) -> Self;
    unsafe fn xor(self, other: Self) -> Self;
    unsafe fn or(self, other: Self) -> Self;
    /// Whether no byte has its top bit set.
    unsafe fn is_ascii(self) -> bool;
}

/// Masks `len` bytes from `src` to `dst`; returns all that it wrote, ORed together.
///
/// Whoever ignores the result doesn't pay for it: the ORs are then dead code.
#[inline(always)]
pub(crate) unsafe fn xor<V: Vector>(src: *const u8, dst: *mut u8, len: usize, key: MaskKey) -> V {
    // SAFETY: our caller's promise, with the lengths compared here.
    unsafe {
        if len <= 2 * V::BYTES {
            edges::<V, 1>(src, dst, len, key)
        } else if len <= 4 * V::BYTES {
            edges::<V, 2>(src, dst, len, key)
        } else if len <= 8 * V::BYTES {
            edges::<V, 4>(src, dst, len, key)
        } else {
            long::<V>(src, dst, len, key)
        }
    }
}

/// Masks the first `N` vectors and the last `N`, which may overlap.
#[inline(always)]
pub(crate) unsafe fn edges<V: Vector, const N: usize>(
    src: *const u8,
    dst: *mut u8,
    len: usize,
    key: MaskKey,
) -> V {
    let rest = len - N * V::BYTES;
    // SAFETY: N vectors at 0 and at `rest` lie inside `len` bytes.
    unsafe {
        let front = Block::<V, N>::masked(src, key);
        let back = Block::<V, N>::masked(src.add(rest), key.advance(rest));
        front.store(dst);
        back.store(dst.add(rest));
        front.seen().or(back.seen())
    }
}

/// Masks more than eight vectors: one unaligned, blocks of four aligned, four unaligned.
#[inline(always)]
unsafe fn long<V: Vector>(src: *const u8, dst: *mut u8, len: usize, key: MaskKey) -> V {
    let head = V::BYTES - dst as usize % V::BYTES;
    let rest = len - 4 * V::BYTES;
    // SAFETY: `head` is at most one vector; a block that begins before `rest` ends before `len`.
    unsafe {
        let front = Block::<V, 1>::masked(src, key);
        let back = Block::<V, 4>::masked(src.add(rest), key.advance(rest));
        let mut seen = front.seen().or(back.seen());
        let body_key = V::splat(key.advance(head));
        let mut at = head;
        while at < rest {
            let block = Block::<V, 4>::load(src.add(at)).xor(body_key);
            block.store(dst.add(at));
            seen = seen.or(block.seen());
            at += 4 * V::BYTES;
        }
        front.store(dst);
        back.store(dst.add(rest));
        seen
    }
}

/// `N` vectors side by side.
#[derive(Clone, Copy)]
struct Block<V, const N: usize>([V; N]);

impl<V: Vector, const N: usize> Block<V, N> {
    #[inline(always)]
    unsafe fn masked(src: *const u8, key: MaskKey) -> Self {
        // SAFETY: our caller's promise.
        unsafe { Self::load(src).xor(V::splat(key)) }
    }

    #[inline(always)]
    unsafe fn load(src: *const u8) -> Self {
        // SAFETY: `src` may be read for N vectors; any bytes make a vector.
        unsafe { src.cast::<Self>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn store(self, dst: *mut u8) {
        // SAFETY: `dst` may be written for N vectors.
        unsafe { dst.cast::<Self>().write_unaligned(self) };
    }

    #[inline(always)]
    unsafe fn xor(mut self, key: V) -> Self {
        for vector in &mut self.0 {
            // SAFETY: the CPU has V's instructions.
            *vector = unsafe { vector.xor(key) };
        }
        self
    }

    /// Its vectors, ORed together.
    #[inline(always)]
    unsafe fn seen(self) -> V {
        let mut seen = self.0[0];
        for vector in &self.0[1..] {
            // SAFETY: the CPU has V's instructions.
            seen = unsafe { seen.or(*vector) };
        }
        seen
    }
}
