//! Delivering published messages over a connection or its sending half.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite};
use ws_core::{EncodeError, MessageRef};

use super::subscription::{Subscription, TooSlow};
use crate::connection::Connection;
use crate::error::Error;
use crate::machine::{Outbox, Outcome};
use crate::split::SendHalf;

/// Number of messages after which other tasks get a turn: feeding uses none of Tokio's budget.
const MESSAGES_PER_TURN: usize = 256;

/// The reason in the close frame for a client that was too slow.
const REASON: &str = "too slow";

/// The result of feeding a connection.
enum Fed {
    /// Everything was fed; the next message wakes the task.
    All,
    /// [`MESSAGES_PER_TURN`] messages were fed.
    Turn,
    /// The connection has no more room.
    Full,
    Failed(Error),
}

impl Subscription {
    /// Serves a connection until it ends, as [`Connection::run`] does, and delivers published messages meanwhile.
    /// Messages that are queued when the task is polled are written together, along with the handler's replies.
    ///
    /// A client that doesn't read never blocks this: receiving continues, and the topic's [`Slow`](crate::Slow) policy
    /// determines what is queued. A client to be disconnected is sent the policy's code, after the connection's queue
    /// and within [`Settings::close_timeout`](crate::Settings::close_timeout) (5 s). After the topic has ended, or a
    /// close frame was sent, this only receives.
    ///
    /// ```
    /// # use tokio::io::{AsyncRead, AsyncWrite};
    /// # use ws_tokio::{Broadcast, Connection, Error};
    /// # async fn example<S: AsyncRead + AsyncWrite + Unpin>(
    /// #     room: Broadcast,
    /// #     mut connection: Connection<S>,
    /// # ) -> Result<(), Error> {
    /// // A chat room: every client receives all messages, including its own.
    /// let say = |message: ws_tokio::MessageRef<'_>, _: &mut ws_tokio::Outbox<'_>| {
    ///     room.publish(message.to_message());
    /// };
    /// room.subscribe().serve(&mut connection, say).await
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`Connection::run`], and [`Error::Failed`] with the policy's code if the client was too slow.
    ///
    /// # Cancel safety
    /// This method is cancel-safe: if dropped, no message is lost in either direction, and the handler's replies stay
    /// queued.
    pub fn serve<S, H, R>(
        &mut self,
        connection: &mut Connection<S>,
        mut handler: H,
    ) -> impl Future<Output = Result<R::Output, Error>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
        H: FnMut(MessageRef<'_>, &mut Outbox<'_>) -> R,
        R: Outcome,
    {
        // Not an async fn: an idle connection's task holds this future, which is thus only two pointers and the
        // handler.
        poll_fn(move |cx| self.poll_serve(cx, connection, &mut handler))
    }

    /// Delivers published messages through the sending half of a connection, until the topic has ended and everything
    /// is written. Messages queued meanwhile are written together.
    ///
    /// It notices the end of the connection only at the next message, so stop it together with the receiving half:
    ///
    /// ```
    /// # use tokio::io::{AsyncRead, AsyncWrite};
    /// # use ws_tokio::{Connection, Error, Subscription};
    /// # async fn example<S: AsyncRead + AsyncWrite + Unpin>(
    /// #     connection: Connection<S>,
    /// #     mut subscription: Subscription,
    /// # ) -> Result<(), Error> {
    /// let (mut receiving, sending) = connection.split();
    /// tokio::select! {
    ///     ended = receiving.run(|message, outbox| outbox.send(message)) => ended,
    ///     delivered = subscription.forward(&sending) => delivered,
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`SendHalf::send_prepared`], and [`Error::Failed`] with the policy's code if the client was too slow; the
    /// connection was closed with that code, as by [`SendHalf::close`].
    ///
    /// # Cancel safety
    /// This method is cancel-safe: if dropped, no message is lost or sent twice, and the connection stays usable.
    pub async fn forward<S>(&mut self, sending: &SendHalf<S>) -> Result<(), Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        match self.forward_all(sending).await {
            Ok(forwarded) => forwarded,
            Err(slow) => {
                // The receiving half reports the result.
                _ = sending.close(slow.close_code(), REASON).await;
                Err(Error::Failed(slow.close_code()))
            }
        }
    }

    async fn forward_all<S>(&mut self, sending: &SendHalf<S>) -> Result<Result<(), Error>, TooSlow>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        while let Some(message) = self.recv().await? {
            self.next = Some(message);
            let fed = self.feed_through(sending).await?;
            let written = match fed {
                Ok(()) => self.unless_slow(sending.flush()).await?,
                Err(error) => Err(error),
            };
            if written.is_err() {
                return Ok(written);
            }
        }
        Ok(Ok(()))
    }

    /// Feeds the next message and those queued behind it.
    async fn feed_through<S>(&mut self, sending: &SendHalf<S>) -> Result<Result<(), Error>, TooSlow>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        // A message stays in `next` until it is queued.
        while let Some(message) = self.next.clone() {
            if let Err(error) = self.unless_slow(sending.feed_prepared(&message)).await? {
                return Ok(Err(error));
            }
            self.next = None;
            self.next = self.take()?;
        }
        Ok(Ok(()))
    }

    /// Returns the output of the future, unless the queue overflows first.
    async fn unless_slow<T>(&self, future: impl Future<Output = T>) -> Result<T, TooSlow> {
        let mut future = pin!(future);
        poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(value) => Poll::Ready(Ok(value)),
            Poll::Pending => self.poll_slow(cx).map(Err),
        })
        .await
    }

    fn poll_serve<S, H, R>(
        &mut self,
        cx: &mut Context<'_>,
        connection: &mut Connection<S>,
        handler: &mut H,
    ) -> Poll<Result<R::Output, Error>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
        H: FnMut(MessageRef<'_>, &mut Outbox<'_>) -> R,
        R: Outcome,
    {
        loop {
            let fed = self.feed(cx, connection);
            // The run writes what was fed before it waits. Its progress is stored in the connection, so it can be
            // polled once and dropped.
            if let Poll::Ready(ended) = pin!(connection.run(&mut *handler)).poll(cx) {
                return Poll::Ready(ended);
            }
            match fed {
                Fed::All => return Poll::Pending,
                Fed::Turn => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                // The transport wakes the task when it accepts more.
                Fed::Full if connection.queued() > 0 => return Poll::Pending,
                // The run has written everything; feed again.
                Fed::Full => {}
                Fed::Failed(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// Feeds queued messages while the connection has room.
    fn feed<S>(&mut self, cx: &mut Context<'_>, connection: &mut Connection<S>) -> Fed
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        for _ in 0..MESSAGES_PER_TURN {
            let message = match self.poll_recv(cx) {
                Poll::Ready(Ok(Some(message))) => message,
                Poll::Ready(Ok(None)) | Poll::Pending => return Fed::All,
                Poll::Ready(Err(slow)) => return disconnect(connection, slow),
            };
            let fed = pin!(connection.feed_prepared(&message)).poll(cx);
            match fed {
                Poll::Ready(Ok(())) => {}
                // Receiving continues, and reports how the connection ends.
                Poll::Ready(Err(Error::Send(EncodeError::Closed) | Error::Io(_))) => self.leave(),
                Poll::Ready(Err(error)) => {
                    self.next = Some(message);
                    return Fed::Failed(error);
                }
                Poll::Pending => {
                    self.next = Some(message);
                    return match self.poll_slow(cx) {
                        Poll::Pending => Fed::Full,
                        Poll::Ready(slow) => disconnect(connection, slow),
                    };
                }
            }
        }
        Fed::Turn
    }
}

/// Closes the connection because the client was too slow. The run then drives it to its end.
fn disconnect<S>(connection: &mut Connection<S>, slow: TooSlow) -> Fed
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match connection.fail(slow.close_code(), REASON) {
        Ok(()) => Fed::All,
        Err(error) => Fed::Failed(error),
    }
}
