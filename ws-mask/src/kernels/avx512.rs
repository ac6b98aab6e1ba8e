//! Vectors of 64 bytes: Intel since Ice Lake (2019), AMD since Zen 4 (2022).
//!
//! AVX-512 VBMI is asked for, though not used: the CPUs that have AVX-512 without it lower their clock for wide vectors.
#![expect(
    clippy::incompatible_msrv,
    reason = "build.rs leaves this file out where the compiler is older"
)]

#[cfg(target_arch = "x86")]
use core::arch::x86 as arch;
#[cfg(target_arch = "x86_64")]
use core::arch::x86_64 as arch;

use arch::{__m512i, _mm512_movepi8_mask, _mm512_or_si512, _mm512_set1_epi32, _mm512_xor_si512};

use crate::kernel::Kernel;
use crate::key::MaskKey;
use crate::short;
use crate::vector::{self, Vector};

cpufeatures::new!(cpu, "avx512f", "avx512bw", "avx512vbmi");

// The widest vector: what is shorter must not come here.
const _: () = assert!(size_of::<__m512i>() <= short::LIMIT);

pub(crate) static KERNEL: Kernel = Kernel { name: "avx512", detect: cpu::get, xor, xor_ascii };

#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn xor(src: *const u8, dst: *mut u8, len: usize, key: MaskKey) {
    // SAFETY: our caller's promise.
    unsafe { vector::xor::<__m512i>(src, dst, len, key) };
}

#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn xor_ascii(src: *const u8, dst: *mut u8, len: usize, key: MaskKey) -> bool {
    // SAFETY: our caller's promise.
    unsafe { vector::xor::<__m512i>(src, dst, len, key) }
}

/// The one fact behind each block: by the contract of [`vector`], the CPU has the instructions.
impl Vector for __m512i {
    #[inline(always)]
    unsafe fn splat(key: MaskKey) -> Self {
        // SAFETY: the CPU has it.
        unsafe { _mm512_set1_epi32(key.word() as i32) }
    }

    #[inline(always)]
    unsafe fn xor(self, other: Self) -> Self {
        // SAFETY: the CPU has it.
        unsafe { _mm512_xor_si512(self, other) }
    }

    #[inline(always)]
    unsafe fn or(self, other: Self) -> Self {
        // SAFETY: the CPU has it.
        unsafe { _mm512_or_si512(self, other) }
    }

    #[inline(always)]
    unsafe fn is_ascii(self) -> bool {
        // SAFETY: the CPU has it.
        unsafe { _mm512_movepi8_mask(self) == 0 }
    }
}
