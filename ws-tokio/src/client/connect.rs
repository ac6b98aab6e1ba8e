//! Connecting to a URL and following redirects.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;

use http::Response;
use tokio::io::{AsyncRead, AsyncWrite};
use ws_core::Role;
use ws_core::handshake::client::{Credentials, IntoTarget, Offer, Target, UrlError};

use super::dial::Versions;
use super::error::ConnectError;
use super::handshake::{Accepted, Answered, shake_hands};
#[cfg(feature = "http2")]
use super::http2::Either;
use super::options::ConnectOptions;
use super::progress::{Progress, Step};
use crate::connection::{Connection, Negotiated};
use crate::events;
use crate::opening::{Deadline, Late, speaking};
use crate::transport::Transport;

/// Connects to a `ws`, `wss`, `http` or `https` URL with the default [`ConnectOptions`]. Also returns the server's
/// response, whose headers the caller may want.
///
/// # Errors
/// See [`ConnectOptions::connect`].
///
/// # Cancel safety
/// If dropped, the stream is dropped with it.
pub fn connect(
    url: impl IntoTarget,
) -> impl Future<Output = Result<(Connection<Transport>, Response<()>), ConnectError>> {
    let target = url.into_target();
    // Boxed, so that the future doesn't enlarge the task that awaits it.
    Box::pin(async move { ConnectOptions::default().connect_to(target).await })
}

impl ConnectOptions {
    /// Connects to a `ws`, `wss`, `http` or `https` URL. Also returns the server's response.
    ///
    /// All addresses of the host are raced (RFC 8305): the next one is tried 250 ms after the previous, or as soon as
    /// that fails. `TCP_NODELAY` is set. For `wss`, TLS needs the feature `rustls`, a provider and roots; see [the
    /// features](crate#features).
    ///
    /// With the feature `url`, a string is parsed as browsers parse URLs (see [`Target::parse`]); an [`http::Uri`] is
    /// used as is. A user and password in the URL are sent as Basic authorization.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use ws_tokio::http::header::{AUTHORIZATION, HeaderValue};
    /// use ws_tokio::{ConnectError, ConnectOptions};
    ///
    /// let options =
    ///     ConnectOptions::default().header(AUTHORIZATION, HeaderValue::from_static("Bearer token"));
    /// match options.connect("ws://127.0.0.1:9001/").await {
    ///     Ok((mut connection, _response)) => connection.send("hello").await?,
    ///     Err(ConnectError::Refused(response)) => {
    ///         println!("{}: {}", response.status(), String::from_utf8_lossy(response.body()));
    ///     }
    ///     Err(error) => return Err(error.into()),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns a [`ConnectError`]. If the server refused the handshake, it contains the response.
    ///
    /// # Cancel safety
    /// If dropped, the stream is dropped with it.
    pub fn connect(
        &self,
        url: impl IntoTarget,
    ) -> impl Future<Output = Result<(Connection<Transport>, Response<()>), ConnectError>> {
        let target = url.into_target();
        // Boxed, so that the future doesn't enlarge the task that awaits it.
        Box::pin(self.connect_to(target))
    }

    async fn connect_to(
        &self,
        target: Result<Target, UrlError>,
    ) -> Result<(Connection<Transport>, Response<()>), ConnectError> {
        let deadline = self.handshake.deadline();
        let progress = Progress::new();
        let asking = async { self.follow(target?, &progress).await };
        let answered = in_time(deadline, &progress, asking).await;
        self.outcome(answered, deadline, Transport::peer_addr).await
    }

