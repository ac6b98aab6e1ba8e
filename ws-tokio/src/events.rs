//! Events for the feature `tracing`: the life of a connection, never individual messages.
#![cfg_attr(
    not(feature = "tracing"),
    expect(unused_variables, reason = "without the feature nobody is told")
)]

use std::fmt::Display;
use std::future::Future;
use std::io;
use std::net::SocketAddr;

use http::StatusCode;
use ws_core::CloseCode;

use crate::error::Error;

macro_rules! event {
    ($level:ident, $($event:tt)*) => {{
        #[cfg(feature = "tracing")]
        tracing::$level!(target: "ws_tokio", $($event)*);
    }};
}

/// Reports that the server accepted a handshake.
pub(crate) fn accepted(subprotocol: Option<&str>) {
    event!(debug, subprotocol, "handshake accepted");
}

/// Reports that the server refused a handshake, or that it failed.
pub(crate) fn not_accepted(why: &dyn Display) {
    event!(debug, %why, "handshake not accepted");
}

/// Reports that the application refused a handshake.
pub(crate) fn refused(status: StatusCode) {
    event!(debug, status = status.as_u16(), "handshake refused");
}

/// Reports that serving a connection ended with an error.
pub(crate) fn not_served(error: &dyn Display) {
    event!(debug, %error, "connection served with an error");
}

/// Reports that a client's handshake was accepted.
pub(crate) fn connected(subprotocol: Option<&str>) {
    event!(debug, subprotocol, "connected");
}

/// Reports that a client's handshake failed.
pub(crate) fn not_connected(why: &dyn Display) {
    event!(debug, %why, "not connected");
}

/// Reports that a listener can't accept and pauses.
pub(crate) fn cannot_listen(error: &io::Error) {
    event!(warn, %error, "accepting connections pauses");
}

/// An event recorded under the lock of a split connection, and reported after unlocking.
#[derive(Debug)]
pub(crate) enum Event {
    /// Our close frame was queued.
    CloseQueued(Option<CloseCode>),
    /// The peer's close frame arrived.
    CloseReceived(Option<CloseCode>),
    /// A heartbeat ping was queued.
    Asked,
    /// The connection has ended.
    Ended(Result<(), Error>),
}

impl Event {
    pub(crate) fn tell(self) {
        match self {
            Self::CloseQueued(code) => event!(debug, code = code.map(u16::from), "close queued"),
            Self::CloseReceived(code) => {
                event!(debug, code = code.map(u16::from), "close received");
            }
            Self::Asked => event!(trace, "heartbeat ping queued"),
            Self::Ended(Ok(())) => event!(debug, "connection ended"),
            Self::Ended(Err(error)) => event!(debug, %error, "connection ended"),
        }
    }
}

/// Runs a connection that an HTTP server handed over in a span, a child of its request's.
#[cfg(feature = "axum")]
pub(crate) fn of_upgrade<F: Future>(connection: F) -> impl Future<Output = F::Output> {
    #[cfg(feature = "tracing")]
    let connection = tracing::Instrument::instrument(
        connection,
        tracing::debug_span!(target: "ws_tokio", "connection"),
    );
    connection
}

/// Runs a served connection in a span with the peer's address.
pub(crate) fn of_connection<F: Future>(
    peer: SocketAddr,
    connection: F,
) -> impl Future<Output = F::Output> {
    #[cfg(feature = "tracing")]
    let connection = tracing::Instrument::instrument(
        connection,
        tracing::debug_span!(target: "ws_tokio", "connection", %peer),
    );
    connection
}
