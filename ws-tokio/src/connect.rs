//! The client's handshake: connect to a URL, or over a stream of the caller's.

use std::error;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;
use ws_core::Role;
#[cfg(feature = "deflate")]
use ws_core::deflate::CompressionOptions;
use ws_core::handshake::client::{
    Accepted, Answer, AnswerError, BodyState, Credentials, IntoTarget, Offer, OfferError,
    RedirectError, RefusalBody, Security, Target, UrlError,
};
use ws_core::handshake::http1::{HeadError, HeadLimits, write_request};
use ws_core::handshake::key::Key;

use crate::connection::{Connection, Negotiated};
use crate::events;
use crate::head::{Deadline, Late, read_head, write_head};
use crate::options::{HandshakeOptions, speaking};
use crate::random::random;
use crate::settings::Settings;
use crate::transport::Transport;

/// How long the body of a refusal is waited for: it mostly comes along with its head, but may have no end.
const BODY_WAIT: Duration = Duration::from_millis(250);

/// Connects to a `ws` or `http` URL with the default [`ConnectOptions`]; also gives the server's answer, whose
/// headers are the caller's.
///
/// # Errors
/// As [`ConnectOptions::connect`].
///
/// # Cancel safety
/// If dropped, the stream is dropped with it.
pub fn connect(
    url: impl IntoTarget,
) -> impl Future<Output = Result<(Connection<Transport>, Response<()>), ConnectError>> {
    let target = url.into_target();
    // On the heap: a task that connects and then talks is no larger for it.
    Box::pin(async move { ConnectOptions::default().connect_to(target).await })
}

/// How a client connects.
///
/// ```
/// use ws_tokio::ConnectOptions;
/// use ws_tokio::http::header::{AUTHORIZATION, HeaderValue};
///
/// let options = ConnectOptions::default()
///     .header(AUTHORIZATION, HeaderValue::from_static("Bearer token"))
///     .subprotocols(["chat"]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct ConnectOptions {
    headers: HeaderMap,
    host: Option<HeaderValue>,
    subprotocols: Vec<String>,
    redirects: u8,
    handshake: HandshakeOptions,
}

impl ConnectOptions {
    /// Adds a header to the request. Those that are the handshake's own are refused when connecting.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// Sets the request's `Host`. Default: the URL's.
    #[must_use]
    pub fn host(self, host: HeaderValue) -> Self {
        Self { host: Some(host), ..self }
    }

    /// Subprotocols to ask for, the one liked best first. Default none.
    #[must_use]
    pub fn subprotocols<I: IntoIterator<Item: Into<String>>>(self, subprotocols: I) -> Self {
        Self { subprotocols: subprotocols.into_iter().map(Into::into).collect(), ..self }
    }

