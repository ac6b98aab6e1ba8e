//! Vectors of 32 bytes: Intel since Haswell (2013), AMD since Excavator (2015).

#[cfg(target_arch = "x86")]
use core::arch::x86 as arch;
#[cfg(target_arch = "x86_64")]
use core::arch::x86_64 as arch;

use arch::{__m256i, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi32, _mm256_xor_si256};

use crate::kernel::Kernel;
use crate::key::MaskKey;
use crate::vector::{self, Vector};

cpufeatures::new!(cpu, "avx2");

pub(crate) static KERNEL: Kernel = Kernel { name: "avx2", detect: cpu::get, xor, xor_ascii };

#[target_feature(enable = "avx2")]
unsafe fn xor(src: *const u8, dst: *mut u8, len: usize, key: MaskKey) {
    // SAFETY: our caller's promise.
    unsafe { vector::xor::<__m256i>(src, dst, len, key) };
}

#[target_feature(enable = "avx2")]
unsafe fn xor_ascii(src: *const u8, dst: *mut u8, len: usize, key: MaskKey) -> bool {
    // SAFETY: our caller's promise.
    unsafe { vector::xor::<__m256i>(src, dst, len, key) }
}

/// The one fact behind each block: by the contract of [`vector`], the CPU has the instructions.
impl Vector for __m256i {
    #[inline(always)]
    unsafe fn splat(key: MaskKey) -> Self {
        // SAFETY: the CPU has it.
        unsafe { _mm256_set1_epi32(key.word() as i32) }
    }

    #[inline(always)]
    unsafe fn xor(self, other: Self) -> Self {
        // SAFETY: the CPU has it.
        unsafe { _mm256_xor_si256(self, other) }
    }

    #[inline(always)]
    unsafe fn or(self, other: Self) -> Self {
        // SAFETY: the CPU has it.
        unsafe { _mm256_or_si256(self, other) }
    }

    #[inline(always)]
    unsafe fn is_ascii(self) -> bool {
        // SAFETY: the CPU has it.
        unsafe { _mm256_movemask_epi8(self) == 0 }
    }
}
