//! What `tracing` is told, where that feature is on: what happens to a connection, and never anything per message.
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

/// A server accepted no handshake; the peer was told, if it was there.
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

/// Our close frame is queued.
pub(crate) fn close_queued(code: Option<CloseCode>) {
    event!(debug, code = code.map(u16::from), "close queued");
}

/// The peer's close frame came.
pub(crate) fn close_received(code: Option<CloseCode>) {
    event!(debug, code = code.map(u16::from), "close received");
}

/// The heartbeat asks a silent peer.
pub(crate) fn heartbeat() {
    event!(trace, "heartbeat ping queued");
}

/// The stream is done with.
pub(crate) fn ended(result: &Result<(), Error>) {
    match result {
        Ok(()) => event!(debug, "connection ended"),
        Err(error) => event!(debug, %error, "connection ended"),
    }
}

/// All that a served connection does, told with its peer's address.
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
