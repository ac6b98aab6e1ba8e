//! Receiving whole messages.

use std::future::{Future, poll_fn};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite};
use ws_core::{DecodeError, Message, MessageKind, MessageRef};

use super::{Connection, State};
use crate::error::Error;
use crate::machine::{Direct, Inbound, Progress, Receives, Want, recv_into, recv_with};

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Receives the next message; `None` once the peer has closed the connection with 1000, 1001 or no code.
    ///
    /// Pings are answered and a close frame is answered and flushed on the way. Whatever was queued by
    /// [`feed`](Self::feed) is written before this waits. Payloads up to 1 KiB are copied out; larger ones share
    /// the memory of the buffer they arrived in, which lives as long as they do.
    ///
    /// # Errors
    /// [`Error::Closed`] where the peer closed with another code, [`Error::Cut`] where the stream ended without a
    /// close frame, [`Error::Protocol`] where the peer broke the protocol or a limit, [`Error::Io`] where the
    /// transport failed. After any of them the connection is over, and each further call says so again. A peer that
    /// stays holds none of them up for longer than 250 ms after the close frame was written.
    ///
    /// # Cancel safety
    /// This method is cancel-safe: if dropped, no message is lost.
    pub fn recv(&mut self) -> impl Future<Output = Result<Option<Message>, Error>> {
        // Not an async fn: an idle connection's task holds this, and it is a pointer.
        poll_fn(|cx| self.poll_recv(cx))
    }

    /// Receives the next message into `buffer`, replacing its contents once the message is whole; `None` as
    /// [`recv`](Self::recv). In the steady state it allocates nothing.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    ///
    /// # Cancel safety
    /// This method is cancel-safe: if dropped, no message is lost, and `buffer` is as it was.
    pub fn recv_into(
        &mut self,
        buffer: &mut Vec<u8>,
    ) -> impl Future<Output = Result<Option<MessageKind>, Error>> {
        recv_into(self, buffer)
    }

    /// Receives the next message and lends it to `read`, in the buffer that it arrived in; `None` as
    /// [`recv`](Self::recv). For what is made of the message without keeping it: nothing is copied.
    ///
    /// ```
    /// # async fn example<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(
    /// #     mut connection: ws_tokio::Connection<S>,
    /// # ) -> Result<(), ws_tokio::Error> {
    /// use ws_tokio::MessageRef;
    ///
    /// let number: Option<Option<u64>> = connection
    ///     .recv_with(|message| match message {
    ///         MessageRef::Text(text) => text.parse().ok(),
    ///         MessageRef::Binary(_) => None,
    ///     })
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    ///
    /// # Cancel safety
    /// This method is cancel-safe: if dropped, no message is lost.
    pub fn recv_with<R>(
        &mut self,
        read: impl FnOnce(MessageRef<'_>) -> R,
    ) -> impl Future<Output = Result<Option<R>, Error>> {
        recv_with(self, read)
    }

    pub(crate) fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Message>, Error>> {
        self.poll_receive(cx, Inbound::owned)
    }

    /// Receives until `step` has a value, for somebody who waits so.
    pub(super) fn poll_receive_as<T>(
        &mut self,
        want: Want,
        cx: &mut Context<'_>,
        mut step: impl FnMut(&mut Inbound) -> Result<Progress<T>, DecodeError>,
    ) -> Poll<Result<Option<T>, Error>> {
        let State { receiving, shared } = &mut *self.0;
        receiving.poll(cx, &mut Direct { shared, want }, |inbound, _| step(inbound))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Receives for Connection<S> {
    fn poll_receive<T>(
        &mut self,
        cx: &mut Context<'_>,
        step: impl FnMut(&mut Inbound) -> Result<Progress<T>, DecodeError>,
    ) -> Poll<Result<Option<T>, Error>> {
        self.poll_receive_as(Want::Message, cx, step)
    }
}
