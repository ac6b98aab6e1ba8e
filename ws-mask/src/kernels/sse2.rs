//! Vectors of 16 bytes: every x86-64.

#[cfg(target_arch = "x86")]
use core::arch::x86 as arch;
#[cfg(target_arch = "x86_64")]
use core::arch::x86_64 as arch;

use arch::{__m128i, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi32, _mm_xor_si128};

use crate::kernel::Kernel;
use crate::key::MaskKey;
use crate::vector::{self, Vector};

cpufeatures::new!(cpu, "sse2");

pub(crate) static KERNEL: Kernel = Kernel { name: "sse2", detect: cpu::get, xor, xor_ascii };

#[target_feature(enable = "sse2")]
unsafe fn xor(src: *const u8, dst: *mut u8, len: usize, key: MaskKey) {
    // SAFETY: our caller's promise.
    unsafe { vector::xor::<__m128i>(src, dst, len, key) };
}

#[target_feature(enable = "sse2")]
unsafe fn xor_ascii(src: *const u8, dst: *mut u8, len: usize, key: MaskKey) -> bool {
    // SAFETY: our caller's promise.
    unsafe { vector::xor::<__m128i>(src, dst, len, key) }
}

/// The one fact behind each block: by the contract of [`vector`], the CPU has the instructions.
impl Vector for __m128i {
    #[inline(always)]
    unsafe fn splat(key: MaskKey) -> Self {
        // SAFETY: the CPU has it.
        unsafe { _mm_set1_epi32(key.word() as i32) }
    }

    #[inline(always)]
    unsafe fn xor(self, other: Self) -> Self {
        // SAFETY: the CPU has it.
        unsafe { _mm_xor_si128(self, other) }
    }

    #[inline(always)]
    unsafe fn or(self, other: Self) -> Self {
        // SAFETY: the CPU has it.
        unsafe { _mm_or_si128(self, other) }
    }

    #[inline(always)]
    unsafe fn is_ascii(self) -> bool {
        // SAFETY: the CPU has it.
        unsafe { _mm_movemask_epi8(self) == 0 }
    }
}
