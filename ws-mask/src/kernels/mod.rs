//! The table of kernels, fastest first, and the best of them.

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

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
mod dispatch;

/// Where the CPU decides: asked once, remembered.
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
pub(crate) use dispatch::BEST;
/// Where the compiler has decided: the table's first row.
#[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
pub(crate) const BEST: &Kernel = TABLE[0];

/// All that this build has. The last one needs nothing of the CPU.
const TABLE: &[&Kernel] = &[
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
