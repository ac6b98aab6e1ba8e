//! The future of a connection that an HTTP server is about to hand over.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::BytesMut;

use super::judged::Judged;
use super::stream::taken_apart;
use crate::connection::Connection;
use crate::events;
use crate::opening::Late;
use crate::server::{AcceptError, established};

/// The future of a connection, made by [`Upgrade::answer`](super::Upgrade::answer).
///
/// It completes once the HTTP server has sent the response. If that doesn't happen before the handshake's deadline, perhaps because
/// the handler awaits this before it has returned the response, it is [`AcceptError::NotHandedOver`]; if the server drops the
/// response or the client leaves, [`AcceptError::Io`].
///
/// # Cancel safety
/// If dropped, the stream is dropped with it.
#[must_use = "the connection is dropped unless this is awaited"]
pub struct Upgrading(Pin<Box<dyn Future<Output = Result<Connection, AcceptError>> + Send>>);

impl Upgrading {
    pub(super) fn new(judged: Box<Judged>) -> Self {
        Self(Box::pin(take_over(judged)))
    }
}

async fn take_over(judged: Box<Judged>) -> Result<Connection, AcceptError> {
    #[cfg(feature = "axum")]
    let proof = judged.proof.clone();
    let Judged { on_upgrade, accepted, deadline, negotiated, settings, ticket, .. } = *judged;
    let handed_over = deadline.within(pin!(on_upgrade)).await;
    #[cfg(feature = "axum")]
    if proof.is_some_and(|proof| proof.is_dropped()) {
        return Err(not_accepted(AcceptError::NotHandedOver));
    }
    let (stream, read) = match handed_over {
        Ok(Ok(upgraded)) => taken_apart(upgraded),
        Ok(Err(error)) => return Err(not_accepted(io::Error::other(error).into())),
        Err(Late) => return Err(not_accepted(AcceptError::NotHandedOver)),
    };
    let negotiated = negotiated.or_peer_addr(|| stream.peer_addr());
    // Copied: it shares the buffer of the HTTP connection, which is larger than what is left in it.
    let leftover = BytesMut::from(&read[..]);
    Ok(established(stream, leftover, &accepted, negotiated, settings, ticket))
}

fn not_accepted(error: AcceptError) -> AcceptError {
    events::not_accepted(&error, None);
    error
}

impl Future for Upgrading {
    type Output = Result<Connection, AcceptError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for Upgrading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Upgrading")
    }
}
