//! Machine words: any CPU, any pointer width, either byte order.

use crate::kernel::Kernel;
use crate::key::MaskKey;
use crate::vector;

#[cfg(target_pointer_width = "64")]
type Words = [u64; 4];
#[cfg(not(target_pointer_width = "64"))]
type Words = [u32; 4];

pub(crate) static KERNEL: Kernel = Kernel { name: "words", detect: || true, xor, xor_ascii };

unsafe fn xor(src: *const u8, dst: *mut u8, len: usize, key: MaskKey) {
    // SAFETY: our caller's promise.
    unsafe { vector::xor::<Words>(src, dst, len, key) };
}

unsafe fn xor_ascii(src: *const u8, dst: *mut u8, len: usize, key: MaskKey) -> bool {
    // SAFETY: our caller's promise.
    unsafe { vector::xor::<Words>(src, dst, len, key) }
}
