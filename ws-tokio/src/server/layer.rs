//! What stands between TCP and WebSocket: nothing, or TLS.

use std::future::Future;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::error::AcceptError;
#[cfg(feature = "rustls")]
use crate::tls::ServerTls;

/// What a [`Server`](crate::Server) speaks below WebSocket: [`Plain`] TCP, or TLS by a `ServerTls`.
pub trait Layer: sealed::Sealed + Send + Sync + 'static {
    /// The stream under its connections.
    type Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// Does this layer's handshake.
    #[doc(hidden)]
    fn accept(
        &self,
        stream: TcpStream,
    ) -> impl Future<Output = Result<Self::Stream, AcceptError>> + Send;
}

/// Plain TCP.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

impl Layer for Plain {
    type Stream = TcpStream;

    async fn accept(&self, stream: TcpStream) -> Result<TcpStream, AcceptError> {
        Ok(stream)
    }
}

#[cfg(feature = "rustls")]
impl Layer for ServerTls {
    type Stream = tokio_rustls::server::TlsStream<TcpStream>;

    async fn accept(&self, stream: TcpStream) -> Result<Self::Stream, AcceptError> {
        Ok(self.accept(stream).await?)
    }
}

impl sealed::Sealed for Plain {}

#[cfg(feature = "rustls")]
impl sealed::Sealed for ServerTls {}

mod sealed {
    pub trait Sealed {}
}
