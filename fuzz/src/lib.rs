//! The laws of the codec as plain functions of bytes: the fuzzer feeds them, and tests replay the corpus on them.

mod decode;
#[cfg(feature = "deflate")]
mod deflate;
mod handshake;
mod mask_kernels;
mod roundtrip;

pub use decode::decode;
#[cfg(feature = "deflate")]
pub use deflate::{deflate_roundtrip, inflate};
pub use handshake::handshake;
pub use mask_kernels::mask_kernels;
pub use roundtrip::roundtrip;

/// Takes the first byte away.
fn take(data: &mut &[u8]) -> u8 {
    let Some((&first, rest)) = data.split_first() else { return 0 };
    *data = rest;
    first
}
