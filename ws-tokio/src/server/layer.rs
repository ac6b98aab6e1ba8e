//! What stands between TCP and WebSocket: nothing, or TLS; and HTTP/2, or not.

use std::future::Future;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::error::AcceptError;
#[cfg(feature = "http2")]
use super::http2::Http2Connection;
use super::incoming::Incoming;
use super::options::AcceptOptions;
#[cfg(any(feature = "rustls", feature = "http2"))]
use super::told::told;
#[cfg(feature = "http2")]
use crate::http2::{Http2Options, Session};
use crate::opening::Deadline;
#[cfg(feature = "http2")]
use crate::opening::Rewound;
#[cfg(feature = "rustls")]
use crate::tls::{ServerTls, TlsStream};
#[cfg(feature = "http2")]
use crate::transport::{AnyStream, Transport};

/// What a [`Server`](crate::Server) speaks below WebSocket: [`Plain`] TCP, or TLS by a `ServerTls`; with HTTP/2 by `WithHttp2`.
pub trait Layer: sealed::Sealed + Send + Sync + 'static {
    /// The stream under its connections.
    type Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// Does this layer's handshake, and reads what the client asks for.
    #[doc(hidden)]
    fn open(
        &self,
        stream: TcpStream,
        options: &AcceptOptions,
    ) -> impl Future<Output = Result<Opened<Self::Stream>, AcceptError>> + Send;
}

/// What a client has opened.
pub enum Opened<S> {
    /// A connection for one WebSocket.
    One(Incoming<S>),
    /// One for many.
    #[cfg(feature = "http2")]
    Many(Box<Http2Connection<Transport, S>>),
}

/// Plain TCP.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

/// HTTP/2 beside HTTP/1.1, over plain TCP or TLS: see [`Server::http2`](crate::Server::http2).
#[cfg(feature = "http2")]
#[derive(Clone, Debug)]
pub struct WithHttp2<L> {
    pub(super) below: L,
    pub(super) options: Http2Options,
}

impl Layer for Plain {
    type Stream = TcpStream;

    async fn open(
        &self,
        stream: TcpStream,
        options: &AcceptOptions,
    ) -> Result<Opened<TcpStream>, AcceptError> {
        one(stream, BytesMut::new(), options, options.deadline()).await
    }
}

#[cfg(feature = "rustls")]
impl Layer for ServerTls {
    type Stream = TlsStream<TcpStream>;

    async fn open(
        &self,
        stream: TcpStream,
        options: &AcceptOptions,
    ) -> Result<Opened<Self::Stream>, AcceptError> {
        let deadline = options.deadline();
        let stream = told(deadline, self.accept(stream)).await?;
        one(stream, BytesMut::new(), options, deadline).await
    }
}

/// By what a client begins with: there is no other way to tell (RFC 9113, 3.3).
#[cfg(feature = "http2")]
impl Layer for WithHttp2<Plain> {
    type Stream = Transport;

    async fn open(
        &self,
        mut stream: TcpStream,
        options: &AcceptOptions,
    ) -> Result<Opened<Transport>, AcceptError> {
        let (Self { below: Plain, options: http2 }, deadline) = (self, options.deadline());
        let mut read = BytesMut::new();
        let is_http2 = told(deadline, begins_http2(&mut stream, &mut read)).await?;
        let stream = Transport::Tcp(stream);
        if is_http2 {
            let session = stream.session();
            let stream = Transport::Any(AnyStream::new(Rewound::new(stream, read)));
            many(stream, session, http2, options, deadline).await
        } else {
            one(stream, read, options, deadline).await
        }
    }
}

/// By ALPN (RFC 9113, 3.2).
#[cfg(all(feature = "http2", feature = "rustls"))]
impl Layer for WithHttp2<ServerTls> {
    type Stream = Transport;

    async fn open(
        &self,
        stream: TcpStream,
        options: &AcceptOptions,
    ) -> Result<Opened<Transport>, AcceptError> {
        let deadline = options.deadline();
        let stream = told(deadline, self.below.accept_http2(stream)).await?;
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(crate::tls::HTTP_2);
        let stream = Transport::Tls(Box::new(stream.map(Transport::Tcp)));
        if is_http2 {
            let session = stream.session();
            many(stream, session, &self.options, options, deadline).await
        } else {
            one(stream, BytesMut::new(), options, deadline).await
        }
    }
}

async fn one<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    read: BytesMut,
    options: &AcceptOptions,
    deadline: Deadline,
) -> Result<Opened<S>, AcceptError> {
    options.read_until(deadline, stream, read).await.map(Opened::One)
}

#[cfg(feature = "http2")]
async fn many(
    stream: Transport,
    session: Session,
    http2: &Http2Options,
    options: &AcceptOptions,
    deadline: Deadline,
) -> Result<Opened<Transport>, AcceptError> {
    let connection =
        Http2Connection::begin(stream, session, Transport::Http2, http2, options, deadline);
    Ok(Opened::Many(Box::new(connection.await?)))
}

/// What an HTTP/2 client sends first (RFC 9113, 3.4).
#[cfg(feature = "http2")]
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Reads until it is plain whether the client speaks HTTP/2.
#[cfg(feature = "http2")]
async fn begins_http2(stream: &mut TcpStream, read: &mut BytesMut) -> std::io::Result<bool> {
    use tokio::io::AsyncReadExt;

    loop {
        let common = read.len().min(PREFACE.len());
        if read[..common] != PREFACE[..common] {
            return Ok(false);
        }
        if common == PREFACE.len() {
            return Ok(true);
        }
        if stream.read_buf(read).await? == 0 {
            return Ok(false);
        }
    }
}

impl sealed::Sealed for Plain {}

#[cfg(feature = "rustls")]
impl sealed::Sealed for ServerTls {}

#[cfg(feature = "http2")]
impl<L> sealed::Sealed for WithHttp2<L> {}

mod sealed {
    pub trait Sealed {}
}
