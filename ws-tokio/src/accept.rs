//! The server's handshake over a byte stream: look at the request, then accept or refuse it.

use std::error;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, Response, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout, timeout_at};
use ws_core::Role;
#[cfg(feature = "deflate")]
use ws_core::deflate::{AgreedCompression, CompressionOptions};
use ws_core::handshake::http1::{HeadError, HeadLimits, HeadReader, write_response};
use ws_core::handshake::origin::OriginPolicy;
use ws_core::handshake::server::{Accepted, Policy, Refusal, Upgrade, refuse};

use crate::connection::{Connection, Negotiated};
use crate::events;
use crate::head::{read_head, write_head, write_last};
use crate::settings::Settings;

/// Accepts a WebSocket handshake with the default [`AcceptOptions`].
///
/// # Errors
/// As [`AcceptOptions::accept`].
///
/// # Cancel safety
/// If dropped, the stream is dropped with it.
pub fn accept<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
) -> impl Future<Output = Result<Connection<S>, AcceptError>> {
    // On the heap, the stream too: a task that accepts and then serves is no larger for it.
    Box::pin(async move { AcceptOptions::default().read(stream).await?.accept().await })
}

/// How a server accepts connections. Made once, used for each.
///
/// ```
/// use ws_tokio::{AcceptOptions, Settings};
///
/// let options = AcceptOptions::default()
///     .subprotocols(["chat.v2", "chat"])
///     .settings(Settings::default().max_message(64 << 10));
/// ```
#[derive(Clone, Debug)]
pub struct AcceptOptions {
    policy: Policy,
    head_limits: HeadLimits,
    handshake_timeout: Duration,
    #[cfg(feature = "deflate")]
    compression: CompressionOptions,
    settings: Settings,
}

impl AcceptOptions {
    /// Subprotocols that this server speaks, the one it likes best first. Default none. They are matched in any
    /// case; none in common is no error, but a browser that asked for one then fails the connection.
    #[must_use]
    pub fn subprotocols<I: IntoIterator<Item: Into<String>>>(self, subprotocols: I) -> Self {
        Self { policy: self.policy.subprotocols(subprotocols), ..self }
    }

    /// Which web pages may connect. Default [`OriginPolicy::SameHost`]: those of the request's own host, and
    /// whoever sends no origin, which browsers always do.
    #[must_use]
    pub fn origins(self, origins: OriginPolicy) -> Self {
        Self { policy: self.policy.origins(origins), ..self }
    }

    /// Whether and how to compress messages, where the client offers to. Default off; see
    /// [`Compression`](crate::Compression) for what it costs.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn compression(self, options: impl Into<CompressionOptions>) -> Self {
        let compression = options.into();
        Self { policy: self.policy.compression(compression), compression, ..self }
    }

    /// How large a request's head may be. Default 16 KiB and 128 headers; more is refused with 431.
    #[must_use]
    pub fn head_limits(self, limits: HeadLimits) -> Self {
        Self { head_limits: limits, ..self }
    }

    /// How long the handshake may take. Default 10 s; a silent peer can hold a connection for that long.
    #[must_use]
    pub fn handshake_timeout(self, timeout: Duration) -> Self {
        Self { handshake_timeout: timeout, ..self }
    }

    /// The settings of the connections.
    #[must_use]
    pub fn settings(self, settings: Settings) -> Self {
        Self { settings, ..self }
    }

    /// Accepts a WebSocket handshake (RFC 6455, 4.2).
    ///
    /// What is no handshake, or comes from a page that may not connect, is refused with an HTTP response that says
    /// why.
    ///
    /// # Errors
    /// [`AcceptError`] says what was wrong; the peer was told.
    ///
    /// # Cancel safety
    /// If dropped, the stream is dropped with it.
    pub fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> impl Future<Output = Result<Connection<S>, AcceptError>> {
        // On the heap, the stream too: a task that accepts and then serves is no larger for it.
        Box::pin(async move { self.read(stream).await?.accept().await })
    }

    /// Reads a WebSocket handshake and judges it, so that the caller can look at it before it accepts or refuses.
    ///
    /// # Errors
    /// As [`accept`](Self::accept).
    ///
    /// # Cancel safety
    /// If dropped, the stream is dropped with it.
    pub async fn read<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        mut stream: S,
    ) -> Result<Incoming<S>, AcceptError> {
        let deadline = Instant::now() + self.handshake_timeout;
        let mut leftover = BytesMut::new();
        let judged = match timeout_at(deadline, self.judge(&mut stream, &mut leftover)).await {
            Ok(judged) => judged,
            Err(_) if leftover.is_empty() => Err(AcceptError::Silent),
            Err(_) => Err(AcceptError::Refused(Refusal::HeadTimeout)),
        };
        if let Err(AcceptError::Refused(refusal)) = &judged {
            let response = refusal.response(Upgrade::Http1);
            send_refusal(&mut stream, &response, self.settings.close_timeout).await;
        }
        let (request, accepted) = judged.inspect_err(|error| events::not_accepted(error))?;
        let (negotiated, settings) = (self.negotiated(&accepted), self.settings);
        let parts = Parts { stream, request, leftover, accepted, deadline, negotiated, settings };
        Ok(Incoming(Box::new(parts)))
    }

    fn negotiated(&self, accepted: &Accepted) -> Negotiated {
        let mut negotiated = Negotiated::default();
        if let Some(subprotocol) = accepted.subprotocol() {
            negotiated = negotiated.subprotocol(subprotocol);
        }
        #[cfg(feature = "deflate")]
        if let Some(agreed) = accepted.compression() {
            negotiated = negotiated.compression(agreed, self.compression);
        }
        negotiated
    }

    async fn judge<S: AsyncRead + Unpin>(
        &self,
        stream: &mut S,
        leftover: &mut BytesMut,
    ) -> Result<(Request<()>, Accepted), AcceptError> {
        let mut reader = HeadReader::new(self.head_limits);
        let parse = |buffer: &[u8]| reader.request(buffer).map_err(AcceptError::from);
        let request = read_head(stream, leftover, parse).await?.ok_or(AcceptError::Silent)?;
        let accepted = self.policy.judge(&request, Upgrade::Http1)?;
        Ok((request, accepted))
    }
}

