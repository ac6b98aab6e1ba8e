//! Sending whole messages.

use std::future::{Future, poll_fn};
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;
use ws_core::{Message, MessageKind, PayloadWriter, PreparedMessage};

use super::Connection;
use crate::error::Error;
use crate::machine::{Outbox, Ping, Shared, Want, Wants};

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
    pub fn send(&mut self, message: impl Into<Message>) -> impl Future<Output = Result<(), Error>> {
        // Not an async fn, which would keep the message twice.
        let mut message = Some(message.into());
        poll_fn(move |cx| {
            ready!(self.poll_feed(cx, &mut message))?;
            self.poll_flush(cx)
        })
    }

    /// Queues a message; waits while the queue is full. It is written when [`recv`](Self::recv) waits, when more than
    /// the high-water mark (64 KiB) is queued, or by [`flush`](Self::flush).
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    /// If dropped, either the message was not queued or it is queued whole; the connection stays usable.
    pub fn feed(&mut self, message: impl Into<Message>) -> impl Future<Output = Result<(), Error>> {
        // Not an async fn, which would keep the message twice.
        let mut message = Some(message.into());
        poll_fn(move |cx| self.poll_feed(cx, &mut message))
    }

    /// Queues a message whose payload `fill` writes straight into the send queue, as [`Outbox::send_with`]; waits while
    /// the queue is full. How long the message will be isn't known before: the queue may go over its limit by one.
    ///
    /// # Errors
    /// As [`send`](Self::send), or what `fill` failed with; nothing is queued then.
    ///
    /// # Cancel safety
    /// If dropped, either the message was not queued or it is queued whole; the connection stays usable.
    pub async fn feed_with<E: From<Error>>(
        &mut self,
        kind: MessageKind,
        fill: impl FnOnce(&mut PayloadWriter<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
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
    pub async fn send_prepared(&mut self, message: &PreparedMessage) -> Result<(), Error> {
        self.feed_prepared(message).await?;
        self.flush().await
    }

    /// Queues a message that other connections are sent too, as [`feed`](Self::feed) one of its own.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    /// If dropped, either the message was not queued or it is queued whole; the connection stays usable.
    pub async fn feed_prepared(&mut self, message: &PreparedMessage) -> Result<(), Error> {
        poll_fn(|cx| {
            self.shared()
                .poll_as(Want::Room, cx, |shared, cx| shared.poll_feed_prepared(cx, message))
        })
        .await
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

    /// Waits until a message of `len` bytes has room in the queue, and takes none: what is fed next, if it is no longer,
    /// is queued at once. Room is made by writing; a message over [`Settings::queue_limit`](crate::Settings) (1 MiB) has
    /// room in an empty queue.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    /// This method is cancel-safe.
    pub async fn ready(&mut self, len: usize) -> Result<(), Error> {
        poll_fn(|cx| self.poll_room(cx, len)).await
    }

    /// Queues a ping, to be written when [`recv`](Self::recv) waits. The returned future doesn't borrow the connection.
    ///
    /// # Errors
    /// [`Error::Send`] after a close frame was sent, [`Error::Io`] where the transport failed. The future fails
    /// with [`Error::Cut`] where the connection ends before the pong.
    pub fn ping(&mut self) -> Result<Ping, Error> {
        let ping = self.shared().ping();
        self.shared().tell(Wants::NONE);
        ping
    }

    /// The sending side, for code that can't wait: what is put in is queued whatever the queue's limit, so that a peer that
    /// doesn't read can make us hold all of it. It is written when [`recv`](Self::recv) waits, or by [`flush`](Self::flush).
    pub fn outbox(&mut self) -> Outbox<'_> {
        let shared = self.shared();
        // They get to it once this is let go of, and find then what was done with it.
        shared.outbound_mut().wake(Wants::ALL);
        shared.tell(Wants::NONE);
        Outbox::new(shared.outbound_mut())
    }

    #[inline]
    fn poll_feed(
        &mut self,
        cx: &mut Context<'_>,
        message: &mut Option<Message>,
    ) -> Poll<Result<(), Error>> {
        let shared = self.shared();
        let len = message.as_ref().map_or(0, |message| message.as_bytes().len());
        if shared.outbound().has_room_at_once(len) {
            shared.waits_no_more(Want::Room);
            return Poll::Ready(message.take().map_or(Ok(()), |message| shared.queue(message)));
        }
        self.poll_feed_slowly(cx, message)
    }

    /// Where there is something to write before.
    #[inline(never)]
    fn poll_feed_slowly(
        &mut self,
        cx: &mut Context<'_>,
        message: &mut Option<Message>,
    ) -> Poll<Result<(), Error>> {
        self.shared().poll_as(Want::Room, cx, |shared, cx| shared.poll_feed(cx, message))
    }

    #[inline]
    pub(crate) fn poll_room(
        &mut self,
        cx: &mut Context<'_>,
        len: usize,
    ) -> Poll<Result<(), Error>> {
        self.shared().poll_as(Want::Room, cx, |shared, cx| shared.poll_room(cx, len))
    }

    #[inline]
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.shared().poll_as(Want::Flush, cx, Shared::poll_flush)
    }
}
