//! The server's handshake over a byte stream: look at the request, then accept or refuse it.

use std::error;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, Response, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use ws_core::Role;
#[cfg(feature = "deflate")]
use ws_core::deflate::{AgreedCompression, CompressionOptions};
use ws_core::handshake::http1::{HeadError, HeadLimits, write_response};
use ws_core::handshake::origin::OriginPolicy;
use ws_core::handshake::server::{
    Accepted, Policy, Refusal, SubprotocolNotOffered, Upgrade, refuse,
};

use crate::connection::{Connection, Negotiated};
use crate::events;
use crate::head::{Deadline, Late, read_head, write_head, write_last};
use crate::options::{HandshakeOptions, speaking};
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
#[derive(Clone, Debug, Default)]
pub struct AcceptOptions {
    policy: Policy,
    handshake: HandshakeOptions,
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
    pub fn compression(mut self, options: impl Into<CompressionOptions>) -> Self {
        self.handshake.compression = options.into();
        Self { policy: self.policy.compression(self.handshake.compression), ..self }
    }

    /// How large a request's head may be. Default 16 KiB and 128 headers; more is refused with 431.
    #[must_use]
    pub fn head_limits(mut self, limits: HeadLimits) -> Self {
        self.handshake.head_limits = limits;
        self
    }

