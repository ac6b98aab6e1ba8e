//! What the features `tracing` and `metrics` are told: the life of a connection, never individual messages.
#![cfg_attr(
    not(feature = "tracing"),
    expect(unused_variables, reason = "without the feature nobody is told")
)]

pub(crate) mod hub;

use std::fmt::Display;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
#[cfg(any(feature = "tracing", feature = "metrics"))]
use std::time::Duration;

use http::StatusCode;
use ws_core::CloseCode;
#[cfg(feature = "metrics")]
use ws_core::Role;

use crate::error::Error;

/// What stands for a close frame without a code, and for none (RFC 6455, 7.4.1).
pub(crate) const NO_STATUS: u16 = 1005;
pub(crate) const ABNORMAL: u16 = 1006;

macro_rules! event {
    ($level:ident, $($event:tt)*) => {{
        #[cfg(feature = "tracing")]
        tracing::$level!(target: "ws_tokio", $($event)*);
    }};
}
use event;

/// Reports that the server accepted a handshake.
pub(crate) fn accepted(subprotocol: Option<&str>) {
    event!(debug, subprotocol, "handshake accepted");
}

/// Reports that the server refused a handshake with this status, or that it failed.
pub(crate) fn not_accepted(why: &dyn Display, status: Option<StatusCode>) {
    #[cfg(feature = "metrics")]
    status.into_iter().for_each(crate::metrics::refused);
    event!(debug, status = status.map(|status| status.as_u16()), %why, "handshake not accepted");
}

/// Reports that the application refused a handshake.
pub(crate) fn refused(status: StatusCode) {
    #[cfg(feature = "metrics")]
    crate::metrics::refused(status);
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
    Ended(Ended, Result<(), Error>),
    /// The connection was dropped before it has ended.
    #[cfg(any(feature = "tracing", feature = "metrics"))]
    Dropped(Ended),
}

/// How a connection ended, besides its result.
#[derive(Debug)]
pub(crate) struct Ended {
    #[cfg(feature = "metrics")]
    pub(crate) role: Role,
    /// The code of the closing handshake, or the one that stands for it (RFC 6455, 7.4.1).
    #[cfg(any(feature = "tracing", feature = "metrics"))]
    pub(crate) code: u16,
    #[cfg(feature = "tracing")]
    pub(crate) by: Option<Side>,
    #[cfg(any(feature = "tracing", feature = "metrics"))]
    pub(crate) after: Duration,
    #[cfg(feature = "metrics")]
    pub(crate) passed: crate::metrics::Passed,
}

/// Who closed a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Side {
    Us,
    Peer,
}

impl Event {
    pub(crate) fn tell(self) {
        match self {
            Self::CloseQueued(code) => event!(debug, code = code.map(u16::from), "close queued"),
            Self::CloseReceived(code) => {
                event!(debug, code = code.map(u16::from), "close received");
            }
            Self::Asked => event!(trace, "heartbeat ping queued"),
            Self::Ended(ended, result) => {
                #[cfg(feature = "tracing")]
                let (code, by, after) = (ended.code, ended.by.map(name), ended.after);
                match result {
                    Ok(()) => event!(debug, code, by, ?after, "connection ended"),
                    Err(error) => event!(debug, code, by, ?after, %error, "connection ended"),
                }
                ended.count();
            }
            #[cfg(any(feature = "tracing", feature = "metrics"))]
            Self::Dropped(ended) => {
                event!(debug, by = ended.by.map(name), after = ?ended.after, "connection dropped");
                ended.count();
            }
        }
    }
}

impl Ended {
    #[cfg(feature = "metrics")]
    fn count(self) {
        crate::metrics::closed(self.role, self.code, self.after);
        self.passed.tell();
    }

    #[cfg(not(feature = "metrics"))]
    fn count(self) {}
}

#[cfg(feature = "tracing")]
const fn name(side: Side) -> &'static str {
    match side {
        Side::Us => "us",
        Side::Peer => "peer",
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
