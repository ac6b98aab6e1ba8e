//! The receiving side of a queue: what every subscriber takes its messages from.

use std::error;
use std::fmt;
use std::task::{Context, Poll};

use ws_core::CloseCode;

use super::queue::{Item, Queue, Stage, Taken, Wish};
use super::topic::Chair;

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

pub(super) struct Inbox<C: Chair> {
    pub(super) chair: C,
    /// The next message, which waits for room in a connection.
    pub(super) next: Option<Taken<C::Item>>,
}

impl<C: Chair> Inbox<C> {
    pub(super) const fn new(chair: C) -> Self {
        Self { chair, next: None }
    }

    pub(super) fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Taken<C::Item>>, TooSlow>> {
        let mut queue = self.chair.queue();
        if let Some(taken) = take(&mut self.next, &mut queue)? {
            return Poll::Ready(Ok(Some(taken)));
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
    pub(super) fn take(&mut self) -> Result<Option<Taken<C::Item>>, TooSlow> {
        take(&mut self.next, &mut self.chair.queue())
    }

    /// Waits until the queue has overflowed. Messages queued meanwhile don't wake the task.
    pub(super) fn poll_slow(&self, cx: &mut Context<'_>) -> Poll<TooSlow> {
        let mut queue = self.chair.queue();
        if let Stage::Overflowed(code) = queue.stage() {
            return Poll::Ready(TooSlow { code });
        }
        let before = queue.wait(Wish::Overflow, cx.waker());
        drop(queue);
        drop(before);
        Poll::Pending
    }

    /// Drops queued messages, which can't be sent any more. Nothing more is queued.
    pub(super) fn end(&mut self) {
        self.next = None;
        self.chair.queue().end(Stage::Ended);
    }
}

fn take<T: Item>(
    next: &mut Option<Taken<T>>,
    queue: &mut Queue<T>,
) -> Result<Option<Taken<T>>, TooSlow> {
    if let Stage::Overflowed(code) = queue.stage() {
        *next = None;
        return Err(TooSlow { code });
    }
    Ok(next.take().or_else(|| queue.take()))
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