    /// Performs the handshake over a stream that is already connected to the URL's host; for `wss`, a TLS stream.
    ///
    /// Redirects are treated as refusals.
    ///
    /// ```no_run
    /// # #[cfg(unix)]
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use tokio::net::UnixStream;
    /// use ws_tokio::ConnectOptions;
    ///
    /// let stream = UnixStream::connect("/run/app.sock").await?;
    /// let (mut connection, _response) =
    ///     ConnectOptions::default().connect_over(stream, "ws://localhost/").await?;
    /// # connection.send("hello").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// See [`connect`](Self::connect).
    ///
    /// # Cancel safety
    /// If dropped, the stream is dropped with it.
    pub fn connect_over<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        url: impl IntoTarget,
    ) -> impl Future<Output = Result<(Connection<S>, Response<()>), ConnectError>> {
        let target = url.into_target();
        // Boxed together with the stream, so that the future doesn't enlarge the task that awaits it.
        Box::pin(async move {
            let deadline = self.handshake.deadline();
            let asking = async {
                let (target, offer) = (target?, self.offer()?);
                shake_hands(stream, &target, &offer, self.handshake.reader()).await
            };
            let answered = in_time(deadline, &Progress::new(), asking).await;
            self.outcome(answered, deadline, |_| None).await
        })
    }

    /// Connects, following redirects up to the limit.
    async fn follow(
        &self,
        mut target: Target,
        progress: &Progress,
    ) -> Result<Answered<Transport>, ConnectError> {
        let mut offer = self.offer()?;
        let mut redirects = self.redirects;
        loop {
            let refused = match self.ask(&target, &offer, progress).await? {
                Answered::Refused(refused) => refused,
                accepted @ Answered::Accepted(_) => return Ok(accepted),
            };
            let Some(left) = redirects.checked_sub(1) else {
                return Ok(Answered::Refused(refused));
            };
            let Some(redirect) = target.redirect(refused.response())? else {
                return Ok(Answered::Refused(refused));
            };
            if redirect.credentials == Credentials::Drop {
                offer = offer.without_credentials();
            }
            (target, redirects) = (redirect.target, left);
        }
    }

    /// Asks the target, over HTTP/2 if that is preferred and can be.
    async fn ask(
        &self,
        target: &Target,
        offer: &Offer,
        progress: &Progress,
    ) -> Result<Answered<Transport>, ConnectError> {
        #[cfg(feature = "http2")]
        let stream = match &self.sessions {
            Some(sessions) => match sessions.ask(&self.way, target, offer, progress).await? {
                Either::Answered(answered) => return Ok(answered),
                Either::Http1(stream) => stream,
            },
            None => self.way.dial(target, Versions::Http1, progress).await?,
        };
        #[cfg(not(feature = "http2"))]
        let stream = self.way.dial(target, Versions::Http1, progress).await?;
        progress.begin(Step::Handshake);
        shake_hands(stream, target, offer, self.handshake.reader()).await
    }

    /// Converts the server's answer into a connection or an error.
    pub(super) async fn outcome<S: AsyncRead + Unpin>(
        &self,
        answered: Result<Answered<S>, ConnectError>,
        deadline: Deadline,
        peer_addr: impl FnOnce(&S) -> Option<SocketAddr>,
    ) -> Result<(Connection<S>, Response<()>), ConnectError> {
        let error = match answered {
            Ok(Answered::Accepted(accepted)) => {
                let peer_addr = peer_addr(&accepted.stream);
                return Ok(self.connection(accepted, peer_addr));
            }
            Ok(Answered::Refused(refused)) => refused.into_error(deadline).await,
            Err(error) => error,
        };
        events::not_connected(&error);
        Err(error)
    }

    fn connection<S>(
        &self,
        accepted: Accepted<S>,
        peer_addr: Option<SocketAddr>,
    ) -> (Connection<S>, Response<()>) {
        let Accepted { stream, leftover, facts } = accepted;
        events::connected(facts.subprotocol());
        let negotiated = speaking(Negotiated::default(), facts.subprotocol());
        let negotiated = match peer_addr {
            Some(address) => negotiated.peer_addr(address),
            None => negotiated,
        };
        #[cfg(feature = "deflate")]
        let negotiated = self.handshake.compressing(negotiated, facts.compression());
        let settings = self.handshake.settings;
        let connection =
            Connection::from_upgraded(stream, Role::Client, leftover, negotiated, settings);
        (connection, facts.into_response())
    }
}

pub(super) async fn in_time<T>(
    deadline: Deadline,
    progress: &Progress,
    handshake: impl Future<Output = Result<T, ConnectError>>,
) -> Result<T, ConnectError> {
    let late = || Err(ConnectError::Timeout(progress.step()));
    deadline.within(pin!(handshake)).await.unwrap_or_else(|Late| late())
}
