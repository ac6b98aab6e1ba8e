//! The table of kernels, fastest first.

use crate::kernel::Kernel;
use crate::kernels;

/// All that this build has. The last one needs nothing of the CPU.
const TABLE: &[&Kernel] = &[
    #[cfg(all(rust_has_avx512, any(target_arch = "x86", target_arch = "x86_64")))]
    &kernels::avx512::KERNEL,
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    &kernels::avx2::KERNEL,
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    &kernels::sse2::KERNEL,
    #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
    &kernels::neon::KERNEL,
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    &kernels::simd128::KERNEL,
    &kernels::words::KERNEL,
];

/// The best kernel where not the CPU decides, but the compiler has decided.
#[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
pub(crate) const BEST: &Kernel = TABLE[0];

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
