//! A server's HTTP/2: each stream of a connection asks for a WebSocket of its own (RFC 8441).

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use h2::ext::Protocol;
use h2::server::SendResponse;
use h2::{RecvStream, server};
use http::{Method, Request};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep_until};
use ws_core::handshake::server::{Refusal, Upgrade};

use super::asked::Asked;
use super::asker::Asker;
use super::error::AcceptError;
use super::incoming::{Incoming, Parts};
use super::options::AcceptOptions;
use super::served::Served;
use super::told::told;
use super::tracker::Tracker;
use crate::events;
use crate::http2::{Http2Options, Http2Stream, Sent, Session, broken};
use crate::opening::Deadline;
use crate::transport::Transport;

impl AcceptOptions {
    /// Serves an HTTP/2 connection (RFC 8441) over a stream of the caller's, for servers with a listener of their own: over TLS, one
    /// whose client has chosen `h2` by ALPN. Calls `handler` with each request, to accept or refuse it, in a task of its own; an error
    /// that it returns is told to `tracing`, at DEBUG. [`Server::http2`](crate::Server::http2) does all of it.
    ///
    /// Returns when the connection has ended, or is closed because no WebSocket was open on it for as long as a handshake may take.
    ///
    /// ```
    /// # async fn example(stream: tokio::net::TcpStream) -> Result<(), ws_tokio::AcceptError> {
    /// use ws_tokio::{AcceptOptions, Http2Options};
    ///
    /// AcceptOptions::default()
    ///     .serve_http2(stream, &Http2Options::default(), async |incoming| {
    ///         if let Ok(mut connection) = incoming.accept().await {
    ///             _ = connection.run(|message, outbox| outbox.send(message)).await;
    ///         }
    ///     })
    ///     .await
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`AcceptError::Silent`] if the client doesn't begin to speak HTTP/2 in the time of a handshake, and [`AcceptError::Io`].
    ///
    /// # Cancel safety
    /// If dropped, the stream is dropped with it, and the connections on it are cut.
    pub async fn serve_http2<T, H, F>(
        &self,
        stream: T,
        http2: &Http2Options,
        handler: H,
    ) -> Result<(), AcceptError>
    where
        T: AsyncRead + AsyncWrite + Unpin,
        H: Fn(Incoming<Transport>) -> F,
        F: Future<Output: Served> + Send + 'static,
    {
        let session = Session::default();
        let connection =
            Http2Connection::begin(stream, session, Transport::Http2, http2, self, self.deadline())
                .await?;
        let places = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
        let take = |incoming, _| {
            let serving = handler(incoming);
            tokio::spawn(async move { serving.await.tell() });
        };
        connection.serve(self, &places, take).await;
        Ok(())
    }
}

/// An HTTP/2 connection over a `T`, whose streams become `S`.
pub struct Http2Connection<T, S> {
    connection: server::Connection<T, Sent>,
    session: Arc<Session>,
    stream: fn(Http2Stream) -> S,
    /// Whether the client was told to open no more streams.
    is_leaving: bool,
    /// Runs while no stream is open.
    idle: Option<Pin<Box<Sleep>>>,
}

impl<T: AsyncRead + AsyncWrite + Unpin, S> Http2Connection<T, S> {
    /// Begins to speak HTTP/2.
    pub(super) async fn begin(
        transport: T,
        session: Session,
        stream: fn(Http2Stream) -> S,
        http2: &Http2Options,
        options: &AcceptOptions,
        deadline: Deadline,
    ) -> Result<Self, AcceptError> {
        let handshake = http2.server(options.handshake.head_limits.longest()).handshake(transport);
        let connection = told(deadline, async { handshake.await.map_err(broken) }).await?;
        let session = Arc::new(session);
        Ok(Self { connection, session, stream, is_leaving: false, idle: None })
    }