    /// Whether and how to compress messages, where the server agrees. Default off; see
    /// [`Compression`](crate::Compression) for what it costs.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn compression(mut self, options: impl Into<CompressionOptions>) -> Self {
        self.handshake.compression = options.into();
        self
    }

    /// How large an answer's head may be. Default 16 KiB and 128 headers.
    #[must_use]
    pub fn head_limits(mut self, limits: HeadLimits) -> Self {
        self.handshake.head_limits = limits;
        self
    }

    /// How long connecting and the handshake may take together. Default 10 s; [`Duration::MAX`] is for ever.
    #[must_use]
    pub fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.handshake.timeout = timeout;
        self
    }

    /// How many redirects to follow. Default 0: a redirect is a refusal. Credentials don't go to another host,
    /// and TLS is not left for plain text.
    #[must_use]
    pub fn redirects(self, most: u8) -> Self {
        Self { redirects: most, ..self }
    }

    /// The settings of the connection.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.handshake.settings = settings;
        self
    }

    /// Connects to a `ws` or `http` URL over TCP, with `TCP_NODELAY` set; also gives the server's answer.
    ///
    /// A URL in text is read as browsers do, with the feature `url` (see [`Target::parse`]); an [`http::Uri`] is taken as it
    /// is. A user and password in it go along as Basic authorization.
    ///
    /// # Errors
    /// [`ConnectError`]; where the server refused, it holds the response.
    ///
    /// # Cancel safety
    /// If dropped, the stream is dropped with it.
    pub fn connect(
        &self,
        url: impl IntoTarget,
    ) -> impl Future<Output = Result<(Connection<Transport>, Response<()>), ConnectError>> {
        let target = url.into_target();
        // On the heap: a task that connects and then talks is no larger for it.
        Box::pin(self.connect_to(target))
    }

    async fn connect_to(
        &self,
        target: Result<Target, UrlError>,
    ) -> Result<(Connection<Transport>, Response<()>), ConnectError> {
        let deadline = self.handshake.deadline();
        let shaken = in_time(deadline, async { self.follow(target?).await }).await;
        self.outcome(shaken, deadline, Transport::peer_addr).await
    }

    /// Makes a WebSocket connection to a URL over a stream that leads there. For `wss`, that is a stream of TLS.
    ///
    /// Redirects are refusals here.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    ///
    /// # Cancel safety
    /// If dropped, the stream is dropped with it.
    pub fn connect_over<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        url: impl IntoTarget,
    ) -> impl Future<Output = Result<(Connection<S>, Response<()>), ConnectError>> {
        let target = url.into_target();
        // On the heap, the stream too: a task that connects and then talks is no larger for it.
        Box::pin(async move {
            let deadline = self.handshake.deadline();
            let shaking = async {
                let (target, offer) = (target?, self.offer()?);
                self.shake_hands(stream, &target, &offer).await
            };
            let shaken = in_time(deadline, shaking).await;
            self.outcome(shaken, deadline, |_| None).await
        })
    }

    fn offer(&self) -> Result<Offer, ConnectError> {
        let offer = Offer::new().headers(self.headers.clone())?.subprotocols(&self.subprotocols)?;
        #[cfg(feature = "deflate")]
        let offer = offer.compression(self.handshake.compression);
        Ok(match &self.host {
            Some(host) => offer.host(host.clone()),
            None => offer,
        })
    }

    /// Connects, and follows as many redirects as may be.
    async fn follow(&self, mut target: Target) -> Result<Shaken<Transport>, ConnectError> {
        let mut offer = self.offer()?;
        let mut redirects = self.redirects;
        loop {
            let stream = open(&target).await?;
            let refused = match self.shake_hands(stream, &target, &offer).await? {
                Shaken::Refused(refused) => refused,
                accepted @ Shaken::Accepted(_) => return Ok(accepted),
            };
            let Some(left) = redirects.checked_sub(1) else {
                return Ok(Shaken::Refused(refused));
            };
            let Some(redirect) = target.redirect(&refused.response)? else {
                return Ok(Shaken::Refused(refused));
            };
            if redirect.credentials == Credentials::Drop {
                offer = offer.without_credentials();
            }
            (target, redirects) = (redirect.target, left);
        }
    }

    /// Asks, and reads the answer; interim answers are skipped.
    async fn shake_hands<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        mut stream: S,
        target: &Target,
        offer: &Offer,
    ) -> Result<Shaken<S>, ConnectError> {
        let key = Key::from_random(random());
        let mut head = Vec::new();
        write_request(&offer.request(target, &key), &mut head);
        write_head(&mut stream, &head).await?;
        let mut leftover = BytesMut::new();
        let mut reader = self.handshake.reader();
        loop {
            let parse = |buffer: &[u8]| reader.response(buffer).map_err(ConnectError::from);
            let response = read_head(&mut stream, &mut leftover, parse).await?;
            match offer.judge(response.ok_or(ConnectError::NoAnswer)?, &key)? {
                Answer::Interim => {}
                Answer::Accepted(accepted) => {
                    return Ok(Shaken::Accepted(Handshake { stream, leftover, accepted }));
                }
                Answer::Refused(response) => {
                    return Ok(Shaken::Refused(Refused { stream, leftover, response }));
                }
            }
        }
    }

    /// What connecting came to: a connection, or why there is none.
    async fn outcome<S: AsyncRead + Unpin>(
        &self,
        shaken: Result<Shaken<S>, ConnectError>,
        deadline: Deadline,
        peer_addr: impl FnOnce(&S) -> Option<SocketAddr>,
    ) -> Result<(Connection<S>, Response<()>), ConnectError> {
        let error = match shaken {
            Ok(Shaken::Accepted(handshake)) => {
                let peer_addr = peer_addr(&handshake.stream);
                return Ok(self.connection(handshake, peer_addr));
            }
            Ok(Shaken::Refused(refused)) => refused.into_error(deadline).await,
            Err(error) => error,
        };
        events::not_connected(&error);
        Err(error)
    }

    fn connection<S>(
        &self,
        handshake: Handshake<S>,
        peer_addr: Option<SocketAddr>,
    ) -> (Connection<S>, Response<()>) {
        let Handshake { stream, leftover, accepted } = handshake;
        events::connected(accepted.subprotocol());
        let negotiated = speaking(Negotiated::default(), accepted.subprotocol());
        let negotiated = match peer_addr {
            Some(address) => negotiated.peer_addr(address),
            None => negotiated,
        };
        #[cfg(feature = "deflate")]
        let negotiated = self.handshake.compressing(negotiated, accepted.compression());
        let settings = self.handshake.settings;
        let connection =
            Connection::from_upgraded(stream, Role::Client, leftover, negotiated, settings);
        (connection, accepted.into_response())
    }
}

