//! Receiving messages one at a time.

use std::future::{Future, poll_fn};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite};
use ws_core::{DecodeError, Message, MessageKind, MessageRef};

use super::{Connection, State};
use crate::error::Error;
use crate::machine::{Direct, Inbound, Progress, Receives, Want, Wants, recv_into, recv_with};

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Receives the next message. Returns `None` after the peer closed the connection with 1000, 1001 or no code.
    ///
    /// Pings and a close frame are answered automatically. Messages queued by [`feed`](Self::feed) are written before
    /// this waits. Payloads up to 1 KiB are copied out of the read buffer; larger ones share its memory and keep it
    /// alive.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use ws_tokio::Message;
    ///
    /// let (mut client, mut server) = ws_tokio::pipe().await;
    /// client.send("hello").await?;
    /// client.send(vec![1, 2, 3]).await?;
    /// # client.outbox().close(ws_tokio::CloseCode::NORMAL, "")?;
    /// # client.flush().await?;
    ///
    /// while let Some(message) = server.recv().await? {
    ///     match message {
    ///         Message::Text(text) => println!("{text}"),
    ///         Message::Binary(bytes) => println!("{} bytes", bytes.len()),
    ///     }
    /// }
    /// // The client has closed.
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Closed`] if the peer closed with another code, [`Error::Cut`] if the stream ended without a close
    /// frame, [`Error::Protocol`] if the peer violated the protocol or a limit, [`Error::Io`] if the transport failed.
    /// The connection has then ended, and every further call returns the same error. A peer that keeps its side open
    /// delays an error by at most 250 ms after the close frame was written.
    ///
    /// # Cancel safety
    /// This method is cancel-safe: if dropped, no message is lost.
    pub fn recv(&mut self) -> impl Future<Output = Result<Option<Message>, Error>> {
        // Not an async fn: an idle connection's task holds this future, which is thus only a pointer.
        poll_fn(|cx| self.poll_recv(cx))
    }

    /// Receives the next message into `buffer`, replacing its contents. Returns `None` as [`recv`](Self::recv) does.
    /// Doesn't allocate in the steady state.
    ///
    /// # Errors
    /// As for [`recv`](Self::recv).
    ///
    /// # Cancel safety
    /// This method is cancel-safe: if dropped, no message is lost, and `buffer` is unchanged.
    pub fn recv_into(
        &mut self,
        buffer: &mut Vec<u8>,
    ) -> impl Future<Output = Result<Option<MessageKind>, Error>> {
        recv_into(self, buffer)
    }

    /// Receives the next message and calls `read` with it, borrowed from the read buffer. Returns `None` as
    /// [`recv`](Self::recv) does. Nothing is copied.
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
    /// As for [`recv`](Self::recv).
    ///
    /// # Cancel safety
    /// This method is cancel-safe: if dropped, no message is lost.
    pub fn recv_with<R>(
        &mut self,
        read: impl FnOnce(MessageRef<'_>) -> R,
    ) -> impl Future<Output = Result<Option<R>, Error>> {
        recv_with(self, read)
    }

    /// A small message that is there is returned from here: from the loop that handles all else, it would be moved by way
    /// of several types.
    #[inline]
    pub(crate) fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Message>, Error>> {
        let State { receiving, shared } = &mut *self.0;
        if let Some(message) = receiving.small(shared.arriving()) {
            shared.tell(Wants::NONE.with(Want::Message));
            return Poll::Ready(Ok(Some(message)));
        }
        self.poll_recv_slowly(cx)
    }

    #[inline(never)]
    fn poll_recv_slowly(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Message>, Error>> {
        self.poll_receive(cx, Inbound::owned)
    }

    /// Receives until `step` returns a value. `want` is what the task waits for.
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
