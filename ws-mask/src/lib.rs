//! Masking of WebSocket payloads (RFC 6455, 5.3) at the speed of a copy.
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod kernel;
mod kernels;
mod key;
mod mask;
mod short;
mod vector;

pub use kernel::Kernel;
pub use kernels::available;
pub use key::MaskKey;
#[cfg(feature = "alloc")]
pub use mask::mask_extend;
pub use mask::{mask, mask_ascii, mask_copy};