    /// Hands over a request for each WebSocket, with its place among `places`, until the connection has ended. One on which no
    /// WebSocket is open for as long as a handshake may take is told to leave, and then left.
    pub(super) async fn serve(
        mut self,
        options: &AcceptOptions,
        places: &Arc<Semaphore>,
        mut take: impl FnMut(Incoming<S>, OwnedSemaphorePermit),
    ) {
        let is_closing = || options.tracker.as_ref().is_some_and(Tracker::is_closing);
        // Who comes after that is told by each answer.
        let mut was_told = is_closing();
        poll_fn(|cx| {
            loop {
                while let Poll::Ready(asked) = self.connection.poll_accept(cx) {
                    let Some(Ok((request, respond))) = asked else { return Poll::Ready(()) };
                    if let Some((incoming, place)) = self.asked(options, places, request, respond) {
                        take(incoming, place);
                    }
                }
                // Looked at where something else has happened, at the latest when the first WebSocket is closed: that has to be cheap.
                if !was_told && is_closing() {
                    was_told = true;
                    self.leave();
                    continue;
                }
                ready!(self.poll_idle(cx, options));
                if self.is_leaving {
                    return Poll::Ready(());
                }
                self.leave();
            }
        })
        .await;
    }

    /// Tells the client to open no more streams (GOAWAY). Those that are open live on.
    fn leave(&mut self) {
        self.is_leaving = true;
        self.idle = None;
        self.connection.graceful_shutdown();
    }

    fn poll_idle(&mut self, cx: &mut Context<'_>, options: &AcceptOptions) -> Poll<()> {
        if Arc::strong_count(&self.session) > 1 {
            self.idle = None;
            return Poll::Pending;
        }
        match &mut self.idle {
            Some(idle) => idle.as_mut().poll(cx),
            None => {
                let Some(until) = options.deadline().at() else { return Poll::Pending };
                let idle = self.idle.insert(Box::pin(sleep_until(until)));
                idle.as_mut().poll(cx)
            }
        }
    }

    /// Judges a request, and refuses it if it is not to be accepted.
    fn asked(
        &self,
        options: &AcceptOptions,
        places: &Arc<Semaphore>,
        request: Request<RecvStream>,
        respond: SendResponse<Sent>,
    ) -> Option<(Incoming<S>, OwnedSemaphorePermit)> {
        let (head, recv) = request.into_parts();
        let request = Request::from_parts(head, ());
        let is_head = request.method() == Method::HEAD;
        let (session, stream) = (self.session.clone(), self.stream);
        let asked = Asked { session, respond, recv, stream, is_head };
        let Ok(place) = places.clone().try_acquire_owned() else {
            asked.send_away();
            return None;
        };
        let protocol = request.extensions().get::<Protocol>();
        let judged = options
            .handshake
            .head_limits
            .check(request.headers())
            .map_err(Refusal::Head)
            .and_then(|()| options.ticket())
            .and_then(|ticket| {
                if request.method() == Method::CONNECT {
                    speaks(protocol.map(Protocol::as_str))?;
                }
                Ok((options.policy.judge(&request, Upgrade::ExtendedConnect)?, ticket))
            });
        let (accepted, ticket) = match judged {
            Ok(judged) => judged,
            Err(refusal) => {
                events::not_accepted(&refusal, Some(refusal.status()));
                asked.refuse(refusal.response(Upgrade::ExtendedConnect));
                return None;
            }
        };
        let negotiated = options.negotiated(&accepted);
        let (asker, deadline) = (Asker::Http2(asked), options.deadline());
        let settings = options.handshake.settings;
        let parts = Parts { asker, request, accepted, deadline, negotiated, settings, ticket };
        Some((Incoming::new(parts), place))
    }
}

/// Checks the `:protocol` of an extended CONNECT, in any case: proxies put there what a client asked to upgrade to.
pub(crate) fn speaks(protocol: Option<&str>) -> Result<(), Refusal> {
    match protocol {
        Some(protocol) if protocol.eq_ignore_ascii_case("websocket") => Ok(()),
        other => Err(Refusal::OtherProtocol(other.unwrap_or_default().to_owned())),
    }
}
