//! Sending whole messages.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;
use ws_core::Message;

use super::Connection;
use crate::error::Error;

impl<S: AsyncWrite + Unpin> Connection<S> {
    /// Sends a message: queues it and writes all that is queued.
    ///
    /// Each call costs a system call. To send several messages, or to answer a burst, [`feed`](Self::feed) them:
    /// the next [`recv`](Self::recv) that waits writes them all at once, or [`flush`](Self::flush) does.
    ///
    /// # Errors
    /// [`Error::Send`] after a close frame was sent, [`Error::Io`] where the transport failed.
    ///
    /// # Cancel safety
    /// If dropped, either the message was not queued or it is queued whole; the connection stays usable.
    pub async fn send(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        let mut message = Some(message.into());
        poll_fn(|cx| {
            ready!(self.poll_feed(cx, &mut message))?;
            self.poll_flush(cx)
        })
        .await
    }

    /// Queues a message; waits while the queue is full. It is written when [`recv`](Self::recv) waits, when more than
    /// the high-water mark (64 KiB) is queued, or by [`flush`](Self::flush).
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    /// If dropped, either the message was not queued or it is queued whole; the connection stays usable.
    pub async fn feed(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        let mut message = Some(message.into());
        poll_fn(|cx| self.poll_feed(cx, &mut message)).await
    }

    /// Writes all that is queued.
    ///
    /// # Errors
    /// [`Error::Io`] where the transport failed.
    ///
    /// # Cancel safety
    /// If dropped, what was not written stays queued; the connection stays usable.
    pub async fn flush(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.poll_flush(cx)).await
    }

    /// Queues the message once there is room, and takes it away then.
    fn poll_feed(
        &mut self,
        cx: &mut Context<'_>,
        message: &mut Option<Message>,
    ) -> Poll<Result<(), Error>> {
        let len = message.as_ref().map_or(0, |message| message.as_bytes().len());
        ready!(self.poll_room(cx, len))?;
        Poll::Ready(message.take().map_or(Ok(()), |message| self.queue_message(message)))
    }

    /// Waits until a message of `len` bytes has room. Starts writing where much is queued.
    pub(crate) fn poll_room(
        &mut self,
        cx: &mut Context<'_>,
        len: usize,
    ) -> Poll<Result<(), Error>> {
        let Self { stream, state } = self;
        state.outbound.may_send()?;
        if state.outbound.is_high() {
            // What the transport doesn't take now, the next flush will.
            if let Poll::Ready(written) = state.outbound.poll_flush(cx, stream) {
                written?;
            }
        }
        state.outbound.poll_room(cx, stream, len).map_err(Error::Io)
    }

    pub(crate) fn queue_message(&mut self, message: Message) -> Result<(), Error> {
        self.state.outbound.owned(message, &self.stream)
    }

    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.state.outbound.poll_flush(cx, &mut self.stream).map_err(Error::Io)
    }
}
