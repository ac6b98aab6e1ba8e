//! The table of kernels, fastest first, and the choice of one.

use crate::kernel::Kernel;

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
mod avx2;
#[cfg(all(rust_has_avx512, any(target_arch = "x86", target_arch = "x86_64")))]
mod avx512;
#[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
mod neon;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
mod sse2;
mod words;

/// All that this build has. The last one needs nothing of the CPU.
static TABLE: &[&Kernel] = &[
    #[cfg(all(rust_has_avx512, any(target_arch = "x86", target_arch = "x86_64")))]
    &avx512::KERNEL,
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    &avx2::KERNEL,
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    &sse2::KERNEL,
    #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
    &neon::KERNEL,
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    &simd128::KERNEL,
    &words::KERNEL,
];

/// The kernels that this CPU has, fastest first: the first is the one in use.
///
/// # Examples
///
/// ```
/// for kernel in ws_mask::available() {
///     println!("{}", kernel.name());
/// }
/// ```
pub fn available() -> impl Iterator<Item = &'static Kernel> {
    TABLE.iter().copied().filter(|kernel| (kernel.detect)())
}

pub(crate) use choice::chosen;

/// Where the CPU decides: asked once, remembered.
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
mod choice {
    use core::ptr;
    use core::sync::atomic::{AtomicPtr, Ordering};

    use crate::kernel::Kernel;
    use crate::kernels::{available, words};

    // Relaxed: what it points to never changes, and two threads that ask at once get the same answer.
    static CHOSEN: AtomicPtr<Kernel> = AtomicPtr::new(ptr::null_mut());

    #[inline]
    pub(crate) fn chosen() -> &'static Kernel {
        // SAFETY: null, or a `&'static Kernel` that `choose` stored.
        unsafe { CHOSEN.load(Ordering::Relaxed).as_ref() }.unwrap_or_else(choose)
    }

    #[cold]
    fn choose() -> &'static Kernel {
        let kernel = available().next().unwrap_or(&words::KERNEL);
        CHOSEN.store(ptr::from_ref(kernel).cast_mut(), Ordering::Relaxed);
        kernel
    }
}

/// Where the compiler has decided: the table's first row.
#[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
mod choice {
    use crate::kernel::Kernel;
    use crate::kernels::TABLE;

    #[inline]
    pub(crate) fn chosen() -> &'static Kernel {
        TABLE[0]
    }
}
