//! The one algorithm: overlapping vectors at both ends, aligned vectors between them, no loop over bytes anywhere.
//!
//! Every `unsafe fn` below has the same contract, said once, here. Its caller promises that
//! 1. the CPU has the instructions of `V`;
//! 2. `src` may be read and `dst` written for `len` bytes; the two ranges don't overlap, or `dst` is no later than `src`;
//! 3. `len` is at least `V::BYTES` (for [`edges`]: one to two times that).
//!
//! What overlaps is loaded before anything is stored there: in place, a byte that two vectors share is masked once, and
//! what moves to the front a little is read before it is written over.
//!
//! The functions say whether all that they wrote is ASCII. Whoever ignores the answer doesn't pay for it: the work is then dead code.

use crate::key::MaskKey;

/// A register full of bytes, of one instruction set.
///
/// `#[inline(always)]` carries each method into a function that has the instruction set switched on.
pub(crate) trait Vector: Copy {
    /// Bytes per vector.
    const BYTES: usize = size_of::<Self>();

    /// The key, over and over.
    unsafe fn splat(key: MaskKey) -> Self;
    unsafe fn xor(self, other: Self) -> Self;
    unsafe fn or(self, other: Self) -> Self;
    /// Whether no byte has its top bit set.
    unsafe fn is_ascii(self) -> bool;
}

/// Masks `len` bytes from `src` to `dst`.
#[inline(always)]
pub(crate) unsafe fn xor<V: Vector>(
    src: *const u8,
    dst: *mut u8,
    len: usize,
    key: MaskKey,
) -> bool {
    // SAFETY: our caller's promise, with the lengths compared here.
    unsafe {
        if len <= 2 * V::BYTES {
            edges::<V>(src, dst, len, key)
        } else if len <= 4 * V::BYTES {
            edges::<[V; 2]>(src, dst, len, key)
        } else {
            long::<V>(src, dst, len, key)
        }
    }
}

/// Masks the first vector and the last, which may overlap.
#[inline(always)]
pub(crate) unsafe fn edges<V: Vector>(
    src: *const u8,
    dst: *mut u8,
    len: usize,
    key: MaskKey,
) -> bool {
    let rest = len - V::BYTES;
    // SAFETY: a vector at 0 and one at `rest` lie inside `len` bytes.
    unsafe {
        let front = load(src, V::splat(key));
        let back = load(src.add(rest), V::splat(key.advance(rest)));
        store(dst, front);
        store(dst.add(rest), back);
        front.or(back).is_ascii()
    }
}

/// Masks more than four vectors: one unaligned, pairs of aligned ones, an unaligned pair.
///
/// The front is stored as soon as the first pair is loaded, not at the end: whoever reads the payload next begins there, and a load
/// that overlaps a store still on its way to the cache has to wait for it.
#[inline(always)]
unsafe fn long<V: Vector>(src: *const u8, dst: *mut u8, len: usize, key: MaskKey) -> bool {
    let rest = len - 2 * V::BYTES;
    let mut at = V::BYTES - dst.addr() % V::BYTES;
    // SAFETY: `at` begins at no more than one vector; a pair that begins before `rest` ends before `len`.
    unsafe {
        let body_key = <[V; 2]>::splat(key.advance(at));
        let front = load(src, V::splat(key));
        let back = load(src.add(rest), <[V; 2]>::splat(key.advance(rest)));
        let mut pair = load(src.add(at), body_key);
        let mut seen = pair.or(back);
        store(dst, front);
        loop {
            store(dst.add(at), pair);
            at += 2 * V::BYTES;
            if at >= rest {
                break;
            }
            pair = load(src.add(at), body_key);
            seen = seen.or(pair);
        }
        store(dst.add(rest), back);
        seen.or([front; 2]).is_ascii()
    }
}

/// The bytes at `src`, masked.
#[inline(always)]
unsafe fn load<V: Vector>(src: *const u8, key: V) -> V {
    // SAFETY: our caller's promise; any bytes make a vector.
    unsafe { src.cast::<V>().read_unaligned().xor(key) }
}

#[inline(always)]
unsafe fn store<V: Vector>(dst: *mut u8, vector: V) {
    // SAFETY: our caller's promise.
    unsafe { dst.cast::<V>().write_unaligned(vector) };
}

/// Vectors side by side.
impl<V: Vector, const N: usize> Vector for [V; N] {
    #[inline(always)]
    unsafe fn splat(key: MaskKey) -> Self {
        // SAFETY: the CPU has V's instructions.
        [unsafe { V::splat(key) }; N]
    }

    #[inline(always)]
    unsafe fn xor(mut self, other: Self) -> Self {
        for i in 0..N {
            // SAFETY: the CPU has V's instructions.
            self[i] = unsafe { self[i].xor(other[i]) };
        }
        self
    }

    #[inline(always)]
    unsafe fn or(mut self, other: Self) -> Self {
        for i in 0..N {
            // SAFETY: the CPU has V's instructions.
            self[i] = unsafe { self[i].or(other[i]) };
        }
        self
    }

    #[inline(always)]
    unsafe fn is_ascii(self) -> bool {
        let mut all = self[0];
        for vector in &self[1..] {
            // SAFETY: the CPU has V's instructions.
            all = unsafe { all.or(*vector) };
        }
        // SAFETY: the CPU has V's instructions.
        unsafe { all.is_ascii() }
    }
}
