//! A subscription to a topic.

use std::fmt;
use std::future::{Future, poll_fn};
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use ws_core::{MessageRef, PreparedMessage};

use super::deliver::{Source, forward, poll_serve};
use super::inbox::{Inbox, TooSlow};
use super::queue::Taken;
use super::single::{Seat, Topic};
use super::topic::Chair;
use crate::connection::Connection;
use crate::error::Error;
use crate::machine::{Outbox, Outcome};
use crate::split::SendHalf;

/// A subscription to a [`Broadcast`](crate::Broadcast), with a queue of the messages published since.
///
/// There are three ways to deliver them: [`serve`](Self::serve) for a task that owns a connection,
/// [`forward`](Self::forward) for one that sends through a half, and [`recv`](Self::recv) for any other. Each of their
/// futures can be dropped at any point, and another can continue. Dropping the subscription unsubscribes immediately
/// and drops queued messages.
pub struct Subscription {
    topic: Arc<Topic>,
    inbox: Inbox<Seat>,
}

impl Subscription {
    pub(super) const fn new(topic: Arc<Topic>, seat: Seat) -> Self {
        Self { topic, inbox: Inbox::new(seat) }
    }

    /// Receives the next message. Returns `None` after the last [`Broadcast`](crate::Broadcast) was dropped and all
    /// earlier messages were received.
    ///
    /// ```
    /// use tokio::io::{AsyncRead, AsyncWrite};
    /// use ws_tokio::{CloseCode, Connection, Error, Subscription};
    ///
    /// async fn by_hand<S: AsyncRead + AsyncWrite + Unpin>(
    ///     mut connection: Connection<S>,
    ///     mut subscription: Subscription,
    /// ) -> Result<(), Error> {
    ///     loop {
    ///         tokio::select! {
    ///             received = connection.recv() => match received? {
    ///                 Some(message) => println!("{message:?}"),
    ///                 None => return Ok(()),
    ///             },
    ///             // Fed messages are written when `connection.recv()` waits.
    ///             published = subscription.recv() => match published {
    ///                 Ok(Some(message)) => connection.feed_prepared(&message).await?,
    ///                 Ok(None) => return connection.close(CloseCode::GOING_AWAY, "").await,
    ///                 Err(slow) => return connection.close(slow.close_code(), "too slow").await,
    ///             },
    ///         }
    ///     }
    /// }
    /// ```
    ///
    /// In this example, nothing is received while `feed_prepared` waits for a client that doesn't read.
    ///
    /// # Errors
    /// [`TooSlow`] on every call after the queue overflowed under [`Slow::Disconnect`](crate::Slow). Queued messages
    /// are lost.
    ///
    /// # Cancel safety
    /// This method is cancel-safe: if dropped, no message is lost.
    pub fn recv(&mut self) -> impl Future<Output = Result<Option<PreparedMessage>, TooSlow>> {
        poll_fn(|cx| {
            self.inbox.poll_recv(cx).map_ok(|taken| match taken? {
                Taken::Item(message) => Some(message),
                Taken::Gap(never) => match never {},
            })
        })
    }

    /// Returns how many messages this subscriber missed because it was too slow.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.inbox.chair.queue().dropped()
    }

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
        poll_fn(move |cx| poll_serve(self, cx, connection, &mut handler))
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
        forward(self, sending).await
    }
}

impl Source for Subscription {
    type Chair = Seat;

    fn inbox(&mut self) -> &mut Inbox<Seat> {
        &mut self.inbox
    }

    fn unsubscribe(&mut self) {
        self.topic.leave(&self.inbox.chair);
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.topic.leave(&self.inbox.chair);
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let queue = self.inbox.chair.queue();
        f.debug_struct("Subscription")
            .field("stage", &queue.stage())
            .field("dropped", &queue.dropped())
            .finish_non_exhaustive()
    }
}
