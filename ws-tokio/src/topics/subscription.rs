//! A subscription to a topic.

use std::error;
use std::fmt;
use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::{Context, Poll};

use ws_core::{CloseCode, PreparedMessage};

use super::queue::{Queue, Stage, Wish};
use super::topic::{Seat, Topic};

/// A subscription to a [`Broadcast`](crate::Broadcast), with a queue of the messages published since.
///
/// There are three ways to deliver them: [`serve`](Self::serve) for a task that owns a connection,
/// [`forward`](Self::forward) for one that sends through a half, and [`recv`](Self::recv) for any other. Each of their
/// futures can be dropped at any point, and another can continue. Dropping the subscription unsubscribes immediately
/// and drops queued messages.
pub struct Subscription {
    topic: Arc<Topic>,
    seat: Arc<Seat>,
    /// The next message, which waits for room in a connection.
    pub(super) next: Option<PreparedMessage>,
}

/// An error: a subscriber's queue overflowed under [`Slow::Disconnect`](crate::Slow).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooSlow {
    code: CloseCode,
}

impl TooSlow {
    /// Returns the code to close the connection with.
    #[must_use]
    pub const fn close_code(self) -> CloseCode {
        self.code
    }
}

impl Subscription {
    pub(super) const fn new(topic: Arc<Topic>, seat: Arc<Seat>) -> Self {
        Self { topic, seat, next: None }
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
        poll_fn(|cx| self.poll_recv(cx))
    }

    /// Returns how many messages this subscriber missed because it was too slow.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.seat.lock().dropped()
    }

    pub(super) fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<PreparedMessage>, TooSlow>> {
        let mut queue = self.seat.lock();
        if let Some(message) = take(&mut self.next, &mut queue)? {
            return Poll::Ready(Ok(Some(message)));
        }
        if queue.stage() == Stage::Ended {
            return Poll::Ready(Ok(None));
        }
        let before = queue.wait(Wish::Message, cx.waker());
        drop(queue);
        drop(before);
        Poll::Pending
    }

    /// Takes the next message, if there is one.
    pub(super) fn take(&mut self) -> Result<Option<PreparedMessage>, TooSlow> {
        take(&mut self.next, &mut self.seat.lock())
    }

    /// Waits until the queue has overflowed. Messages queued meanwhile don't wake the task.
    pub(super) fn poll_slow(&self, cx: &mut Context<'_>) -> Poll<TooSlow> {
        let mut queue = self.seat.lock();
        if let Stage::Overflowed(code) = queue.stage() {
            return Poll::Ready(TooSlow { code });
        }
        let before = queue.wait(Wish::Overflow, cx.waker());
        drop(queue);
        drop(before);
        Poll::Pending
    }

    /// Unsubscribes and drops queued messages, which can't be sent any more.
    pub(super) fn leave(&mut self) {
        self.topic.leave(&self.seat);
        self.next = None;
        self.seat.lock().end(Stage::Ended);
    }
}

fn take(
    next: &mut Option<PreparedMessage>,
    queue: &mut Queue,
) -> Result<Option<PreparedMessage>, TooSlow> {
    if let Stage::Overflowed(code) = queue.stage() {
        *next = None;
        return Err(TooSlow { code });
    }
    Ok(next.take().or_else(|| queue.take()))
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.topic.leave(&self.seat);
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let queue = self.seat.lock();
        f.debug_struct("Subscription")
            .field("stage", &queue.stage())
            .field("dropped", &queue.dropped())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for TooSlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the subscriber was too slow, which is to close its connection with {}",
            self.code
        )
    }
}

impl error::Error for TooSlow {}
