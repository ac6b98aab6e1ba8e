//! A valid request, for the caller to accept or refuse.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, Response, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite};
use ws_core::Role;
use ws_core::handshake::server::{Accepted, refuse};

use super::asker::Asker;
use super::choices::choices;
use super::error::AcceptError;
use crate::connection::{Connection, Negotiated};
use crate::events;
use crate::machine::Ticket;
use crate::opening::{Deadline, speaking};
use crate::settings::Settings;

/// A valid handshake request, to be inspected and then accepted or refused.
///
/// Dropping it drops the stream without a response.
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
/// // Answers with `Sec-WebSocket-Protocol: chat`, without the token.
/// Ok(Some(incoming.accept().await?))
/// # }
/// ```
#[derive(Debug)]
pub struct Incoming<S>(
    /// Boxed, because a request's head is large.
    Box<Parts<S>>,
);

/// The parts of a request that was read.
#[derive(Debug)]
pub(super) struct Parts<S> {
    pub(super) asker: Asker<S>,
    pub(super) request: Request<()>,
    pub(super) accepted: Accepted,
    pub(super) deadline: Deadline,
    pub(super) negotiated: Negotiated,
    pub(super) settings: Settings,
    pub(super) ticket: Option<Ticket>,
}

/// The connection of an accepted request, however it was read: in its tracker, if there is one.
pub(crate) fn established<S>(
    stream: S,
    leftover: BytesMut,
    accepted: &Accepted,
    negotiated: Negotiated,
    settings: Settings,
    ticket: Option<Ticket>,
) -> Connection<S> {
    events::accepted(accepted.subprotocol());
    let negotiated = speaking(negotiated, accepted.subprotocol());
    let mut connection =
        Connection::from_upgraded(stream, Role::Server, leftover, negotiated, settings);
    if let Some(ticket) = ticket {
        connection.track(ticket);
    }
    connection
}

impl<S> Incoming<S> {
    pub(super) fn new(parts: Parts<S>) -> Self {
        Self(Box::new(parts))
    }
}

choices!(impl<S> Incoming<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> Incoming<S> {
    /// Returns the request: its path, query and headers.
    pub fn request(&self) -> &Request<()> {
        &self.0.request
    }

    /// Accepts the request with a 101, or a 200 over HTTP/2.
    ///
    /// # Errors
    /// [`AcceptError::Io`] if the stream fails or the handshake's deadline passes.
    ///
    /// # Cancel safety
    /// If dropped, the stream is dropped with it.
    pub async fn accept(self) -> Result<Connection<S>, AcceptError> {
        self.accept_with(&HeaderMap::new()).await
    }

    /// Accepts the request with a 101, or a 200 over HTTP/2, and these additional headers. The handshake's own headers are ignored, except
    /// that `Sec-WebSocket-Protocol` chooses a subprotocol, as [`choose_subprotocol`](Self::choose_subprotocol) does;
    /// an empty value chooses none.
    ///
    /// # Errors
    /// As for [`accept`](Self::accept), and [`AcceptError::Subprotocol`] if the headers choose a subprotocol that the
    /// client did not offer; the client was sent a 500.
    ///
    /// # Cancel safety
    /// If dropped, the stream is dropped with it.
    pub async fn accept_with(mut self, headers: &HeaderMap) -> Result<Connection<S>, AcceptError> {
        if let Err(error) = self.0.accepted.choose_subprotocol_of(headers) {
            self.refuse(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).await;
            return Err(error.into());
        }
        let Parts { asker, accepted, deadline, negotiated, settings, ticket, .. } = *self.0;
        let (stream, leftover) = asker
            .accept(accepted.response(headers), deadline)
            .await
            .inspect_err(|error| events::not_accepted(error, None))?;
        Ok(established(stream, leftover, &accepted, negotiated, settings, ticket))
    }

    /// Refuses the request with this status and text, and closes the stream.
    ///
    /// A client that doesn't read is dropped after the close timeout.
    pub async fn refuse(self, status: StatusCode, why: impl Into<Bytes>) {
        let mut response = Response::new(why.into());
        *response.status_mut() = status;
        self.refuse_with(response).await;
    }

    /// Refuses the request with this response, and closes the stream. Sets `Connection` and `Content-Length`. A status that would
    /// accept (1xx) becomes 500.
    pub async fn refuse_with(self, response: Response<Bytes>) {
        let response = refuse(response, self.0.asker.upgrade());
        events::refused(response.status());
        self.0.asker.refuse(response, self.0.settings.close_timeout).await;
    }
}
