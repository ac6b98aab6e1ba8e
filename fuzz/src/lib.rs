//! The laws of the codec as plain functions of bytes: the fuzzer feeds them, and tests replay the corpus on them.

mod decode;
#[cfg(feature = "deflate")]
mod deflate;
mod first;
mod handshake;
mod mask_kernels;
mod roundtrip;

pub use decode::decode;
#[cfg(feature = "deflate")]
pub use deflate::{deflate_roundtrip, inflate};
pub use handshake::handshake;
pub use mask_kernels::mask_kernels;
pub use roundtrip::roundtrip;
