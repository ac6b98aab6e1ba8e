#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;

// From the top layer down; each imports only from those below.
mod mask;

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
mod dispatch;
mod table;

mod kernels;

mod kernel;

mod short;
mod vector;

mod key;

pub use crate::kernel::Kernel;
pub use crate::key::MaskKey;
#[cfg(feature = "alloc")]
pub use crate::mask::mask_extend;
pub use crate::mask::{mask, mask_ascii, mask_copy, mask_within};
pub use crate::table::available;
