//! One way of masking: an instruction set's entry points, behind safe methods.

use core::fmt;
use core::mem::MaybeUninit;

use crate::key::MaskKey;
use crate::short;

/// A kernel: one instruction set's way of masking.
///
/// [`available`](crate::available) lists those that this CPU has. The functions of the crate use the first of them;
/// the methods here are the same functions with the kernel chosen by hand, for tests, benchmarks and the curious.
///
/// Payloads of less than 32 bytes are masked by inlined code, whatever the kernel.
pub struct Kernel {
    pub(crate) name: &'static str,
    /// Whether this CPU has it. Invariant: only kernels for which this is true are ever handed out.
    pub(crate) detect: fn() -> bool,
    pub(crate) xor: unsafe fn(*const u8, *mut u8, usize, MaskKey),
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
        if data.len() >= short::LIMIT && key == MaskKey::ZERO {
            return key;
        }
        let to = data.as_mut_ptr();
        // SAFETY: `data` is ours alone.
        unsafe { self.run(to, to, data.len(), key) };
        key.advance(data.len())
    }

    /// [`mask_copy`](crate::mask_copy) with this kernel.
    ///
    /// # Panics
    ///
    /// Where `src` and `dst` differ in length.
    #[inline]
    pub fn mask_copy<'a>(
        &self,
        src: &[u8],
        dst: &'a mut [MaybeUninit<u8>],
        key: MaskKey,
    ) -> (&'a mut [u8], MaskKey) {
        assert_eq!(src.len(), dst.len(), "source and destination differ in length");
        let to = dst.as_mut_ptr().cast::<u8>();
        // SAFETY: the lengths are the same, and a `&mut` overlaps nothing.
        unsafe { self.run(src.as_ptr(), to, src.len(), key) };
        // SAFETY: every byte of `dst` has just been written.
        let written = unsafe { core::slice::from_raw_parts_mut(to, src.len()) };
        (written, key.advance(src.len()))
    }

    /// [`mask_ascii`](crate::mask_ascii) with this kernel.
    #[inline]
    pub fn mask_ascii(&self, data: &mut [u8], key: MaskKey) -> (MaskKey, bool) {
        let (to, len) = (data.as_mut_ptr(), data.len());
        // SAFETY: `data` is ours alone; the kernel gets no less than its limit; the CPU has it (see `detect`).
        let ascii = unsafe {
            if len < short::LIMIT {
                short::xor(to, to, len, key)
            } else {
                (self.xor_ascii)(to, to, len, key)
            }
        };
        (key.advance(len), ascii)
    }

    /// # Safety
    ///
    /// `src` may be read and `dst` written for `len` bytes; they are equal, or the two ranges don't overlap.
    #[inline(always)]
    unsafe fn run(&self, src: *const u8, dst: *mut u8, len: usize, key: MaskKey) {
        // SAFETY: our caller's promise; the kernel gets no less than its limit; the CPU has it (see `detect`).
        unsafe {
            if len < short::LIMIT {
                short::xor(src, dst, len, key);
            } else {
                (self.xor)(src, dst, len, key);
            }
        }
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Kernel").field(&self.name).finish()
    }
}
