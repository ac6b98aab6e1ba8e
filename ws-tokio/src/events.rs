//! Events for `tracing`, with that feature: what happens to a connection, and never anything per message.
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

/// A server accepted a handshake.
pub(crate) fn accepted(subprotocol: Option<&str>) {
    event!(debug, subprotocol, "handshake accepted");
}

/// A server refused a handshake, or the peer left.
pub(crate) fn not_accepted(why: &dyn Display) {
    event!(debug, %why, "handshake not accepted");
}

/// The application refused a handshake.
pub(crate) fn refused(status: StatusCode) {
    event!(debug, status = status.as_u16(), "handshake refused");
}

/// A client's handshake was accepted.
pub(crate) fn connected(subprotocol: Option<&str>) {
    event!(debug, subprotocol, "connected");
}

/// A client's handshake failed.
pub(crate) fn not_connected(why: &dyn Display) {
    event!(debug, %why, "not connected");
}

/// A listener can't accept: it pauses.
pub(crate) fn cannot_listen(error: &io::Error) {
    event!(warn, %error, "accepting connections pauses");
}

/// An event under the lock that halves share; it is reported after unlocking.
#[derive(Debug)]
pub(crate) enum Event {
    /// Our close frame is queued.
    CloseQueued(Option<CloseCode>),
    /// The peer's close frame came.
    CloseReceived(Option<CloseCode>),
    /// The heartbeat pings a silent peer.
    Asked,
    /// The stream has ended.
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

/// A span with the peer's address around everything that a served connection does.
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
