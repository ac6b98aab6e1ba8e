//! Connections that come back: the caller's dial, run again with growing pauses.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use http::Response;
use tokio::time::{Instant, Sleep, sleep};
use ws_core::{CloseCode, CloseFrame};

use super::error::ConnectError;
use crate::connection::Connection;

/// Connects, and connects again whenever the connection is lost.
///
/// It runs the caller's whole dial each time, since signed URLs and tokens go stale. Between attempts it pauses: 500 ms to 1 s at
/// first, twice as long each time, up to 30 s, at random within that, so that the clients of a server that restarts don't come
/// back all at once. Nothing is sent again: what was sent and not answered before the connection was lost may or may not have
/// arrived, and only the application can know.
///
/// ```
/// # use ws_tokio::{ConnectError, ConnectOptions, Reconnect};
/// # async fn fresh_token() -> String { String::new() }
/// # async fn example() -> Result<(), ConnectError> {
/// let options = ConnectOptions::default();
/// let mut reconnect = Reconnect::new(async || {
///     let url = format!("wss://chat.example/?token={}", fresh_token().await);
///     options.connect(&url).await
/// });
/// while let Some(connection) = reconnect.connect().await {
///     let mut connection = connection?;
///     while let Ok(Some(message)) = connection.recv().await {
///         println!("{message:?}");
///     }
///     // Whether to go on depends on what the server said.
///     reconnect.ended(connection.close_frame());
/// }
/// # Ok(())
/// # }
/// ```
pub struct Reconnect<D, F> {
    dial: D,
    state: State<F>,
    delays: ExponentialBackoff,
    shortest: Duration,
    longest: Duration,
    max_attempts: u32,
    attempts: u32,
    /// When the last connection was made.
    since: Option<Instant>,
    is_final: Box<dyn FnMut(CloseCode) -> bool + Send>,
    is_fatal: Box<dyn FnMut(&ConnectError) -> bool + Send>,
}

enum State<F> {
    /// Dials at once.
    Due,
    Pausing(Pin<Box<Sleep>>),
    Dialing(Pin<Box<F>>),
    Over,
}

