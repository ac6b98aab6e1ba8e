//! Vectors of 16 bytes: every 64-bit Arm.

use core::arch::aarch64::{
    uint8x16_t, vdupq_n_u32, veorq_u8, vmaxvq_u8, vorrq_u8, vreinterpretq_u8_u32,
};

use crate::kernel::Kernel;
use crate::key::MaskKey;
use crate::vector::{self, Vector};

pub(crate) static KERNEL: Kernel = Kernel { name: "neon", detect: || true, xor, xor_ascii };

#[target_feature(enable = "neon")]
unsafe fn xor(src: *const u8, dst: *mut u8, len: usize, key: MaskKey) {
    // SAFETY: our caller's promise.
    unsafe { vector::xor::<uint8x16_t>(src, dst, len, key) };
}

#[target_feature(enable = "neon")]
unsafe fn xor_ascii(src: *const u8, dst: *mut u8, len: usize, key: MaskKey) -> bool {
    // SAFETY: our caller's promise.
    unsafe { vector::xor::<uint8x16_t>(src, dst, len, key) }
}

/// The one fact behind each block: by the contract of [`vector`], the CPU has the instructions.
impl Vector for uint8x16_t {
    #[inline(always)]
    unsafe fn splat(key: MaskKey) -> Self {
        // SAFETY: the CPU has it.
        unsafe { vreinterpretq_u8_u32(vdupq_n_u32(key.word())) }
    }

    #[inline(always)]
    unsafe fn xor(self, other: Self) -> Self {
        // SAFETY: the CPU has it.
        unsafe { veorq_u8(self, other) }
    }

    #[inline(always)]
    unsafe fn or(self, other: Self) -> Self {
        // SAFETY: the CPU has it.
        unsafe { vorrq_u8(self, other) }
    }

    #[inline(always)]
    unsafe fn is_ascii(self) -> bool {
        // SAFETY: the CPU has it.
        unsafe { vmaxvq_u8(self) < 0x80 }
    }
}
