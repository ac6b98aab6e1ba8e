//! The state that halves share, and its lock.

use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::sync::Semaphore;

use crate::machine::atomic::{AtomicBool, Ordering};
use crate::machine::{
    Arriving, Link, Locked, Mutex, Outbound, Outbox, Receiving, Shared, Waiter, Wakers, Want,
    Wants, lock,
};

/// The state that halves share.
pub(super) struct Split<S> {
    inner: Mutex<Inner<S>>,
    /// Whether messages still arrive, as of the last unlocking: what was read before is decoded without the lock.
    arrive: AtomicBool,
    wakers: Arc<Wakers>,
    /// Wakes the tasks in `wakers`. The stream is polled with it.
    waker: Waker,
    /// The single right to send a message, held while a task waits for room or streams one. Control frames don't need
    /// it. Fair.
    pub(super) turn: Semaphore,
}

/// Locked for single calls that don't wait, never while a handler runs or a message is decoded.
pub(super) struct Inner<S> {
    pub(super) shared: Shared<S>,
    /// The receiving side after its half was dropped; the closing task reads with it.
    pub(super) returned: Option<Box<Receiving>>,
}

impl<S> Split<S> {
    pub(super) fn new(shared: Shared<S>) -> Self {
        let wakers = Arc::new(Wakers::default());
        Self {
            arrive: AtomicBool::new(shared.arriving() == Arriving::Messages),
            inner: Mutex::new(Inner { shared, returned: None }),
            waker: Waker::from(wakers.clone()),
            wakers,
            turn: Semaphore::new(1),
        }
    }

    pub(super) fn into_shared(self) -> Shared<S> {
        self.inner.into_inner().unwrap_or_else(PoisonError::into_inner).shared
    }

    /// Calls `act`, which doesn't wait, under the lock.
    pub(super) fn with<R>(&self, act: impl FnOnce(&mut Inner<S>) -> R) -> R {
        self.with_as(0, act)
    }

    /// Like [`with`](Self::with), but doesn't wake the waiter with this key.
    fn with_as<R>(&self, key: u64, act: impl FnOnce(&mut Inner<S>) -> R) -> R {
        let mut inner = lock(&self.inner);
        let result = act(&mut inner);
        let news = inner.shared.take_news();
        let arrive = inner.shared.arriving() == Arriving::Messages;
        if arrive != self.arrive.load(Ordering::Relaxed) {
            self.arrive.store(arrive, Ordering::Relaxed);
        }
        drop(inner);
        if let Some(news) = news {
            self.wakers.wake(news.tell(), key);
        }
        result
    }

    /// Returns whether no task waits for room or streams a message, nor waits to.
    pub(super) fn is_turn_free(&self) -> bool {
        self.turn.available_permits() > 0
    }

    /// Polls `act`, which may wait, under the lock.
    pub(super) fn poll<R>(
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

    /// Takes the receiving side of a dropped half. Wakes all tasks, since one of them may be closing.
    pub(super) fn take_back(&self, receiving: Box<Receiving>) {
        self.with(|inner| inner.returned = Some(receiving));
        self.wakers.wake(Wants::ALL, 0);
    }

    /// Changes the send queue from code that can't wait. Wakes a receiving task to write it.
    pub(super) fn leave_to_others<R>(&self, act: impl FnOnce(&mut Shared<S>) -> R) -> R {
        self.with(|inner| {
            inner.shared.leave_to_others();
            act(&mut inner.shared)
        })
    }
}

/// The receiving side's access to the shared state.
pub(super) struct Locking<'a, S> {
    pub(super) split: &'a Split<S>,
    pub(super) waiter: &'a mut Waiter,
    pub(super) want: Want,
}

impl<S> Link<S> for Locking<'_, S> {
    fn with<R>(&mut self, act: impl FnOnce(&mut Shared<S>) -> R) -> R {
        self.split.with_as(self.waiter.key(), |inner| act(&mut inner.shared))
    }

    fn arriving(&mut self) -> Arriving {
        match self.split.arrive.load(Ordering::Relaxed) {
            true => Arriving::Messages,
            false => self.with(|shared| shared.arriving()),
        }
    }

    fn poll<R>(
        &mut self,
        cx: &mut Context<'_>,
        mut act: impl FnMut(&mut Shared<S>, &mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        let Self { split, waiter, want } = self;
        split.poll(waiter, *want, cx, |inner, cx| act(&mut inner.shared, cx))
    }

    /// Does nothing: each call delivers the notifications after unlocking.
    fn tell(&mut self) {}

    fn outbox(&mut self) -> Outbox<'_> {
        Outbox::locked(self)
    }
}

/// The task that runs the handler writes its replies.
impl<S> Locked for Locking<'_, S> {
    fn with_outbound(&self, act: &mut dyn FnMut(&mut Outbound)) {
        self.split.with_as(self.waiter.key(), |inner| act(inner.shared.outbound_mut()));
    }
}

/// The send queue for messages that a flush writes: no task is woken to do it.
pub(super) struct Fed<'a, S>(pub(super) &'a Split<S>);

impl<S> Locked for Fed<'_, S> {
    fn with_outbound(&self, act: &mut dyn FnMut(&mut Outbound)) {
        self.0.with(|inner| act(inner.shared.outbound_mut()));
    }
}

impl<S> Locked for Split<S> {
    fn with_outbound(&self, act: &mut dyn FnMut(&mut Outbound)) {
        self.leave_to_others(|shared| act(shared.outbound_mut()));
    }
}