impl<D, F, S> Reconnect<D, F>
where
    D: FnMut() -> F,
    F: Future<Output = Result<(Connection<S>, Response<()>), ConnectError>>,
{
    /// Makes it of a dial, which first runs when this is first asked for a connection.
    pub fn new(dial: D) -> Self {
        let (shortest, longest) = (Duration::from_secs(1), Duration::from_secs(30));
        Self {
            dial,
            state: State::Due,
            delays: delays(shortest, longest),
            shortest,
            longest,
            max_attempts: u32::MAX,
            attempts: 0,
            since: None,
            is_final: Box::new(|code| code == CloseCode::POLICY_VIOLATION),
            is_fatal: Box::new(is_fatal),
        }
    }

    /// Sets the longest first pause and the longest of all; each pause is between half of that and all of it. Default 1 s
    /// and 30 s.
    #[must_use]
    pub fn pauses(mut self, first: Duration, longest: Duration) -> Self {
        (self.shortest, self.longest) = (first.min(longest), longest);
        self.delays = delays(self.shortest, self.longest);
        self
    }

    /// Sets how many attempts may fail in a row; the error of the last is returned. Default: no limit.
    #[must_use]
    pub fn max_attempts(self, attempts: u32) -> Self {
        Self { max_attempts: attempts.max(1), ..self }
    }

    /// Sets which codes of the server's close frame are final: there is no connection after them. Default: 1008.
    #[must_use]
    pub fn final_codes(self, is_final: impl FnMut(CloseCode) -> bool + Send + 'static) -> Self {
        Self { is_final: Box::new(is_final), ..self }
    }

    /// Sets which errors of connecting are fatal: they are returned, and there is no further attempt. Default: a refusal with a
    /// 4xx other than 408, 425 and 429, a proxy's likewise, and everything that can't pass with time, such as a bad URL or a
    /// certificate that is refused.
    #[must_use]
    pub fn fatal_errors(
        self,
        is_fatal: impl FnMut(&ConnectError) -> bool + Send + 'static,
    ) -> Self {
        Self { is_fatal: Box::new(is_fatal), ..self }
    }

    /// Returns how many attempts have failed since there was a connection.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Tells how the last connection ended: with the server's close frame, or without one. If its code is final, there is no
    /// further connection. If the connection lasted at least as long as the longest pause, the pauses start anew.
    ///
    /// Without this call, the next connection comes as after a lost one.
    pub fn ended(&mut self, how: Option<&CloseFrame>) {
        if how.is_some_and(|frame| (self.is_final)(frame.code())) {
            self.state = State::Over;
        }
    }

    /// Returns the next connection: the first at once, each further one after a pause. An error is final; after it, and
    /// after a close with a final code, `None`.
    ///
    /// # Cancel safety
    /// This method is cancel-safe: if dropped, the pause or the attempt goes on with the next call.
    pub fn connect(&mut self) -> impl Future<Output = Option<Result<Connection<S>, ConnectError>>> {
        poll_fn(|cx| self.poll_next_connection(cx))
    }

    fn poll_next_connection(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Connection<S>, ConnectError>>> {
        if let (State::Due, Some(since)) = (&self.state, self.since.take()) {
            if since.elapsed() >= self.longest {
                self.delays = delays(self.shortest, self.longest);
            }
            self.pause();
        }
        loop {
            match &mut self.state {
                State::Due => self.state = State::Dialing(Box::pin((self.dial)())),
                State::Pausing(pause) => {
                    ready!(pause.as_mut().poll(cx));
                    self.state = State::Due;
                }
                State::Dialing(dialing) => match ready!(dialing.as_mut().poll(cx)) {
                    Ok((connection, _)) => {
                        self.attempts = 0;
                        self.since = Some(Instant::now());
                        self.state = State::Due;
                        return Poll::Ready(Some(Ok(connection)));
                    }
                    Err(error) => {
                        self.attempts = self.attempts.saturating_add(1);
                        if self.attempts >= self.max_attempts || (self.is_fatal)(&error) {
                            self.state = State::Over;
                            return Poll::Ready(Some(Err(error)));
                        }
                        self.pause();
                    }
                },
                State::Over => return Poll::Ready(None),
            }
        }
    }

    fn pause(&mut self) {
        let pause = self.delays.next().unwrap_or(self.longest);
        self.state = State::Pausing(Box::pin(sleep(pause)));
    }
}

/// Doubling, and at random between half of each and all of it: the builder's jitter adds up to as much again.
fn delays(first: Duration, longest: Duration) -> ExponentialBackoff {
    let builder = ExponentialBuilder::new().with_min_delay(first / 2).with_max_delay(longest / 2);
    builder.without_max_times().with_jitter().build()
}

/// What no further attempt can mend.
fn is_fatal(error: &ConnectError) -> bool {
    let forbids = |status: http::StatusCode| {
        status.is_client_error() && !matches!(status.as_u16(), 408 | 425 | 429)
    };
    match error {
        ConnectError::Refused(response) => forbids(response.status()),
        ConnectError::Io(_) | ConnectError::Timeout(_) | ConnectError::NoAnswer => false,
        #[cfg(feature = "rustls")]
        ConnectError::Tls(crate::tls::TlsError::Handshake(_)) => match error {
            // A stream that breaks may be whole the next time; a certificate stays what it is.
            ConnectError::Tls(tls) => tls.rustls().is_some(),
            _ => false,
        },
        #[cfg(feature = "proxy")]
        ConnectError::Proxy(proxy) => match proxy.status() {
            Some(status) => forbids(status),
            None => matches!(proxy, super::proxy::ProxyError::Url),
        },
        _ => true,
    }
}

#[cfg(feature = "stream")]
impl<D, F, S> futures_core::Stream for Reconnect<D, F>
where
    D: FnMut() -> F + Unpin,
    F: Future<Output = Result<(Connection<S>, Response<()>), ConnectError>>,
{
    type Item = Result<Connection<S>, ConnectError>;

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Connection<S>, ConnectError>>> {
        self.get_mut().poll_next_connection(cx)
    }
}

impl<D, F> fmt::Debug for Reconnect<D, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reconnect").field("attempts", &self.attempts).finish_non_exhaustive()
    }
}
