//! A connection for several tasks: one receives, any number send.

mod recv_half;
mod send_half;
mod wakers;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::connection::{Connection, State};
use crate::outbound::Outbound;
use crate::outbox::{Locked, Outbox};
use crate::receiving::Receiving;
use crate::shared::{Link, Shared};
pub use recv_half::{CloseRead, RecvHalf};
pub use send_half::SendHalf;
pub(crate) use wakers::Waiter;
use wakers::Wakers;

/// What the halves share.
struct Split<S> {
    inner: Mutex<Inner<S>>,
    wakers: Arc<Wakers>,
    /// Wakes `wakers`: what the stream is polled with.
    waker: Waker,
    /// Whose turn it is to send a message. Whoever streams one keeps it; control frames don't need it. Fair.
    turn: tokio::sync::Mutex<()>,
}

/// Locked for calls that don't wait, and never while a handler runs or a message is decoded.
struct Inner<S> {
    shared: Shared<S>,
    /// The receiving side, once its half is gone: whoever closes drains it.
    returned: Option<Box<Receiving>>,
}

impl<S> Connection<S> {
    /// Splits the connection into a half that receives and one that sends, which can be cloned for any number of
    /// tasks. Messages never interleave. There is no background task: pings are answered while the receiving half
    /// is polled.
    #[must_use]
    pub fn split(self) -> (RecvHalf<S>, SendHalf<S>) {
        let State { receiving, shared } = *self.into_state();
        let wakers = Arc::new(Wakers::default());
        let split = Arc::new(Split {
            inner: Mutex::new(Inner { shared, returned: None }),
            waker: Waker::from(wakers.clone()),
            wakers,
            turn: tokio::sync::Mutex::new(()),
        });
        (RecvHalf::new(Box::new(receiving), split.clone()), SendHalf::new(split))
    }

    /// Gives up receiving: only the returned half can still send.
    ///
    /// The future must be polled: it answers pings, and ends as [`recv`](Self::recv) would. A message that the peer
    /// sends all the same closes the connection with 1008, and is [`Error::UnexpectedMessage`](crate::Error).
    pub fn close_read(self) -> (SendHalf<S>, CloseRead<S>) {
        let (receiving, sending) = self.split();
        (sending, CloseRead::new(receiving))
    }
}

/// Two halves that are not, or not alone, halves of one connection.
pub struct ReuniteError<S>(pub RecvHalf<S>, pub SendHalf<S>);

impl<S> RecvHalf<S> {
    /// Makes one connection of its halves again, once no other clone of the sending half is left.
    ///
    /// # Errors
    /// Gives the halves back where they belong to different connections, or others still send.
    pub fn reunite(self, sending: SendHalf<S>) -> Result<Connection<S>, ReuniteError<S>> {
        if !Arc::ptr_eq(self.split(), sending.split()) || Arc::strong_count(self.split()) > 2 {
            return Err(ReuniteError(self, sending));
        }
        let (receiving, split) = self.into_parts();
        drop(sending);
        let split = Arc::into_inner(split).expect("these were its only two");
        let inner = split.inner.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(Connection::from_state(Box::new(State { receiving: *receiving, shared: inner.shared })))
    }
}

impl<S> fmt::Debug for ReuniteError<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReuniteError")
    }
}

impl<S> fmt::Display for ReuniteError<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("these are not the only halves of one connection")
    }
}

impl<S> std::error::Error for ReuniteError<S> {}

impl<S> Split<S> {
    fn lock(&self) -> MutexGuard<'_, Inner<S>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something that doesn't wait.
    fn with<R>(&self, act: impl FnOnce(&mut Inner<S>) -> R) -> R {
        let mut inner = self.lock();
        let result = act(&mut inner);
        let ended = inner.shared.take_ended();
        drop(inner);
        if ended {
            self.wakers.wake_all();
        }
        result
    }

    /// Does something that may wait.
    ///
    /// The task is registered only where it does wait, and asks once more then: else what happened in between would
    /// be missed.
    fn poll<R>(
        &self,
        waiter: &mut Waiter,
        cx: &mut Context<'_>,
        mut act: impl FnMut(&mut Inner<S>, &mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        let mut combined = Context::from_waker(&self.waker);
        self.with(|inner| match act(inner, &mut combined) {
            Poll::Ready(result) => Poll::Ready(result),
            Poll::Pending => {
                waiter.register(&self.wakers, cx.waker());
                act(inner, &mut combined)
            }
        })
    }
}

/// The receiving side's link to what the halves share.
struct Locking<'a, S> {
    split: &'a Split<S>,
    waiter: &'a mut Waiter,
}

impl<S> Link<S> for Locking<'_, S> {
    fn with<R>(&mut self, act: impl FnOnce(&mut Shared<S>) -> R) -> R {
        self.split.with(|inner| act(&mut inner.shared))
    }

    fn poll<R>(
        &mut self,
        cx: &mut Context<'_>,
        mut act: impl FnMut(&mut Shared<S>, &mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        self.split.poll(self.waiter, cx, |inner, cx| act(&mut inner.shared, cx))
    }

    fn outbox(&mut self) -> Outbox<'_> {
        Outbox::locked(self.split)
    }
}

impl<S> Locked for Split<S> {
    fn with_outbound(&self, act: &mut dyn FnMut(&mut Outbound)) {
        self.with(|inner| act(inner.shared.outbound_mut()));
    }
}
