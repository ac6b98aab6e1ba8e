//! Vectors of 16 bytes: WebAssembly compiled with `-C target-feature=+simd128`.

use core::arch::wasm32::{u8x16_bitmask, u32x4_splat, v128, v128_or, v128_xor};

use crate::kernel::Kernel;
use crate::key::MaskKey;
use crate::vector::{self, Vector};

pub(crate) static KERNEL: Kernel = Kernel { name: "simd128", detect: || true, xor, xor_ascii };

unsafe fn xor(src: *const u8, dst: *mut u8, len: usize, key: MaskKey) {
    // SAFETY: our caller's promise.
    unsafe { vector::xor::<v128>(src, dst, len, key) };
}

unsafe fn xor_ascii(src: *const u8, dst: *mut u8, len: usize, key: MaskKey) -> bool {
    // SAFETY: our caller's promise.
    unsafe { vector::xor::<v128>(src, dst, len, key) }
}

/// Safe: WebAssembly checks a module's instructions before it runs.
impl Vector for v128 {
    #[inline(always)]
    unsafe fn splat(key: MaskKey) -> Self {
        u32x4_splat(key.word())
    }

    #[inline(always)]
    unsafe fn xor(self, other: Self) -> Self {
        v128_xor(self, other)
    }

    #[inline(always)]
    unsafe fn or(self, other: Self) -> Self {
        v128_or(self, other)
    }

    #[inline(always)]
    unsafe fn is_ascii(self) -> bool {
        u8x16_bitmask(self) == 0
    }
}
