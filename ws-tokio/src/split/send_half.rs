//! The sending half of a split connection.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::SemaphorePermit;
use ws_core::{
    CloseCode, CloseFrame, Message, MessageKind, PayloadWriter, PreparedMessage, Utf8Bytes,
};

use super::lock::{Fed, Split};
use crate::error::Error;
use crate::machine::{Counters, Outbox, Ping, Shared, Waiter, Want};

/// The sending half of a [split](crate::Connection::split) connection; clone it for each task that sends.
pub struct SendHalf<S> {
    split: Arc<Split<S>>,
    /// The task that waits for this half as a sink.
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

    /// Waits for the right to send a message, which a task that streams one holds. Fails immediately once nothing can
    /// be sent.
    pub(crate) async fn turn(&self) -> Result<SemaphorePermit<'_>, Error> {
        if let Ok(turn) = self.split.turn.try_acquire() {
            return Ok(turn);
        }
        let mut turn = pin!(self.split.turn.acquire());
        let mut waiter = Waiter::default();
        poll_fn(|cx| {
            if let Poll::Ready(turn) = turn.as_mut().poll(cx) {
                return Poll::Ready(Ok(turn.expect("it is never closed")));
            }
            self.poll(&mut waiter, Want::End, cx, |shared, _| match shared.outbound().may_send() {
                Ok(()) => Poll::Pending,
                Err(error) => Poll::Ready(Err(error)),
            })
        })
        .await
    }

    /// Calls `feed`, which queues a message or finds no room for it, unless others wait for their turn.
    fn at_once<R>(&self, feed: impl FnOnce(&mut Shared<S>) -> Option<R>) -> Option<R> {
        self.split
            .with(|inner| if self.split.is_turn_free() { feed(&mut inner.shared) } else { None })
    }

    pub(crate) fn may_stream(&self) -> Result<(), Error> {
        self.split.with(|inner| inner.shared.outbound().may_stream())
    }

    /// Polls `act`, which may wait.
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

    /// Returns the traffic so far, as [`Connection::counters`](crate::Connection::counters) does. Received traffic is
    /// as of the receiving half's last read.
    #[must_use]
    pub fn counters(&self) -> Option<Counters> {
        self.split.with(|inner| inner.shared.counters(None))
    }

    /// Returns an outbox, for code that can't wait, as [`Connection::outbox`](crate::Connection::outbox) does. The task
    /// that waits to receive writes the queue. Sending a message returns an error while another task streams one.
    #[must_use]
    pub fn outbox(&self) -> Outbox<'_> {
        Outbox::locked(&*self.split)
    }

    /// Sets the minimum size of messages to compress, for all clones, as
    /// [`Connection::set_compression_threshold`](crate::Connection::set_compression_threshold) does.
    #[cfg(feature = "deflate")]
    pub fn set_compression_threshold(&self, bytes: usize) {
        self.split.with(|inner| inner.shared.outbound_mut().set_compression_threshold(bytes));
    }

    /// Sets the compression level, for all clones, as
    /// [`Connection::set_compression_level`](crate::Connection::set_compression_level) does.
    #[cfg(feature = "deflate")]
    pub fn set_compression_level(&self, level: u8) {
        self.split.with(|inner| inner.shared.outbound_mut().set_compression_level(level));
    }

    /// Queues a ping, which the task that waits to receive writes. The returned future resolves to the round-trip time
    /// while the receiving half is polled, and doesn't borrow this half.
    ///
    /// # Errors
    /// As for [`Connection::ping`](crate::Connection::ping).
    pub fn ping(&self) -> Result<Ping, Error> {
        self.split.with(|inner| inner.shared.ping())
    }
}

impl<S: AsyncWrite + Unpin> SendHalf<S> {
    /// Sends a message: queues it, and writes the queue. Waits while another task streams a message.
    ///
    /// # Errors
    /// As for [`Connection::send`](crate::Connection::send).
    ///
    /// # Cancel safety
    /// If dropped, the message is either queued completely or not at all; the connection stays usable.
    pub async fn send(&self, message: impl Into<Message>) -> Result<(), Error> {
        self.feed(message).await?;
        self.flush().await
    }

    /// Queues a message, to be written by a [`flush`](Self::flush). Waits while the queue is full or another task
    /// streams a message.
    ///
    /// The message is also written when anything queued later is flushed, when the receiving half next waits, and by
    /// the next `feed` once [`Settings::high_water`](crate::Settings) bytes (64 KiB) are queued. No task is woken to
    /// write it: that would make bursts, which are flushed anyway, a fifth more expensive.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    ///
    /// # Cancel safety
    /// If dropped, the message is either queued completely or not at all; the connection stays usable.
    pub fn feed(&self, message: impl Into<Message>) -> impl Future<Output = Result<(), Error>> {
        // Not an async fn, which would store the message twice.
        let mut message = Some(message.into());
        async move {
            if let Some(fed) = self.at_once(|shared| shared.feed_at_once(&mut message)) {
                return fed.map_err(|error| *error);
            }
            let _turn = self.turn().await?;
            self.wait(Want::Room, |shared, cx| shared.poll_feed(cx, &mut message)).await
        }
    }