async fn in_time<T>(
    deadline: Deadline,
    handshake: impl Future<Output = Result<T, ConnectError>>,
) -> Result<T, ConnectError> {
    deadline.within(pin!(handshake)).await.unwrap_or(Err(ConnectError::Timeout))
}

/// Opens the stream to a target.
async fn open(target: &Target) -> Result<Transport, ConnectError> {
    match target.security() {
        // Never in plain text what was asked for over TLS.
        Security::Tls => Err(ConnectError::TlsUnsupported),
        Security::Plain => {
            let stream = TcpStream::connect((target.host(), target.port())).await?;
            stream.set_nodelay(true)?;
            Ok(Transport::Tcp(stream))
        }
    }
}

/// How a server answered.
enum Shaken<S> {
    Accepted(Handshake<S>),
    Refused(Refused<S>),
}

struct Handshake<S> {
    stream: S,
    leftover: BytesMut,
    accepted: Accepted,
}

struct Refused<S> {
    stream: S,
    leftover: BytesMut,
    response: Response<()>,
}

impl<S: AsyncRead + Unpin> Refused<S> {
    /// Reads the start of the body: up to 1 KiB, for a moment. What fails then is no worse than the refusal.
    async fn into_error(mut self, deadline: Deadline) -> ConnectError {
        let mut body = RefusalBody::new(&self.response);
        let deadline = deadline.or_after(BODY_WAIT);
        // What arrived by then is kept.
        let (Ok(()) | Err(Late)) = deadline.within(pin!(self.read(&mut body))).await;
        ConnectError::Refused(Box::new(self.response.map(|()| body.into_bytes().into())))
    }

    async fn read(&mut self, body: &mut RefusalBody) {
        while let BodyState::More = body.push(&self.leftover) {
            self.leftover.clear();
            self.leftover.reserve(RefusalBody::LIMIT);
            match self.stream.read_buf(&mut self.leftover).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
    }
}

/// Why a connection could not be made.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL can't be connected to.
    Url(UrlError),
    /// What was asked for can't be asked.
    Offer(OfferError),
    /// The URL asks for TLS, which this build doesn't have. Use [`ConnectOptions::connect_over`] a stream of TLS.
    TlsUnsupported,
    /// The server refused: its response, with as much of its body as came within 250 ms, up to 1 KiB.
    Refused(Box<Response<Bytes>>),
    /// The server's redirect can't be followed.
    Redirect(RedirectError),
    /// The server's answer is no HTTP, or over the limits.
    Head(HeadError),
    /// The server switched protocols, but not to what was asked for.
    Answer(AnswerError),
    /// The stream ended before an answer.
    NoAnswer,
    /// There was no answer within the handshake's timeout.
    Timeout,
    /// The stream could not be opened, or failed.
    Io(io::Error),
}

impl ConnectError {
    /// The status that the server refused with.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Refused(response) => Some(response.status()),
            _ => None,
        }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(error) => error.fmt(f),
            Self::Offer(error) => error.fmt(f),
            Self::TlsUnsupported => {
                f.write_str("the URL asks for TLS, which this build doesn't have")
            }
            Self::Refused(response) => write!(f, "the server refused with {}", response.status()),
            Self::Redirect(error) => error.fmt(f),
            Self::Head(error) => write!(f, "the server's answer can't be read: {error}"),
            Self::Answer(error) => error.fmt(f),
            Self::NoAnswer => f.write_str("the server ended the connection without an answer"),
            Self::Timeout => f.write_str("the server did not answer in time"),
            Self::Io(error) => write!(f, "the transport failed: {error}"),
        }
    }
}

impl error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Url(error) => Some(error),
            Self::Offer(error) => Some(error),
            Self::Redirect(error) => Some(error),
            Self::Head(error) => Some(error),
            Self::Answer(error) => Some(error),
            Self::Io(error) => Some(error),
            Self::TlsUnsupported | Self::Refused(_) | Self::NoAnswer | Self::Timeout => None,
        }
    }
}

macro_rules! from {
    ($($error:ident => $variant:ident),*) => {$(
        impl From<$error> for ConnectError {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        }
    )*};
}
from!(UrlError => Url, OfferError => Offer, RedirectError => Redirect, HeadError => Head, AnswerError => Answer);

impl From<io::Error> for ConnectError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