    /// How long the handshake may take. Default 10 s; a silent peer can hold a connection for that long.
    /// [`Duration::MAX`] is for ever.
    #[must_use]
    pub fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.handshake.timeout = timeout;
        self
    }

    /// The settings of the connections.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.handshake.settings = settings;
        self
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
        let deadline = self.handshake.deadline();
        let mut leftover = BytesMut::new();
        let judged = self.judge_in_time(deadline, &mut stream, &mut leftover).await;
        let settings = self.handshake.settings;
        if let Err(AcceptError::Refused(refusal)) = &judged {
            let refusal = written(refusal.response(Upgrade::Http1), &leftover);
            send_refusal(&mut stream, &refusal, settings.close_timeout).await;
        }
        let (request, accepted) = judged.inspect_err(|error| events::not_accepted(error))?;
        let negotiated = Negotiated::default();
        #[cfg(feature = "deflate")]
        let negotiated = self.handshake.compressing(negotiated, accepted.compression());
        let parts = Parts { stream, request, leftover, accepted, deadline, negotiated, settings };
        Ok(Incoming(Box::new(parts)))
    }

    async fn judge_in_time<S: AsyncRead + Unpin>(
        &self,
        deadline: Deadline,
        stream: &mut S,
        leftover: &mut BytesMut,
    ) -> Result<(Request<()>, Accepted), AcceptError> {
        if let Ok(judged) = deadline.within(pin!(self.judge(stream, leftover))).await {
            return judged;
        }
        Err(if leftover.is_empty() { AcceptError::Silent } else { Refusal::HeadTimeout.into() })
    }

    /// Reads and judges a request. One that is refused stays in `leftover`.
    async fn judge<S: AsyncRead + Unpin>(
        &self,
        stream: &mut S,
        leftover: &mut BytesMut,
    ) -> Result<(Request<()>, Accepted), AcceptError> {
        let mut reader = self.handshake.reader();
        let judge = |buffer: &[u8]| {
            let Some((request, used)) = reader.request(buffer)? else { return Ok(None) };
            let accepted = self.policy.judge(&request, Upgrade::Http1)?;
            Ok::<_, AcceptError>(Some(((request, accepted), used)))
        };
        read_head(stream, leftover, judge).await?.ok_or(AcceptError::Silent)
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
    deadline: Deadline,
    negotiated: Negotiated,
    settings: Settings,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Incoming<S> {
    /// The request: its path, query and headers.
    pub fn request(&self) -> &Request<()> {
        &self.0.request
    }

    /// The subprotocol that both ends speak: the one that was chosen, by the options or by
    /// [`choose_subprotocol`](Self::choose_subprotocol).
    pub fn subprotocol(&self) -> Option<&str> {
        self.0.accepted.subprotocol()
    }

    /// The subprotocols that the client offers, as it wrote them, the one it likes best first.
    ///
    /// Pages in browsers can't set headers, so some clients carry a token among them.
    ///
    /// ```no_run
    /// # use ws_tokio::{AcceptError, AcceptOptions, Connection};
    /// # use ws_tokio::http::StatusCode;
    /// # use tokio::net::TcpStream;
    /// # async fn example(stream: TcpStream) -> Result<Option<Connection<TcpStream>>, AcceptError> {
    /// // Sec-WebSocket-Protocol: chat, bearer.TOKEN
    /// let mut incoming = AcceptOptions::default().read(stream).await?;
    /// let token = incoming.offered_subprotocols().find_map(|it| it.strip_prefix("bearer."));
    /// if token != Some("TOKEN") || incoming.choose_subprotocol("chat").is_err() {
    ///     incoming.refuse(StatusCode::UNAUTHORIZED, "who are you?").await;
    ///     return Ok(None);
    /// }
    /// // Answers `Sec-WebSocket-Protocol: chat`, and not the token.
    /// Ok(Some(incoming.accept().await?))
    /// # }
    /// ```
    pub fn offered_subprotocols(&self) -> impl Iterator<Item = &str> {
        self.0.accepted.offered_subprotocols()
    }

    /// Chooses a subprotocol that the client offers, in place of the options' choice. It is found in any case, and answered
    /// as the client wrote it.
    ///
    /// # Errors
    /// The client did not offer it. What was chosen before stays.
    pub fn choose_subprotocol(&mut self, name: &str) -> Result<(), SubprotocolNotOffered> {
        self.0.accepted.choose_subprotocol(name)
    }

    /// Chooses no subprotocol, whatever the options chose. A browser that asked for one then fails the connection.
    pub fn choose_no_subprotocol(&mut self) {
        self.0.accepted.choose_no_subprotocol();
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

    /// Accepts: answers 101 with these headers added. Headers that are the handshake's own are left out, but
    /// `Sec-WebSocket-Protocol` chooses a subprotocol, as [`choose_subprotocol`](Self::choose_subprotocol) does; an empty
    /// one chooses none.
    ///
    /// # Errors
    /// As [`accept`](Self::accept), and [`AcceptError::Subprotocol`] where these headers choose a subprotocol that the client
    /// did not offer: it got a 500.
    ///
    /// # Cancel safety
    /// If dropped, the stream is dropped with it.
    pub async fn accept_with(mut self, headers: &HeaderMap) -> Result<Connection<S>, AcceptError> {
        if let Err(error) = self.0.accepted.choose_subprotocol_of(headers) {
            self.refuse(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).await;
            return Err(error.into());
        }
        let mut head = Vec::new();
        write_response(&self.0.accepted.response(headers).map(|()| ""), &mut head);
        self.0
            .deadline
            .within(pin!(write_head(&mut self.0.stream, &head)))
            .await
            .unwrap_or_else(|Late| Err(io::ErrorKind::TimedOut.into()))
            .inspect_err(|error| events::not_accepted(error))?;
        Ok(self.into_connection())
    }

    fn into_connection(self) -> Connection<S> {
        let Parts { stream, leftover, accepted, negotiated, settings, .. } = *self.0;
        events::accepted(accepted.subprotocol());
        let negotiated = speaking(negotiated, accepted.subprotocol());
        Connection::from_upgraded(stream, Role::Server, leftover, negotiated, settings)
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
        let refusal = written(response, b"GET");
        send_refusal(&mut self.0.stream, &refusal, self.0.settings.close_timeout).await;
    }
}

/// A refusal as it goes on the wire. One of a HEAD request has the headers of a body and none (RFC 9110, 9.3.2).
fn written(response: Response<Bytes>, request: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    let request = request.strip_prefix(b"\r\n").unwrap_or(request);
    if request.starts_with(b"HEAD ") {
        write_response(&response.map(|_| ""), &mut wire);
    } else {
        write_response(&response, &mut wire);
    }
    wire
}

/// Writes a refusal and lingers, so that it arrives. A peer that doesn't take it is not waited for any longer.
async fn send_refusal<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    refusal: &[u8],
    time: Duration,
) {
    _ = timeout(time, write_last(stream, refusal)).await;
}

/// Why a handshake was not accepted.
#[derive(Debug)]
#[non_exhaustive]
pub enum AcceptError {
    /// Nothing arrived by the deadline, or the peer left before its request was whole. Nothing was answered.
    Silent,
    /// The request was refused; the peer was told why.
    Refused(Refusal),
    /// The server chose a subprotocol that the client did not offer; the client got a 500.
    Subprotocol(SubprotocolNotOffered),
    /// The stream failed.
    Io(io::Error),
}

impl fmt::Display for AcceptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent => f.write_str("the peer sent no request"),
            Self::Refused(refusal) => write!(f, "refused with {}: {refusal}", refusal.status()),
            Self::Subprotocol(error) => error.fmt(f),
            Self::Io(error) => write!(f, "the transport failed: {error}"),
        }
    }
}

impl error::Error for AcceptError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Silent => None,
            Self::Refused(refusal) => Some(refusal),
            Self::Subprotocol(error) => Some(error),
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

impl From<SubprotocolNotOffered> for AcceptError {
    fn from(error: SubprotocolNotOffered) -> Self {
        Self::Subprotocol(error)
    }
}

impl From<io::Error> for AcceptError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
