//! The half that sends, for any number of tasks.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::MutexGuard;
use ws_core::{
    CloseCode, CloseFrame, Message, MessageKind, PayloadWriter, PreparedMessage, Utf8Bytes,
};

use super::lock::Split;
use crate::error::Error;
use crate::machine::{Counters, Outbox, Ping, Shared, Waiter, Want};

/// The half of a [split](crate::Connection::split) connection that sends; clone it for each task that does.
pub struct SendHalf<S> {
    split: Arc<Split<S>>,
    /// Whoever waits for this half as a sink.
    #[cfg(feature = "stream")]
    sink: Waiter,
}

impl<S> SendHalf<S> {
    pub(super) fn new(split: Arc<Split<S>>) -> Self {
        Self {
            split,
            #[cfg(feature = "stream")]
            sink: Waiter::default(),
        }
    }

    pub(super) const fn split(&self) -> &Arc<Split<S>> {
        &self.split
    }

    /// The turn to send a message: held by whoever streams one. Nobody waits for it once nothing can be sent.
    pub(crate) async fn turn(&self) -> Result<MutexGuard<'_, ()>, Error> {
        if let Ok(turn) = self.split.turn.try_lock() {
            return Ok(turn);
        }
        let mut turn = pin!(self.split.turn.lock());
        let mut waiter = Waiter::default();
        poll_fn(|cx| {
            if let Poll::Ready(turn) = turn.as_mut().poll(cx) {
                return Poll::Ready(Ok(turn));
            }
            self.poll(&mut waiter, Want::End, cx, |shared, _| match shared.outbound().may_send() {
                Ok(()) => Poll::Pending,
                Err(error) => Poll::Ready(Err(error)),
            })
        })
        .await
    }

    pub(crate) fn may_stream(&self) -> Result<(), Error> {
        self.split.with(|inner| inner.shared.outbound().may_stream())
    }

    /// Does something that may wait.
    pub(crate) fn poll<R>(
        &self,
        waiter: &mut Waiter,
        want: Want,
        cx: &Context<'_>,
        mut act: impl FnMut(&mut Shared<S>, &mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        self.split.poll(waiter, want, cx, |inner, cx| act(&mut inner.shared, cx))
    }

    async fn wait<R>(
        &self,
        want: Want,
        mut act: impl FnMut(&mut Shared<S>, &mut Context<'_>) -> Poll<R>,
    ) -> R {
        let mut waiter = Waiter::default();
        poll_fn(|cx| self.poll(&mut waiter, want, cx, &mut act)).await
    }

    /// What passed so far, as [`Connection::counters`](crate::Connection::counters); what was received, as of when the
    /// receiving half last waited.
    #[must_use]
    pub fn counters(&self) -> Option<Counters> {
        self.split.with(|inner| inner.shared.counters(None))
    }

    /// The sending side, for code that can't wait, as [`Connection::outbox`](crate::Connection::outbox). Whoever waits to
    /// receive writes what is put in. While another task streams a message, sending one here is an error.
    #[must_use]
    pub fn outbox(&self) -> Outbox<'_> {
        Outbox::locked(&*self.split)
    }

    /// From the next message on, deflates messages of at least so many bytes, as
    /// [`Connection::set_compression_threshold`](crate::Connection::set_compression_threshold), for all clones.
    #[cfg(feature = "deflate")]
    pub fn set_compression_threshold(&self, bytes: usize) {
        self.split.with(|inner| inner.shared.outbound_mut().set_compression_threshold(bytes));
    }

    /// From the next message on, deflates at this level, as
    /// [`Connection::set_compression_level`](crate::Connection::set_compression_level), for all clones.
    #[cfg(feature = "deflate")]
    pub fn set_compression_level(&self, level: u8) {
        self.split.with(|inner| inner.shared.outbound_mut().set_compression_level(level));
    }

    /// Queues a ping, which whoever waits to receive writes. The returned future resolves while the receiving half is
    /// polled, and doesn't borrow this one.
    ///
    /// # Errors
    /// As [`Connection::ping`](crate::Connection::ping).
    pub fn ping(&self) -> Result<Ping, Error> {
        self.split.with(|inner| inner.shared.ping())
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

    /// Queues a message, which needs a [`flush`](Self::flush) to be written; waits while the queue is full or another task
    /// streams one.
    ///
    /// It also leaves with whatever else is flushed, when the receiving half next goes to wait, and once more than the
    /// high-water mark (64 KiB) is queued. But it wakes nobody to write it: for a burst that is flushed anyway, that would
    /// cost a fifth more.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    /// If dropped, either the message was not queued or it is queued whole; the connection stays usable.
    pub async fn feed(&self, message: impl Into<Message>) -> Result<(), Error> {
        let mut message = Some(message.into());
        let _turn = self.turn().await?;
        self.wait(Want::Room, |shared, cx| shared.poll_feed(cx, &mut message)).await
    }

    /// Queues a message, which needs a [`flush`](Self::flush) as one that is [fed](Self::feed); `fill` writes its payload, as
    /// in [`Outbox::send_with`]. Waits while the queue is full or another task streams a message. How long the message will be isn't known before: the queue may go over its limit by one.
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
        let _turn = self.turn().await?;
        self.ready(0).await?;
        self.outbox().send_with(kind, fill)
    }

    /// Sends a message that other connections are sent too, as [`send`](Self::send) one of its own.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    /// If dropped, either the message was not queued or it is queued whole; the connection stays usable.
    pub async fn send_prepared(&self, message: &PreparedMessage) -> Result<(), Error> {
        self.feed_prepared(message).await?;
        self.flush().await
    }

    /// Queues a message that other connections are sent too, which needs a [`flush`](Self::flush), as
    /// [`feed`](Self::feed) one of its own.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    /// If dropped, either the message was not queued or it is queued whole; the connection stays usable.
    pub async fn feed_prepared(&self, message: &PreparedMessage) -> Result<(), Error> {
        let _turn = self.turn().await?;
        self.wait(Want::Room, |shared, cx| shared.poll_feed_prepared(cx, message)).await
    }

    /// Writes all that is queued, by whichever task; what others queue meanwhile is not waited for.
    ///
    /// # Errors
    /// [`Error::Io`] where the transport failed.
    ///
    /// # Cancel safety
    /// If dropped, what was not written stays queued; the connection stays usable.
    pub async fn flush(&self) -> Result<(), Error> {
        let mut mark = None;
        self.wait(Want::Flush, |shared, cx| shared.poll_flush_to(cx, &mut mark)).await
    }

    /// Waits until a message of `len` bytes has room in the queue, and takes none, as
    /// [`Connection::ready`](crate::Connection::ready): another task may be quicker to fill it.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    /// This method is cancel-safe.
    pub async fn ready(&self, len: usize) -> Result<(), Error> {
        self.wait(Want::Room, |shared, cx| shared.poll_room(cx, len)).await
    }

    /// Ends the connection without a closing handshake, for all halves, as
    /// [`Connection::close_now`](crate::Connection::close_now).
    pub fn close_now(&self) {
        self.split.with(|inner| inner.shared.close_now());
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> SendHalf<S> {
    /// Closes the connection, as [`Connection::close`](crate::Connection::close), while the receiving half is polled or once
    /// it is dropped.
    ///
    /// The receiving half reads the peer's answer, and gets the messages that come before it; where that half is gone, this
    /// reads, and drops them. Where it is there and nobody polls it, the answer is not read: closing takes the whole
    /// [`Settings::close_timeout`](crate::Settings) (5 s) and is [`Error::CloseTimeout`]. A task that has both halves drops
    /// the receiving one first, or [reunites](crate::RecvHalf::reunite) them and closes the connection.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// If dropped, the close frame is queued or sent, and its deadline runs; call it again to go on.
    pub async fn close(&self, code: CloseCode, reason: impl Into<Utf8Bytes>) -> Result<(), Error> {
        let frame = CloseFrame::new(code, reason)?;
        self.start_closing(&frame);
        let mut waiter = Waiter::default();
        poll_fn(|cx| self.split.poll_closed(&mut waiter, cx)).await
    }

    pub(crate) fn start_closing(&self, frame: &CloseFrame) {
        self.split.with(|inner| inner.shared.start_closing(frame));
    }
}

#[cfg(feature = "stream")]
impl<S: AsyncRead + AsyncWrite + Unpin> SendHalf<S> {
    /// Does something that may wait, as a sink.
    pub(crate) fn poll_sink<R>(
        &mut self,
        want: Want,
        cx: &Context<'_>,
        mut act: impl FnMut(&mut Shared<S>, &mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        self.split.poll(&mut self.sink, want, cx, |inner, cx| act(&mut inner.shared, cx))
    }

    pub(crate) fn queue(&self, message: Message) -> Result<(), Error> {
        self.split.with(|inner| inner.shared.queue(message))
    }

    pub(crate) fn poll_sink_closed(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.split.poll_closed(&mut self.sink, cx)
    }
}

impl<S> Clone for SendHalf<S> {
    fn clone(&self) -> Self {
        Self::new(self.split.clone())
    }
}

impl<S> fmt::Debug for SendHalf<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendHalf").field("queued", &self.queued()).finish()
    }
}
