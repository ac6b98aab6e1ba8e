//! Dropping a future after so many polls.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use tokio::task::unconstrained;

/// So many polls, for one future after the other: the one under which they run out is dropped there, and those
/// after it run to their ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Patience {
    Polls(usize),
    Endless,
}

impl Patience {
    /// Polls the future; `None` where patience ran out and it was dropped.
    pub(crate) async fn with<F: Future>(&mut self, future: F) -> Option<F::Output> {
        // The tests' transports never end a turn: Tokio's budget must not add waits of its own.
        let mut future = pin!(unconstrained(future));
        loop {
            match self {
                Self::Polls(0) => {
                    *self = Self::Endless;
                    return None;
                }
                Self::Polls(left) => *left -= 1,
                Self::Endless => return Some(future.await),
            }
            let polled = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
            if let Poll::Ready(output) = polled {
                return Some(output);
            }
        }
    }

    /// Whether a future was dropped.
    pub(crate) const fn ran_out(&self) -> bool {
        matches!(self, Self::Endless)
    }
}
