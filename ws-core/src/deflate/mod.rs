//! permessage-deflate (RFC 7692): compressed messages.
//!
//! [`CompressionOptions`] say what this end wants. The handshake turns them into [`AgreedCompression`], which the
//! decoder and the encoder are given. Compression is off by default: it costs time and memory, and if a message mixes a
//! secret with text that an attacker chooses, its length reveals something about the secret.
//!
//! Memory: a [`Compressor`] takes 250 KiB with a window of 9 bits and 380 KiB with 15, a [`Decompressor`] 64 KiB.
//! Without context takeover both belong to the caller's [`Pool`](crate::Pool), and a connection owns neither between
//! messages. With context takeover, a connection owns a compressor from the first message that it compresses, and the
//! last bytes that it decompressed, as many as the peer's window has: at most 32 KiB.
//!
//! Layers, lowest first: options; params, state; deflater, inflater (or, without the feature, absent).

#[cfg(not(feature = "deflate"))]
mod absent;
#[cfg(feature = "deflate")]
mod deflater;
#[cfg(feature = "deflate")]
mod inflater;
#[cfg_attr(
    not(feature = "deflate"),
    expect(dead_code, unreachable_pub, reason = "without the feature nobody can ask for it")
)]
pub(crate) mod options;
pub(crate) mod params;
#[cfg(feature = "deflate")]
pub(crate) mod state;

#[cfg(not(feature = "deflate"))]
pub(crate) use absent::{Deflater, Inflater};
#[cfg(feature = "deflate")]
pub(crate) use deflater::Deflater;
#[cfg(feature = "deflate")]
pub(crate) use inflater::Inflater;
#[cfg(feature = "deflate")]
pub use {
    options::{Compression, CompressionOptions},
    params::AgreedCompression,
    state::{Compressor, Decompressor},
};
