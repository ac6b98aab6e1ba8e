//! Access to an unsplit connection: without a lock, and at no cost for a single task.
//!
//! Different tasks may still poll it in turn: after `StreamExt::split` of the futures crates, one task polls the stream
//! and another the sink. While only one task waits at a time, the transport is polled with that task's waker. Once a
//! second task waits for something else, it is polled with a combined waker.

use std::task::{Context, Poll, Waker};

use super::tasks::{Several, Tasks};
use super::{Arriving, Link, Shared};
use crate::machine::outbox::Outbox;
use crate::machine::wants::{Want, Wants};

/// The state of an unsplit connection, polled by a task with this want.
pub(crate) struct Direct<'a, S> {
    pub(crate) shared: &'a mut Shared<S>,
    pub(crate) want: Want,
}

impl<S> Shared<S> {
    /// Polls for a task with this want.
    #[inline]
    pub(crate) fn poll_as<R>(
        &mut self,
        want: Want,
        cx: &mut Context<'_>,
        mut act: impl FnMut(&mut Self, &mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        if self.is_another(want, cx.waker()) {
            return self.poll_as_another(want, cx, act);
        }
        let polled = act(self, cx);
        self.settle(want, cx.waker(), &polled);
        self.tell(Wants::NONE.with(want));
        polled
    }

    /// Returns whether a different task is waiting.
    #[inline]
    fn is_another(&self, want: Want, waker: &Waker) -> bool {
        match &self.tasks {
            Tasks::One(one) => !self.waited_for.without(want).is_empty() && !one.will_wake(waker),
            Tasks::Several(_) => true,
        }
    }

    /// Records that the task no longer waits for this.
    #[inline]
    pub(crate) fn waits_no_more(&mut self, want: Want) {
        self.waited_for = self.waited_for.without(want);
    }

    /// Records the waiting task, or that it no longer waits.
    #[inline]
    fn settle<R>(&mut self, want: Want, waker: &Waker, polled: &Poll<R>) {
        if polled.is_ready() {
            self.waits_no_more(want);
            return;
        }
        self.waited_for = self.waited_for.with(want);
        if !matches!(&self.tasks, Tasks::One(one) if one.will_wake(waker)) {
            self.tasks = Tasks::One(waker.clone());
        }
    }

    #[cold]
    fn poll_as_another<R>(
        &mut self,
        want: Want,
        cx: &Context<'_>,
        mut act: impl FnMut(&mut Self, &mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        let mut several = self.take_several();
        let Several { wakers, combined, waiter } = &mut *several;
        let polled = waiter.poll((wakers, combined), want, cx, |cx| act(self, cx));
        self.tasks = Tasks::Several(several);
        self.tell(Wants::NONE.with(want));
        polled
    }

    /// Returns the set of waiting tasks, including the previous single one.
    fn take_several(&mut self) -> Box<Several> {
        let one = match std::mem::take(&mut self.tasks) {
            Tasks::Several(several) => return several,
            Tasks::One(one) => one,
        };
        let mut several = Box::<Several>::default();
        for want in Want::EACH.into_iter().filter(|want| self.waited_for.has(*want)) {
            several.waiter.register(&several.wakers, want, &one);
        }
        several
    }

    /// Delivers the notifications, except to tasks with these wants.
    #[inline]
    pub(crate) fn tell(&mut self, but: Wants) {
        if let Some(news) = self.take_news() {
            let wake = news.tell();
            self.wake(wake.except(but));
        }
    }

    fn wake(&mut self, wants: Wants) {
        match &self.tasks {
            Tasks::One(one) if !self.waited_for.and(wants).is_empty() => {
                one.wake_by_ref();
                self.waited_for = self.waited_for.except(wants);
            }
            Tasks::One(_) => {}
            Tasks::Several(several) => several.wakers.wake(wants, 0),
        }
    }
}

impl<S> Link<S> for Direct<'_, S> {
    #[inline]
    fn with<R>(&mut self, act: impl FnOnce(&mut Shared<S>) -> R) -> R {
        act(self.shared)
    }

    #[inline]
    fn arriving(&mut self) -> Arriving {
        self.shared.arriving()
    }

    #[inline]
    fn poll<R>(
        &mut self,
        cx: &mut Context<'_>,
        act: impl FnMut(&mut Shared<S>, &mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        self.shared.poll_as(self.want, cx, act)
    }

    #[inline]
    fn tell(&mut self) {
        self.shared.tell(Wants::NONE.with(self.want));
    }

    #[inline]
    fn outbox(&mut self) -> Outbox<'_> {
        Outbox::new(self.shared.outbound_mut())
    }
}
