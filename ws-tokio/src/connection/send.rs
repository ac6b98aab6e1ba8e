//! Sending messages.

use std::future::{Future, poll_fn};
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;
use ws_core::{Message, MessageKind, PayloadWriter, PreparedMessage};

use super::Connection;
use crate::error::Error;
use crate::machine::{Outbox, Ping, Shared, Want, Wants, boxed};

impl<S: AsyncWrite + Unpin> Connection<S> {
    /// Sends a message: queues it, and writes the whole queue.
    ///
    /// Each call costs a system call. To send several messages, or to answer a burst, use [`feed`](Self::feed): the
    /// next [`recv`](Self::recv) that waits, or a [`flush`](Self::flush), writes them all at once.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (mut connection, _peer) = ws_tokio::pipe().await;
    /// connection.send("text").await?;
    /// connection.send(format!("{} bytes", 3)).await?;
    /// connection.send(vec![1, 2, 3]).await?;
    /// connection.send(bytes::Bytes::from_static(b"shared, not copied")).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Send`] after a close frame was sent, [`Error::Io`] if the transport failed.
    ///
    /// # Cancel safety
    /// If dropped, the message is either queued completely or not at all; the connection stays usable.
    pub fn send(&mut self, message: impl Into<Message>) -> impl Future<Output = Result<(), Error>> {
        // Not an async fn, which would store the message twice.
        let mut message = Some(message.into());
        poll_fn(move |cx| {
            ready!(self.poll_feed(cx, &mut message))?;
            self.poll_flush(cx)
        })
    }

    /// Queues a message, waiting while the queue is full. The queue is written when [`recv`](Self::recv) waits, by the
    /// next `feed` once it holds [`Settings::high_water`](crate::Settings) bytes (64 KiB), and by
    /// [`flush`](Self::flush).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (mut connection, _peer) = ws_tokio::pipe().await;
    /// for line in ["one", "two", "three"] {
    ///     connection.feed(line).await?;
    /// }
    /// // All in one write.
    /// connection.flush().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    ///
    /// # Cancel safety
    /// If dropped, the message is either queued completely or not at all; the connection stays usable.
    pub fn feed(&mut self, message: impl Into<Message>) -> impl Future<Output = Result<(), Error>> {
        // Not an async fn, which would store the message twice.
        let mut message = Some(message.into());
        poll_fn(move |cx| self.poll_feed(cx, &mut message))
    }

    /// Queues a message whose payload `fill` writes directly into the send queue, as [`Outbox::send_with`] does. Waits
    /// while the queue is full. The length isn't known in advance, so the queue may exceed its limit by one message.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (mut connection, _peer) = ws_tokio::pipe().await;
    /// use std::io::Write;
    ///
    /// use ws_tokio::{Error, MessageKind};
    ///
    /// let (x, y) = (3, 4);
    /// connection
    ///     .feed_with(MessageKind::Text, |payload| write!(payload, "{x} {y}").map_err(Error::Io))
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`send`](Self::send), or the error of `fill`; nothing is queued then.
    ///
    /// # Cancel safety
    /// If dropped, the message is either queued completely or not at all; the connection stays usable.
    pub async fn feed_with<E: From<Error>>(
        &mut self,
        kind: MessageKind,
        fill: impl FnOnce(&mut PayloadWriter<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.ready(0).await?;
        self.outbox().send_with(kind, fill)
    }

    /// Sends a message that was prepared for several connections, as [`send`](Self::send) does.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    ///
    /// # Cancel safety
    /// If dropped, the message is either queued completely or not at all; the connection stays usable.
    pub async fn send_prepared(&mut self, message: &PreparedMessage) -> Result<(), Error> {
        self.feed_prepared(message).await?;
        self.flush().await
    }

    /// Queues a message that was prepared for several connections, as [`feed`](Self::feed) does.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    ///
    /// # Cancel safety
    /// If dropped, the message is either queued completely or not at all; the connection stays usable.
    pub async fn feed_prepared(&mut self, message: &PreparedMessage) -> Result<(), Error> {
        poll_fn(|cx| {
            self.shared()
                .poll_as(Want::Room, cx, |shared, cx| shared.poll_feed_prepared(cx, message))
        })
        .await
    }

    /// Writes the whole queue, and flushes the transport.
    ///
    /// # Errors
    /// [`Error::Io`] if the transport failed.
    ///
    /// # Cancel safety
    /// If dropped, unwritten data stays queued; the connection stays usable.
    pub async fn flush(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.poll_flush(cx)).await
    }

    /// Waits until the queue has room for a message of `len` bytes, so that feeding a message of up to that size won't
    /// wait. Makes room by writing. A message longer than [`Settings::queue_limit`](crate::Settings) (1 MiB) fits into
    /// an empty queue.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    ///
    /// # Cancel safety
    /// This method is cancel-safe.
    pub async fn ready(&mut self, len: usize) -> Result<(), Error> {
        poll_fn(|cx| self.poll_room(cx, len)).await
    }

    /// Queues a ping, which is written when [`recv`](Self::recv) waits. The returned future resolves to the round-trip
    /// time, and doesn't borrow the connection.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (mut connection, mut peer) = ws_tokio::pipe().await;
    /// # tokio::spawn(async move { peer.recv().await });
    /// let ping = connection.ping()?;
    /// // The pong arrives while something receives.
    /// tokio::select! {
    ///     took = ping => println!("there and back in {:?}", took?),
    ///     message = connection.recv() => println!("{:?} came first", message?),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Send`] after a close frame was sent, [`Error::Io`] if the transport failed. The future returns
    /// [`Error::Cut`] if the connection ends before the pong.
    pub fn ping(&mut self) -> Result<Ping, Error> {
        let ping = self.shared().ping();
        self.shared().tell(Wants::NONE);
        ping
    }

    /// Returns an outbox, for code that can't wait. It ignores the queue's limit, so memory is unbounded if the peer
    /// doesn't read. The queue is written when [`recv`](Self::recv) waits, or by [`flush`](Self::flush).
    pub fn outbox(&mut self) -> Outbox<'_> {
        let shared = self.shared();
        // Other tasks can access the connection only after this borrow, and then find the queued messages.
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
        self.poll_feed_boxed(cx, message).map_err(|error| *error)
    }

    #[inline]
    fn poll_feed_boxed(
        &mut self,
        cx: &mut Context<'_>,
        message: &mut Option<Message>,
    ) -> Poll<Result<(), Box<Error>>> {
        let shared = self.shared();
        if let Some(fed) = shared.feed_at_once(message) {
            shared.waits_no_more(Want::Room);
            return Poll::Ready(fed);
        }
        self.poll_feed_slowly(cx, message)
    }

    /// The slow path, which may write or wait.
    #[inline(never)]
    fn poll_feed_slowly(
        &mut self,
        cx: &mut Context<'_>,
        message: &mut Option<Message>,
    ) -> Poll<Result<(), Box<Error>>> {
        let fed = self.shared().poll_as(Want::Room, cx, |shared, cx| shared.poll_feed(cx, message));
        fed.map_err(boxed)
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
