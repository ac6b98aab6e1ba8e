//! The server's handshake: reads and validates a request (RFC 6455, 4.2).

use std::future::Future;
use std::pin::pin;

use bytes::BytesMut;
use http::Request;
use tokio::io::{AsyncRead, AsyncWrite};
use ws_core::handshake::server::{Accepted, Refusal, Upgrade};

use super::asker::Asker;
use super::error::AcceptError;
use super::incoming::{Incoming, Parts};
use super::options::AcceptOptions;
use super::refuse::{send_refusal, written};
use crate::connection::Connection;
use crate::events;
use crate::machine::Ticket;
use crate::opening::{Deadline, read_head};

/// A request that is accepted, unless the caller refuses it, and the place of its connection.
type Judged = (Request<()>, Accepted, Option<Ticket>);

/// Accepts a WebSocket handshake with the default [`AcceptOptions`].
///
/// # Errors
/// As for [`AcceptOptions::accept`].
///
/// # Cancel safety
/// If dropped, the stream is dropped with it.
pub fn accept<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
) -> impl Future<Output = Result<Connection<S>, AcceptError>> {
    // Boxed together with the stream, so that the future doesn't enlarge the task that awaits it.
    Box::pin(async move { AcceptOptions::default().read(stream).await?.accept().await })
}

impl AcceptOptions {
    /// Accepts a WebSocket handshake (RFC 6455, 4.2).
    ///
    /// A request that is not a handshake, or comes from a web page that may not connect, is refused with an HTTP
    /// response that states the reason.
    ///
    /// # Errors
    /// Returns an [`AcceptError`]. A refused client was sent the reason.
    ///
    /// # Cancel safety
    /// If dropped, the stream is dropped with it.
    pub fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> impl Future<Output = Result<Connection<S>, AcceptError>> {
        // Boxed together with the stream, so that the future doesn't enlarge the task that awaits it.
        Box::pin(async move { self.read(stream).await?.accept().await })
    }

    /// Reads and validates a WebSocket handshake, so that the caller can inspect it before accepting or refusing.
    ///
    /// The time that it may take counts from the call.
    ///
    /// # Errors
    /// As for [`accept`](Self::accept).
    ///
    /// # Cancel safety
    /// If dropped, the stream is dropped with it.
    pub fn read<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> impl Future<Output = Result<Incoming<S>, AcceptError>> {
        self.read_until(self.deadline(), stream, BytesMut::new())
    }

    /// The deadline of a handshake that begins now.
    pub(crate) fn deadline(&self) -> Deadline {
        self.handshake.deadline()
    }

    /// Reads a handshake, of which `leftover` has arrived, and which must be over by this deadline.
    pub(super) async fn read_until<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        deadline: Deadline,
        mut stream: S,
        mut leftover: BytesMut,
    ) -> Result<Incoming<S>, AcceptError> {
        let judged = self.judge_in_time(deadline, &mut stream, &mut leftover).await;
        let settings = self.handshake.settings;
        if let Err(AcceptError::Refused(refusal)) = &judged {
            let refusal = written(refusal.response(Upgrade::Http1), &leftover);
            send_refusal(&mut stream, &refusal, settings.close_timeout).await;
        }
        let (request, accepted, ticket) =
            judged.inspect_err(|error| events::not_accepted(error, error.status()))?;
        let negotiated = self.negotiated(&accepted);
        let asker = Asker::Http1(stream, leftover);
        let parts = Parts { asker, request, accepted, deadline, negotiated, settings, ticket };
        Ok(Incoming::new(parts))
    }

    async fn judge_in_time<S: AsyncRead + Unpin>(
        &self,
        deadline: Deadline,
        stream: &mut S,
        leftover: &mut BytesMut,
    ) -> Result<Judged, AcceptError> {
        if let Ok(judged) = deadline.within(pin!(self.judge(stream, leftover))).await {
            return judged;
        }
        Err(if leftover.is_empty() { AcceptError::Silent } else { Refusal::HeadTimeout.into() })
    }

    /// Reads and validates a request. A refused one stays in `leftover`.
    async fn judge<S: AsyncRead + Unpin>(
        &self,
        stream: &mut S,
        leftover: &mut BytesMut,
    ) -> Result<Judged, AcceptError> {
        let mut reader = self.handshake.reader();
        let judge = |buffer: &[u8]| {
            let Some((request, used)) = reader.request(buffer)? else { return Ok(None) };
            // First of all: so that a health check, which is no handshake, learns of a shutdown.
            let ticket = self.ticket()?;
            let accepted = self.policy.judge(&request, Upgrade::Http1)?;
            Ok::<_, AcceptError>(Some(((request, accepted, ticket), used)))
        };
        read_head(stream, leftover, judge).await?.ok_or(AcceptError::Silent)
    }
}
