//! One way of masking: an instruction set's entry points, behind safe methods.

use core::fmt;
use core::mem::MaybeUninit;
use core::ops::Range;
use core::slice;

use crate::key::MaskKey;
use crate::short;

/// A kernel: one instruction set's way of masking.
///
/// [`available`](crate::available) lists those that this CPU has. The functions of the crate use the first of them;
/// the methods here are the same functions with an explicit kernel, for tests and benchmarks.
///
/// Payloads of less than 64 bytes are masked by inlined code, whatever the kernel.
pub struct Kernel {
    pub(crate) name: &'static str,
    /// Whether this CPU has it. Invariant: only kernels for which this is true are ever handed out.
    pub(crate) detect: fn() -> bool,
    /// Masks no less than `short::LIMIT` bytes, under the contract of `vector`.
    pub(crate) xor: unsafe fn(*const u8, *mut u8, usize, MaskKey),
    /// The same, and says whether all that it wrote is ASCII.
    pub(crate) xor_ascii: unsafe fn(*const u8, *mut u8, usize, MaskKey) -> bool,
}

impl Kernel {
    /// The name of its instruction set: `"avx2"`, `"neon"`, `"words"`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// [`mask`](crate::mask()) with this kernel.
    #[inline]
    pub fn mask(&self, data: &mut [u8], key: MaskKey) -> MaskKey {
        let (to, len) = (data.as_mut_ptr(), data.len());
        if len < short::LIMIT {
            // SAFETY: `data` is ours alone, and short.
            unsafe { short::xor(to, to, len, key) };
        } else if key != MaskKey::ZERO {
            // SAFETY: `data` is ours alone, and not short; the CPU has the kernel (see `detect`).
            unsafe { (self.xor)(to, to, len, key) };
        }
        key.advance(len)
    }

    /// [`mask_copy`](crate::mask_copy) with this kernel.
    ///
    /// # Panics
    ///
    /// If `src` and `dst` differ in length.
    #[inline]
    #[track_caller]
    pub fn mask_copy<'a>(
        &self,
        src: &[u8],
        dst: &'a mut [MaybeUninit<u8>],
        key: MaskKey,
    ) -> (&'a mut [u8], MaskKey) {
        assert!(src.len() == dst.len(), "source and destination differ in length");
        let (from, to, len) = (src.as_ptr(), dst.as_mut_ptr().cast::<u8>(), src.len());
        if len < short::LIMIT {
            // SAFETY: both have this length, which is short; a `&mut` overlaps nothing.
            unsafe { short::xor(from, to, len, key) };
        } else {
            // SAFETY: both have this length, which isn't short; the CPU has the kernel (see `detect`).
            unsafe { (self.xor)(from, to, len, key) };
        }
        // SAFETY: every byte of `dst` has just been written.
        let written = unsafe { slice::from_raw_parts_mut(to, len) };
        (written, key.advance(len))
    }

    /// [`mask_within`](crate::mask_within) with this kernel.
    ///
    /// # Panics
    ///
    /// If `src` is not in `data`, or `dest` is after its start.
    #[inline]
    #[track_caller]
    pub fn mask_within(
        &self,
        data: &mut [u8],
        src: Range<usize>,
        dest: usize,
        key: MaskKey,
    ) -> MaskKey {
        let len = data[src.clone()].len();
        assert!(dest <= src.start, "the destination is behind the source");
        // SAFETY: both begin in `data`, `src` by its bounds and `dest` no later.
        let (from, to) = unsafe {
            let data = data.as_mut_ptr();
            (data.add(src.start), data.add(dest))
        };
        if len < short::LIMIT {
            // SAFETY: `data` is ours alone, and has both ranges, `dest` no later than `src`; short.
            unsafe { short::xor(from, to, len, key) };
        } else {
            // SAFETY: the same, and not short; the CPU has the kernel (see `detect`).
            unsafe { (self.xor)(from, to, len, key) };
        }
        key.advance(len)
    }

    /// [`mask_ascii`](crate::mask_ascii) with this kernel.
    #[inline]
    pub fn mask_ascii(&self, data: &mut [u8], key: MaskKey) -> (MaskKey, bool) {
        let (to, len) = (data.as_mut_ptr(), data.len());
        let ascii = if len < short::LIMIT {
            // SAFETY: `data` is ours alone, and short.
            unsafe { short::xor(to, to, len, key) }
        } else {
            // SAFETY: `data` is ours alone, and not short; the CPU has the kernel (see `detect`).
            unsafe { (self.xor_ascii)(to, to, len, key) }
        };
        (key.advance(len), ascii)
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Kernel").field(&self.name).finish()
    }
}
