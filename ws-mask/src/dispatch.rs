//! The kernel that passes on to the best one, for instruction sets that only the CPU can tell of.

use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use crate::kernel::Kernel;
use crate::kernels::words;
use crate::key::MaskKey;
use crate::table::available;

// A constant: callers inline its short path, and call `xor` without reading a table.
pub(crate) const BEST: &Kernel = &Kernel { name: "best", detect: || true, xor, xor_ascii };

/// What `BEST` passes on to until its first call has asked the CPU.
const ASK: &Kernel =
    &Kernel { name: "ask", detect: || true, xor: ask_xor, xor_ascii: ask_xor_ascii };

// Relaxed: what it points to never changes, and threads that ask at the same time get the same answer.
static CHOSEN: AtomicPtr<Kernel> = AtomicPtr::new(ptr::from_ref(ASK).cast_mut());

#[inline]
fn chosen() -> &'static Kernel {
    // SAFETY: it only ever holds what was a `&'static Kernel`.
    unsafe { &*CHOSEN.load(Ordering::Relaxed) }
}

#[inline(never)]
unsafe fn xor(src: *const u8, dst: *mut u8, len: usize, key: MaskKey) {
    // SAFETY: our caller's promise; the CPU has what was chosen.
    unsafe { (chosen().xor)(src, dst, len, key) };
}

#[inline(never)]
unsafe fn xor_ascii(src: *const u8, dst: *mut u8, len: usize, key: MaskKey) -> bool {
    // SAFETY: our caller's promise; the CPU has what was chosen.
    unsafe { (chosen().xor_ascii)(src, dst, len, key) }
}

unsafe fn ask_xor(src: *const u8, dst: *mut u8, len: usize, key: MaskKey) {
    // SAFETY: our caller's promise; the CPU has what was chosen.
    unsafe { (choose().xor)(src, dst, len, key) };
}

unsafe fn ask_xor_ascii(src: *const u8, dst: *mut u8, len: usize, key: MaskKey) -> bool {
    // SAFETY: our caller's promise; the CPU has what was chosen.
    unsafe { (choose().xor_ascii)(src, dst, len, key) }
}

#[cold]
fn choose() -> &'static Kernel {
    let kernel = available().next().unwrap_or(&words::KERNEL);
    CHOSEN.store(ptr::from_ref(kernel).cast_mut(), Ordering::Relaxed);
    kernel
}
