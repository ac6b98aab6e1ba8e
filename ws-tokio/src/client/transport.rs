//! The stream type of connections made by `connect`, one for all URLs.

use std::fmt;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(feature = "rustls")]
use tokio_rustls::client::TlsStream;
#[cfg(feature = "rustls")]
use tokio_rustls::rustls::ClientConnection;

/// The stream of a connection made by [`connect`](crate::connect).
#[derive(Debug)]
#[non_exhaustive]
pub enum Transport {
    /// Plain TCP, for a `ws` URL.
    Tcp(TcpStream),
    /// TLS over any of these, for a `wss` URL.
    #[cfg(feature = "rustls")]
    Tls(Box<TlsStream<Transport>>),
    /// Any other stream, such as one that [`ConnectOptions::dialer`](crate::ConnectOptions::dialer) made.
    Dialed(Dialed),
}

/// A stream of any type.
pub struct Dialed {
    /// Never locked. So this can be shared between threads like every transport, whether or not the stream can.
    stream: Mutex<Box<dyn Stream>>,
    is_write_vectored: bool,
}

/// What a connection can be made over.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Dialed {
    pub(super) fn new(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        let is_write_vectored = stream.is_write_vectored();
        Self { stream: Mutex::new(Box::new(stream)), is_write_vectored }
    }

    fn stream(&mut self) -> Pin<&mut dyn Stream> {
        Pin::new(&mut **self.stream.get_mut().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Dialed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dialed")
    }
}

impl Transport {
    /// Returns the TLS connection of a `wss` URL, which has the server's certificates and the protocol chosen by ALPN.
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn tls(&self) -> Option<&ClientConnection> {
        match self {
            Self::Tls(stream) => Some(stream.get_ref().1),
            Self::Tcp(_) | Self::Dialed(_) => None,
        }
    }

    pub(crate) fn peer_addr(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(stream) => stream.peer_addr().ok(),
            #[cfg(feature = "rustls")]
            Self::Tls(stream) => stream.get_ref().0.peer_addr(),
            Self::Dialed(_) => None,
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
            Self::Dialed(stream) => {
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
            Self::Dialed(stream) => stream.is_write_vectored,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        inside!(self, stream => stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        inside!(self, stream => stream.poll_shutdown(cx))
    }
}
