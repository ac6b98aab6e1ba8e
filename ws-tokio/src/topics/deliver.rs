//! Delivering published messages over a connection or its sending half.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite};
use ws_core::{EncodeError, MessageRef};

use super::inbox::{Inbox, TooSlow};
use super::topic::Chair;
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

/// A subscriber.
pub(super) trait Source {
    type Chair: Chair;

    fn inbox(&mut self) -> &mut Inbox<Self::Chair>;

    /// Unsubscribes from everything: nothing can be delivered any more.
    fn unsubscribe(&mut self);
}

/// Feeds messages through the half until the source has ended. Closes the connection of a client that was too slow.
pub(super) async fn forward<S>(source: &mut impl Source, sending: &SendHalf<S>) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match forward_all(source.inbox(), sending).await {
        Ok(forwarded) => forwarded,
        Err(slow) => {
            // The receiving half reports the result.
            _ = sending.close(slow.close_code(), REASON).await;
            Err(Error::Failed(slow.close_code()))
        }
    }
}

async fn forward_all<C, S>(
    inbox: &mut Inbox<C>,
    sending: &SendHalf<S>,
) -> Result<Result<(), Error>, TooSlow>
where
    C: Chair,
    S: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(message) = poll_fn(|cx| inbox.poll_recv(cx)).await? {
        inbox.next = Some(message);
        let fed = feed_through(inbox, sending).await?;
        let written = match fed {
            Ok(()) => unless_slow(inbox, sending.flush()).await?,
            Err(error) => Err(error),
        };
        if written.is_err() {
            return Ok(written);
        }
    }
    Ok(Ok(()))
}

/// Feeds the next message and those queued behind it.
async fn feed_through<C, S>(
    inbox: &mut Inbox<C>,
    sending: &SendHalf<S>,
) -> Result<Result<(), Error>, TooSlow>
where
    C: Chair,
    S: AsyncRead + AsyncWrite + Unpin,
{
    // A message stays in `next` until it is queued.
    while let Some(taken) = &inbox.next {
        if let Some(message) = taken.message() {
            if let Err(error) = unless_slow(inbox, sending.feed_prepared(message)).await? {
                return Ok(Err(error));
            }
        }
        inbox.next = None;
        inbox.next = inbox.take()?;
    }
    Ok(Ok(()))
}

/// Returns the output of the future, unless the queue overflows first.
async fn unless_slow<T>(
    inbox: &Inbox<impl Chair>,
    future: impl Future<Output = T>,
) -> Result<T, TooSlow> {
    let mut future = pin!(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Ok(value)),
        Poll::Pending => inbox.poll_slow(cx).map(Err),
    })
    .await
}

pub(super) fn poll_serve<S, H, R>(
    source: &mut impl Source,
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
        let fed = feed(source, cx, connection);
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
fn feed<S>(source: &mut impl Source, cx: &mut Context<'_>, connection: &mut Connection<S>) -> Fed
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    for _ in 0..MESSAGES_PER_TURN {
        let inbox = source.inbox();
        let taken = match inbox.poll_recv(cx) {
            Poll::Ready(Ok(Some(taken))) => taken,
            Poll::Ready(Ok(None)) | Poll::Pending => return Fed::All,
            Poll::Ready(Err(slow)) => return disconnect(connection, slow),
        };
        let Some(message) = taken.message() else { continue };
        let fed = pin!(connection.feed_prepared(message)).poll(cx);
        match fed {
            Poll::Ready(Ok(())) => {}
            // Receiving continues, and reports how the connection ends.
            Poll::Ready(Err(Error::Send(EncodeError::Closed) | Error::Io(_))) => {
                source.unsubscribe();
                source.inbox().end();
            }
            Poll::Ready(Err(error)) => {
                inbox.next = Some(taken);
                return Fed::Failed(error);
            }
            Poll::Pending => {
                inbox.next = Some(taken);
                return match inbox.poll_slow(cx) {
                    Poll::Pending => Fed::Full,
                    Poll::Ready(slow) => disconnect(connection, slow),
                };
            }
        }
    }
    Fed::Turn
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
