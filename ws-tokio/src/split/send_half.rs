//! The half that sends, for any number of tasks.

use std::convert::Infallible;
use std::fmt;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::MutexGuard;
use ws_core::{CloseCode, CloseFrame, Message, MessageKind, PayloadWriter, Utf8Bytes};

use super::Split;
use crate::connection::closed;
use crate::error::Error;
use crate::inbound::Progress;
use crate::outbox::Outbox;
use crate::shared::{Ping, Shared};

/// The half of a [split](crate::Connection::split) connection that sends; clone it for each task that does.
pub struct SendHalf<S>(Arc<Split<S>>);

impl<S> SendHalf<S> {
    pub(super) const fn new(split: Arc<Split<S>>) -> Self {
        Self(split)
    }

    pub(super) const fn split(&self) -> &Arc<Split<S>> {
        &self.0
    }

    /// The turn to send a message: held by whoever streams one.
    pub(crate) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.0.turn.lock().await
    }

    pub(crate) fn may_stream(&self) -> Result<(), Error> {
        self.0.with(|inner| inner.shared.outbound().may_stream())
    }

    /// Does something that may wait.
    pub(crate) fn poll<R>(
        &self,
        cx: &mut Context<'_>,
        mut act: impl FnMut(&mut Shared<S>, &mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        self.0.poll(cx, |inner, cx| act(&mut inner.shared, cx))
    }

    /// Bytes queued for sending and not yet written, by whichever task.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.0.with(|inner| inner.shared.outbound().queued())
    }

    /// The peer's address, where the handshake or the caller told it.
    #[must_use]
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.0.with(|inner| inner.shared.peer_addr())
    }

    /// The sending side, for code that can't wait, as [`Connection::outbox`](crate::Connection::outbox). While another
    /// task streams a message, sending one here is an error.
    #[must_use]
    pub fn outbox(&self) -> Outbox<'_> {
        Outbox::locked(&*self.0)
    }

    /// Queues a ping, to be written like a fed message. The returned future resolves while the receiving half is
    /// polled, and doesn't borrow this one.
    ///
    /// # Errors
    /// As [`Connection::ping`](crate::Connection::ping).
    pub fn ping(&self) -> Result<Ping, Error> {
        self.0.with(|inner| inner.shared.ping())
    }
}

impl<S: AsyncWrite + Unpin> SendHalf<S> {
    /// Sends a message: queues it and writes all that is queued. Waits while another task streams one.
    ///
    /// # Errors
    /// As [`Connection::send`](crate::Connection::send).
    ///
    /// # Cancel safety
    /// If dropped, either the message was not queued or it is queued whole; the connection stays usable.
    pub async fn send(&self, message: impl Into<Message>) -> Result<(), Error> {
        self.feed(message).await?;
        self.flush().await
    }

    /// Queues a message; waits while the queue is full or another task streams one. It is written by
    /// [`flush`](Self::flush), by whoever else flushes or receives, or when more than the high-water mark is queued.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    /// If dropped, either the message was not queued or it is queued whole; the connection stays usable.
    pub async fn feed(&self, message: impl Into<Message>) -> Result<(), Error> {
        let mut message = Some(message.into());
        let _turn = self.turn().await;
        poll_fn(|cx| self.poll(cx, |shared, cx| shared.poll_feed(cx, &mut message))).await
    }

    /// Queues a message whose payload `fill` writes, as [`Outbox::send_with`]; waits while the queue is full or another
    /// task streams a message. How long the message will be isn't known before: the queue may go over its limit by one.
    ///
    /// # Errors
    /// As [`send`](Self::send), or what `fill` failed with; nothing is queued then.
    ///
    /// # Cancel safety
    /// If dropped, either the message was not queued or it is queued whole; the connection stays usable.
    pub async fn feed_with<E: From<Error>>(
        &self,
        kind: MessageKind,
        fill: impl FnOnce(&mut PayloadWriter<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let _turn = self.turn().await;
        self.ready(0).await?;
        self.outbox().send_with(kind, fill)
    }

    /// Writes all that is queued, by whichever task.
    ///
    /// # Errors
    /// [`Error::Io`] where the transport failed.
    ///
    /// # Cancel safety
    /// If dropped, what was not written stays queued; the connection stays usable.
    pub async fn flush(&self) -> Result<(), Error> {
        poll_fn(|cx| self.poll_flush(cx)).await
    }

    /// Waits until a message of `len` bytes has room in the queue.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    /// This method is cancel-safe.
    pub async fn ready(&self, len: usize) -> Result<(), Error> {
        poll_fn(|cx| self.poll_room(cx, len)).await
    }

    pub(crate) fn poll_room(&self, cx: &mut Context<'_>, len: usize) -> Poll<Result<(), Error>> {
        self.poll(cx, |shared, cx| shared.poll_room(cx, len))
    }

    pub(crate) fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.poll(cx, |shared, cx| shared.poll_flush(cx))
    }

    #[cfg(feature = "stream")]
    pub(crate) fn queue(&self, message: Message) -> Result<(), Error> {
        self.0.with(|inner| inner.shared.queue(message))
    }

    /// Ends the connection without a closing handshake, for all halves, as
    /// [`Connection::close_now`](crate::Connection::close_now).
    pub fn close_now(&self) {
        self.0.with(|inner| inner.shared.close_now());
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> SendHalf<S> {
    /// Closes the connection, as [`Connection::close`](crate::Connection::close). The receiving half reads the peer's
    /// answer; where that half is gone, this does.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// If dropped, the close frame is queued or sent, and its deadline runs; call it again to go on.
    pub async fn close(&self, code: CloseCode, reason: impl Into<Utf8Bytes>) -> Result<(), Error> {
        let frame = CloseFrame::new(code, reason)?;
        self.start_closing(&frame);
        poll_fn(|cx| self.poll_closed(cx)).await
    }

    pub(crate) fn start_closing(&self, frame: &CloseFrame) {
        let started = self.0.with(|inner| inner.shared.start_closing(frame));
        if started {
            // The receiving half starts the deadline.
            self.0.wakers.wake_all();
        }
    }

    /// Waits for the end, and brings it about where nobody receives.
    pub(crate) fn poll_closed(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let returned = ready!(self.0.poll(cx, |inner, cx| {
            // What went wrong with writing shows in how the connection ends.
            _ = inner.shared.poll_flush(cx);
            match inner.returned.take() {
                Some(receiving) => Poll::Ready(Some(receiving)),
                None => inner.shared.poll_deadline(cx).map(|()| None),
            }
        }));
        let Some(mut receiving) = returned else {
            return Poll::Ready(closed(self.0.with(|inner| inner.shared.result())));
        };
        let drained = receiving.poll::<S, _, Infallible>(cx, &mut &*self.0, |inbound, _| {
            inbound.borrowed(|_| Progress::Handled)
        });
        self.0.with(|inner| inner.returned = Some(receiving));
        drained.map(|drained| closed(drained.map(drop)))
    }
}

impl<S> Clone for SendHalf<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S> fmt::Debug for SendHalf<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendHalf").field("queued", &self.queued()).finish()
    }
}
