//! What connections are over: any stream of bytes, or in a browser its WebSocket, which is none.

#[cfg(not(target_family = "wasm"))]
use tokio::io::{AsyncRead, AsyncWrite};

/// A stream of bytes in both directions.
#[cfg(not(target_family = "wasm"))]
pub trait Duplex: AsyncRead + AsyncWrite + Unpin {}

#[cfg(not(target_family = "wasm"))]
impl<S: AsyncRead + AsyncWrite + Unpin> Duplex for S {}

/// A browser's WebSocket.
#[cfg(target_family = "wasm")]
pub trait Duplex {}

#[cfg(target_family = "wasm")]
impl<S> Duplex for S {}

/// Whether what is fed waits to be written. A browser sends by itself, and is slow to say that it has.
pub(crate) const QUEUES: bool = cfg!(not(target_family = "wasm"));
