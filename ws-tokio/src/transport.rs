//! The stream under connections that don't depend on where they come from: one type for all URLs and all HTTP servers.

use std::fmt;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(feature = "rustls")]
use tokio_rustls::rustls::CommonState;
#[cfg(all(feature = "http2", feature = "rustls"))]
use tokio_rustls::rustls::pki_types::CertificateDer;
#[cfg(feature = "rustls")]
use tokio_rustls::server;

#[cfg(feature = "http2")]
use crate::http2::{Http2Stream, Session};
#[cfg(feature = "rustls")]
use crate::tls::TlsStream;

/// The stream of a connection made by [`connect`](crate::connect), or taken over from an HTTP server.
#[derive(Debug)]
#[non_exhaustive]
pub enum Transport {
    /// Plain TCP.
    Tcp(TcpStream),
    /// TLS over any of these: a client's for a `wss` URL, or a server's by [`ServerTls`](crate::ServerTls).
    #[cfg(feature = "rustls")]
    Tls(Box<TlsStream<Transport>>),
    /// A server's TLS over TCP by tokio-rustls, taken over from an HTTP server.
    #[cfg(feature = "rustls")]
    ServerTls(Box<server::TlsStream<TcpStream>>),
    /// A stream of an HTTP/2 connection.
    #[cfg(feature = "http2")]
    Http2(Http2Stream),
    /// Any other stream, such as one that [`ConnectOptions::dialer`](crate::ConnectOptions::dialer) made, or one of an HTTP server's
    /// HTTP/2.
    Any(AnyStream),
}

/// A stream of any type.
pub struct AnyStream {
    /// Never locked. So this can be shared between threads like every transport, whether or not the stream can.
    stream: Mutex<Box<dyn Stream>>,
    is_write_vectored: bool,
}

/// What a connection can be made over.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl AnyStream {
    pub(crate) fn new(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        let is_write_vectored = stream.is_write_vectored();
        Self { stream: Mutex::new(Box::new(stream)), is_write_vectored }
    }

    fn stream(&mut self) -> Pin<&mut dyn Stream> {
        Pin::new(&mut **self.stream.get_mut().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for AnyStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnyStream")
    }
}

impl Transport {
    /// Returns what TLS knows: the peer's certificates, the protocol chosen by ALPN, the cipher. `None` for a stream of HTTP/2, which
    /// has [`Http2Stream::peer_certificates`].
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn tls(&self) -> Option<&CommonState> {
        match self {
            Self::Tls(stream) => Some(stream.get_ref().1),
            Self::ServerTls(stream) => Some(stream.get_ref().1),
            #[cfg(feature = "http2")]
            Self::Http2(_) => None,
            Self::Tcp(_) | Self::Any(_) => None,
        }
    }

    pub(crate) fn peer_addr(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(stream) => stream.peer_addr().ok(),
            #[cfg(feature = "rustls")]
            Self::Tls(stream) => stream.get_ref().0.peer_addr(),
            #[cfg(feature = "rustls")]
            Self::ServerTls(stream) => stream.get_ref().0.peer_addr().ok(),
            #[cfg(feature = "http2")]
            Self::Http2(stream) => stream.peer_addr(),
            Self::Any(_) => None,
        }
    }

    /// The session over this transport.
    #[cfg(feature = "http2")]
    pub(crate) fn session(&self) -> Session {
        Session {
            peer_addr: self.peer_addr(),
            #[cfg(feature = "rustls")]
            peer_certificates: self
                .tls()
                .and_then(CommonState::peer_certificates)
                .map(<[CertificateDer<'static>]>::to_vec),
        }
    }
}

/// Calls a method of the stream inside.
macro_rules! inside {
    ($transport:expr, $stream:ident => $call:expr) => {
        match $transport.get_mut() {
            Self::Tcp(stream) => {
                let $stream = Pin::new(stream);
                $call
            }
            #[cfg(feature = "rustls")]
            Self::Tls(stream) => {
                let $stream = Pin::new(&mut **stream);
                $call
            }
            #[cfg(feature = "rustls")]
            Self::ServerTls(stream) => {
                let $stream = Pin::new(&mut **stream);
                $call
            }
            #[cfg(feature = "http2")]
            Self::Http2(stream) => {
                let $stream = Pin::new(stream);
                $call
            }
            Self::Any(stream) => {
                let $stream = stream.stream();
                $call
            }
        }
    };
}

impl AsyncRead for Transport {
    #[inline]
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        inside!(self, stream => stream.poll_read(cx, buf))
    }
}

impl AsyncWrite for Transport {
    #[inline]
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        inside!(self, stream => stream.poll_write(cx, buf))
    }

    #[inline]
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        inside!(self, stream => stream.poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Tcp(stream) => stream.is_write_vectored(),
            #[cfg(feature = "rustls")]
            Self::Tls(stream) => stream.is_write_vectored(),
            #[cfg(feature = "rustls")]
            Self::ServerTls(stream) => stream.is_write_vectored(),
            #[cfg(feature = "http2")]
            Self::Http2(stream) => stream.is_write_vectored(),
            Self::Any(stream) => stream.is_write_vectored,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        inside!(self, stream => stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        inside!(self, stream => stream.poll_shutdown(cx))
    }
}
