//! Delivery of what is published, over a connection and over the half of one.

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

/// Feeding costs nothing of Tokio's budget: after so many messages, other tasks get a turn.
const MESSAGES_PER_TURN: usize = 256;

/// What a client that is disconnected is told beside the code.
const REASON: &str = "too slow";

/// How far feeding a connection has come.
enum Fed {
    /// As far as there is anything to feed; the task is woken when there is more.
    All,
    /// As far as a turn goes.
    Turn,
    /// As far as there is room.
    Full,
    Failed(Error),
}

impl Subscription {
    /// Serves a connection to its end, as [`Connection::run`] does, and delivers meanwhile what is published. What is
    /// queued here when the task has its turn leaves in one write, with the handler's replies.
    ///
    /// A client that doesn't read never holds this up: the connection goes on receiving, while what is published is
    /// queued, or not, as the topic's [`Slow`](crate::Slow) says. One that is to be disconnected is told so with the
    /// policy's code, behind what its connection has queued, and within
    /// [`Settings::close_timeout`](crate::Settings::close_timeout) (5 s). Once the topic has ended, or a close frame was sent,
    /// only receiving goes on.
    ///
    /// ```
    /// # use tokio::io::{AsyncRead, AsyncWrite};
    /// # use ws_tokio::{Broadcast, Connection, Error};
    /// # async fn example<S: AsyncRead + AsyncWrite + Unpin>(
    /// #     room: Broadcast,
    /// #     mut connection: Connection<S>,
    /// # ) -> Result<(), Error> {
    /// // A chat room: what a client says, all hear, itself included.
    /// let say = |message: ws_tokio::MessageRef<'_>, _: &mut ws_tokio::Outbox<'_>| {
    ///     room.publish(message.to_message());
    /// };
    /// room.subscribe().serve(&mut connection, say).await
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Connection::run`], and [`Error::Failed`] with the policy's code where the client was too slow.
    ///
    /// # Cancel safety
    /// This method is cancel-safe: if dropped, no message is lost in either direction, and what the handler sent is
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
        // Not an async fn: an idle connection's task holds this, and it is two pointers and the handler.
        poll_fn(move |cx| self.poll_serve(cx, connection, &mut handler))
    }

    /// Delivers what is published through the half of a connection, until the topic has ended and all of it is written.
    /// What is queued here meanwhile leaves in one write.
    ///
    /// It learns from the next message that the connection has ended. So let it end with the half that receives:
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
    /// As [`SendHalf::send_prepared`], and [`Error::Failed`] with the policy's code where the client was too slow: the
    /// connection was closed with it then, as by [`SendHalf::close`].
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
                // How that went, the receiving half tells.
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

    /// Feeds the next message and all behind it.
    async fn feed_through<S>(&mut self, sending: &SendHalf<S>) -> Result<Result<(), Error>, TooSlow>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        // Until it is queued it stays the next.
        while let Some(message) = self.next.clone() {
            if let Err(error) = self.unless_slow(sending.feed_prepared(&message)).await? {
                return Ok(Err(error));
            }
            self.next = None;
            self.next = self.take()?;
        }
        Ok(Ok(()))
    }

    /// What the future comes to, unless the queue overflows before.
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
            // Before it waits it writes what was fed. Progress lives in the connection, so a run may be of one poll.
            if let Poll::Ready(ended) = pin!(connection.run(&mut *handler)).poll(cx) {
                return Poll::Ready(ended);
            }
            match fed {
                Fed::All => return Poll::Pending,
                Fed::Turn => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                // The transport wakes the task when it takes more.
                Fed::Full if connection.queued() > 0 => return Poll::Pending,
                // The run wrote all of it after all.
                Fed::Full => {}
                Fed::Failed(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// Feeds what is queued here, as far as the connection takes it.
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
                // Receiving goes on: it knows how the connection ends.
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

/// Tells the client that it was too slow. Running the connection brings it to its end.
fn disconnect<S>(connection: &mut Connection<S>, slow: TooSlow) -> Fed
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match connection.fail(slow.close_code(), REASON) {
        Ok(()) => Fed::All,
        Err(error) => Fed::Failed(error),
    }
}