    /// Queues a message whose payload `fill` writes, as [`Outbox::send_with`] does. Like a message that was
    /// [fed](Self::feed), it is written by a [`flush`](Self::flush). Waits while the queue is full or another task
    /// streams a message. The length isn't known in advance, so the queue may exceed its limit by one message.
    ///
    /// # Errors
    /// As for [`send`](Self::send), or the error of `fill`; nothing is queued then.
    ///
    /// # Cancel safety
    /// If dropped, the message is either queued completely or not at all; the connection stays usable.
    pub async fn feed_with<E: From<Error>>(
        &self,
        kind: MessageKind,
        fill: impl FnOnce(&mut PayloadWriter<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let _turn = self.turn().await?;
        self.ready(0).await?;
        Outbox::locked(&Fed(&self.split)).send_with(kind, fill)
    }

    /// Sends a message that was prepared for several connections, as [`send`](Self::send) does.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    ///
    /// # Cancel safety
    /// If dropped, the message is either queued completely or not at all; the connection stays usable.
    pub async fn send_prepared(&self, message: &PreparedMessage) -> Result<(), Error> {
        self.feed_prepared(message).await?;
        self.flush().await
    }

    /// Queues a message that was prepared for several connections, as [`feed`](Self::feed) does, to be written by a
    /// [`flush`](Self::flush).
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    ///
    /// # Cancel safety
    /// If dropped, the message is either queued completely or not at all; the connection stays usable.
    pub async fn feed_prepared(&self, message: &PreparedMessage) -> Result<(), Error> {
        let len = message.message().as_bytes().len();
        let feed = |shared: &mut Shared<S>| {
            let room = shared.outbound().has_room_at_once(len);
            room.then(|| shared.outbound_mut().prepared(message))
        };
        if let Some(fed) = self.at_once(feed) {
            return fed;
        }
        let _turn = self.turn().await?;
        self.wait(Want::Room, |shared, cx| shared.poll_feed_prepared(cx, message)).await
    }

    /// Writes everything that was queued before this call, or waits until another task has.
    ///
    /// # Errors
    /// [`Error::Io`] if the transport failed.
    ///
    /// # Cancel safety
    /// If dropped, unwritten data stays queued; the connection stays usable.
    pub async fn flush(&self) -> Result<(), Error> {
        let mut mark = None;
        self.wait(Want::Flush, |shared, cx| shared.poll_flush_to(cx, &mut mark)).await
    }

    /// Waits until the queue has room for a message of `len` bytes, as [`Connection::ready`](crate::Connection::ready)
    /// does. The room isn't reserved: another task may use it first.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    ///
    /// # Cancel safety
    /// This method is cancel-safe.
    pub async fn ready(&self, len: usize) -> Result<(), Error> {
        self.wait(Want::Room, |shared, cx| shared.poll_room(cx, len)).await
    }

    /// Ends the connection for all halves without a closing handshake, as
    /// [`Connection::close_now`](crate::Connection::close_now) does.
    pub fn close_now(&self) {
        self.split.with(|inner| inner.shared.close_now());
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> SendHalf<S> {
    /// Closes the connection, as [`Connection::close`](crate::Connection::close) does. The receiving half must be
    /// polled meanwhile, or dropped.
    ///
    /// The receiving half reads the peer's answer, and receives the messages before it. If that half was dropped, this
    /// method reads, and drops the messages. If the half exists but is not polled, the answer is not read: this takes
    /// the whole [`Settings::close_timeout`](crate::Settings) (5 s) and returns [`Error::CloseTimeout`]. A task that
    /// owns both halves should drop the receiving one first, or [reunite](crate::RecvHalf::reunite) them and close the
    /// connection.
    ///
    /// # Errors
    /// As for [`Connection::close`](crate::Connection::close).
    ///
    /// # Cancel safety
    /// If dropped, the close frame is queued or sent, and its deadline keeps running. Call this again to continue.
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
    /// Polls `act`, which may wait, for the sink's task.
    pub(crate) fn poll_sink<R>(
        &mut self,
        want: Want,
        cx: &Context<'_>,
        mut act: impl FnMut(&mut Shared<S>, &mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        self.split.poll(&mut self.sink, want, cx, |inner, cx| act(&mut inner.shared, cx))
    }

    pub(crate) fn queue(&self, message: Message) -> Result<(), Error> {
        self.split.with(|inner| inner.shared.queue(message)).map_err(|error| *error)
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
