//! A connection for several tasks: one receives, any number send.

mod facts;
mod recv_half;
mod send_half;

use std::fmt;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::connection::{Connection, State};
use crate::outbound::Outbound;
use crate::outbox::{Locked, Outbox};
use crate::receiving::Receiving;
use crate::shared::{Link, Shared};
use crate::sync::{Mutex, lock};
use crate::wakers::{Waiter, Wakers};
use crate::wants::{Want, Wants};
pub use recv_half::{CloseRead, RecvHalf};
pub use send_half::SendHalf;

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
    /// tasks. Messages never interleave. There is no background task: pings are answered, and the peer's answer to a
    /// [`SendHalf::close`] is read, while the receiving half is polled.
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
    /// Does something that doesn't wait.
    fn with<R>(&self, act: impl FnOnce(&mut Inner<S>) -> R) -> R {
        self.with_as(0, act)
    }

    /// Does something that doesn't wait, for whoever has this key: it needs not be woken.
    fn with_as<R>(&self, key: u64, act: impl FnOnce(&mut Inner<S>) -> R) -> R {
        let mut inner = lock(&self.inner);
        let result = act(&mut inner);
        let news = inner.shared.take_news();
        drop(inner);
        if let Some(news) = news {
            self.wakers.wake(news.tell(), key);
        }
        result
    }

    /// Does something that may wait.
    fn poll<R>(
        &self,
        waiter: &mut Waiter,
        want: Want,
        cx: &Context<'_>,
        mut act: impl FnMut(&mut Inner<S>, &mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        let key = waiter.key();
        waiter.poll((&self.wakers, &self.waker), want, cx, |cx| {
            let mut woken = false;
            let polled = self.with_as(key, |inner| {
                self.wakers.enter();
                let polled = act(inner, cx);
                woken = self.wakers.leave();
                polled
            });
            if woken {
                self.wakers.wake(Wants::ALL, 0);
            }
            polled
        })
    }

    /// Does something with the send queue, for code that can't wait: whoever receives writes what is queued.
    fn leave_to_others<R>(&self, act: impl FnOnce(&mut Shared<S>) -> R) -> R {
        self.with(|inner| {
            inner.shared.leave_to_others();
            act(&mut inner.shared)
        })
    }
}

/// The receiving side's link to what the halves share.
struct Locking<'a, S> {
    split: &'a Split<S>,
    waiter: &'a mut Waiter,
    want: Want,
}

impl<S> Link<S> for Locking<'_, S> {
    fn with<R>(&mut self, act: impl FnOnce(&mut Shared<S>) -> R) -> R {
        self.split.with_as(self.waiter.key(), |inner| act(&mut inner.shared))
    }

    fn poll<R>(
        &mut self,
        cx: &mut Context<'_>,
        mut act: impl FnMut(&mut Shared<S>, &mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        let Self { split, waiter, want } = self;
        split.poll(waiter, *want, cx, |inner, cx| act(&mut inner.shared, cx))
    }

    /// Each call has told already.
    fn tell(&mut self) {}

    fn outbox(&mut self) -> Outbox<'_> {
        Outbox::locked(self)
    }
}

/// What a handler queues, whoever runs it writes.
impl<S> Locked for Locking<'_, S> {
    fn with_outbound(&self, act: &mut dyn FnMut(&mut Outbound)) {
        self.split.with_as(self.waiter.key(), |inner| act(inner.shared.outbound_mut()));
    }
}

impl<S> Locked for Split<S> {
    fn with_outbound(&self, act: &mut dyn FnMut(&mut Outbound)) {
        self.leave_to_others(|shared| act(shared.outbound_mut()));
    }
}