impl Default for AcceptOptions {
    fn default() -> Self {
        Self {
            policy: Policy::new(),
            head_limits: HeadLimits::default(),
            handshake_timeout: Duration::from_secs(10),
            #[cfg(feature = "deflate")]
            compression: CompressionOptions::default(),
            settings: Settings::default(),
        }
    }
}

/// A handshake that is fine so far: look at its request, then accept or refuse it.
///
/// Dropping it drops the stream without an answer.
#[derive(Debug)]
pub struct Incoming<S>(
    /// On the heap: a request's head is large, and a task that looks at it is no larger for it.
    Box<Parts<S>>,
);

#[derive(Debug)]
struct Parts<S> {
    stream: S,
    request: Request<()>,
    leftover: BytesMut,
    accepted: Accepted,
    deadline: Instant,
    negotiated: Negotiated,
    settings: Settings,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Incoming<S> {
    /// The request: its path, query and headers.
    pub fn request(&self) -> &Request<()> {
        &self.0.request
    }

    /// The subprotocol that both ends speak.
    pub fn subprotocol(&self) -> Option<&str> {
        self.0.accepted.subprotocol()
    }

    /// The compression agreed on, if it is accepted.
    #[cfg(feature = "deflate")]
    pub fn compression(&self) -> Option<AgreedCompression> {
        self.0.accepted.compression()
    }

    /// Tells the connection its peer's address.
    #[must_use]
    pub fn with_peer_addr(mut self, address: SocketAddr) -> Self {
        self.0.negotiated = self.0.negotiated.peer_addr(address);
        self
    }

    /// Sets the connection's settings, in place of the options'.
    #[must_use]
    pub fn with_settings(mut self, settings: Settings) -> Self {
        self.0.settings = settings;
        self
    }

    /// Accepts: answers 101.
    ///
    /// # Errors
    /// [`AcceptError::Io`] where the stream failed, or took longer than the handshake's deadline.
    ///
    /// # Cancel safety
    /// If dropped, the stream is dropped with it.
    pub async fn accept(self) -> Result<Connection<S>, AcceptError> {
        self.accept_with(&HeaderMap::new()).await
    }

    /// Accepts: answers 101 with these headers added. Headers that are the handshake's own are left out.
    ///
    /// # Errors
    /// As [`accept`](Self::accept).
    ///
    /// # Cancel safety
    /// If dropped, the stream is dropped with it.
    pub async fn accept_with(mut self, headers: &HeaderMap) -> Result<Connection<S>, AcceptError> {
        let mut head = Vec::new();
        write_response(&self.0.accepted.response(headers).map(|()| ""), &mut head);
        timeout_at(self.0.deadline, write_head(&mut self.0.stream, &head))
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .inspect_err(|error| events::not_accepted(error))?;
        events::accepted(self.0.accepted.subprotocol());
        let Parts { stream, leftover, negotiated, settings, .. } = *self.0;
        Ok(Connection::from_upgraded(stream, Role::Server, leftover, negotiated, settings))
    }

    /// Refuses with this status and a text that says why, and closes the stream.
    ///
    /// A peer that doesn't listen is given up on after the close timeout.
    pub async fn refuse(self, status: StatusCode, why: impl Into<Bytes>) {
        let mut response = Response::new(why.into());
        *response.status_mut() = status;
        self.refuse_with(response).await;
    }

    /// Refuses with this response, and closes the stream. `Connection` and `Content-Length` are set for it.
    pub async fn refuse_with(mut self, response: Response<Bytes>) {
        let response = refuse(response, Upgrade::Http1);
        events::refused(response.status());
        send_refusal(&mut self.0.stream, &response, self.0.settings.close_timeout).await;
    }
}

/// Writes a refusal and lingers, so that it arrives. A peer that doesn't take it is not waited for any longer.
async fn send_refusal<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    response: &Response<Bytes>,
    time: Duration,
) {
    let mut head = Vec::new();
    write_response(response, &mut head);
    _ = timeout(time, write_last(stream, &head)).await;
}

/// Why a handshake was not accepted.
#[derive(Debug)]
#[non_exhaustive]
pub enum AcceptError {
    /// Nothing arrived by the deadline, or the peer left before its request was whole. Nothing was answered.
    Silent,
    /// The request was refused; the peer was told why.
    Refused(Refusal),
    /// The stream failed.
    Io(io::Error),
}

impl fmt::Display for AcceptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent => f.write_str("the peer sent no request"),
            Self::Refused(refusal) => write!(f, "refused with {}: {refusal}", refusal.status()),
            Self::Io(error) => write!(f, "the transport failed: {error}"),
        }
    }
}

impl error::Error for AcceptError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Silent => None,
            Self::Refused(refusal) => Some(refusal),
            Self::Io(error) => Some(error),
        }
    }
}

impl From<Refusal> for AcceptError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<HeadError> for AcceptError {
    fn from(error: HeadError) -> Self {
        Self::Refused(error.into())
    }
}

impl From<io::Error> for AcceptError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
