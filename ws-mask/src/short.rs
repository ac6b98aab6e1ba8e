//! Payloads of less than 64 bytes: overlapping words and vectors that any CPU of the target has, inlined into the caller.

use crate::key::MaskKey;
use crate::vector::{Vector, edges};

/// Payloads of this many bytes and more go to a kernel.
pub(crate) const LIMIT: usize = 64;

/// 16 bytes at once, by the target's own means.
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
type Wide = core::arch::x86_64::__m128i;
#[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
type Wide = core::arch::aarch64::uint8x16_t;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
type Wide = core::arch::wasm32::v128;
#[cfg(not(any(
    all(target_arch = "x86_64", target_feature = "sse2"),
    all(target_arch = "aarch64", target_feature = "neon"),
    all(target_arch = "wasm32", target_feature = "simd128"),
)))]
type Wide = [u64; 2];

/// Masks fewer than [`LIMIT`] bytes from `src` to `dst`; returns whether all that it wrote was ASCII.
///
/// # Safety
///
/// That of [`crate::vector`]; nothing is asked of the CPU.
#[inline(always)]
pub(crate) unsafe fn xor(src: *const u8, dst: *mut u8, len: usize, key: MaskKey) -> bool {
    // SAFETY: our caller's promise; each arm's lengths are one to two times what its words hold.
    unsafe {
        match len {
            0 => true,
            1 => edges::<u8>(src, dst, len, key),
            2..4 => edges::<u16>(src, dst, len, key),
            4..8 => edges::<u32>(src, dst, len, key),
            8..16 => edges::<u64>(src, dst, len, key),
            16..32 => edges::<Wide>(src, dst, len, key),
            _ => edges::<[Wide; 2]>(src, dst, len, key),
        }
    }
}

macro_rules! word_as_vector {
    ($word:ty, $splat:expr) => {
        impl Vector for $word {
            #[inline(always)]
            unsafe fn splat(key: MaskKey) -> Self {
                $splat(key)
            }

            #[inline(always)]
            unsafe fn xor(self, other: Self) -> Self {
                self ^ other
            }

            #[inline(always)]
            unsafe fn or(self, other: Self) -> Self {
                self | other
            }

            #[inline(always)]
            unsafe fn is_ascii(self) -> bool {
                self & Self::from_ne_bytes([0x80; size_of::<Self>()]) == 0
            }
        }
    };
}

word_as_vector!(u8, |key: MaskKey| key.to_bytes()[0]);
word_as_vector!(u16, |key: MaskKey| {
    let [first, second, ..] = key.to_bytes();
    Self::from_ne_bytes([first, second])
});
word_as_vector!(u32, |key: MaskKey| key.word());
word_as_vector!(u64, |key: MaskKey| {
    let word = Self::from(key.word());
    word << 32 | word
});
