//! Who waits on a connection that several tasks share, and who of them is woken by what.
//!
//! A stream and a timer remember one waker for each direction, and one of TLS may wait to write in order to read. So a
//! shared connection polls them with one waker of its own, which wakes everybody who is registered here: no task's waker
//! displaces another's. What happens without the stream (the end, a message queued by code that can't wait) wakes only
//! those who want to hear of it.

use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use super::sync::atomic::{AtomicU8, Ordering};
use super::sync::{Mutex, lock};
use super::wants::{Want, Wants};

/// The tasks that wait, each until the next wake-up that is for it.
#[derive(Debug, Default)]
pub(crate) struct Wakers {
    waiting: Mutex<Waiting>,
    /// Whether somebody polls the stream under a lock: [`OUTSIDE`], [`INSIDE`] or [`WOKEN`].
    inside: AtomicU8,
}

const OUTSIDE: u8 = 0;
const INSIDE: u8 = 1;
/// There was a wake-up since: whoever is inside passes it on.
const WOKEN: u8 = 2;

#[derive(Debug, Default)]
struct Waiting {
    tasks: Vec<Task>,
    last_key: u64,
}

#[derive(Debug)]
struct Task {
    key: u64,
    want: Want,
    waker: Waker,
}

/// Somebody who may wait, for several things at once. Nothing is kept of one who is gone: else those who gave up would
/// pile up beside a stream that never wakes anybody.
#[derive(Debug, Default)]
pub(crate) struct Waiter(Option<Place>);

/// Where a waiter is remembered, from the first time it waits.
#[derive(Debug)]
struct Place {
    wakers: Arc<Wakers>,
    key: u64,
}

impl Waiter {
    /// Polls with the common waker `combined`, for the task of `cx`.
    ///
    /// The task is registered only where it does wait, and asks once more then: else what happened in between would be
    /// missed.
    pub(crate) fn poll<R>(
        &mut self,
        (wakers, combined): (&Arc<Wakers>, &Waker),
        want: Want,
        cx: &Context<'_>,
        mut act: impl FnMut(&mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        let mut combined = Context::from_waker(combined);
        let mut polled = act(&mut combined);
        if polled.is_pending() {
            self.register(wakers, want, cx.waker());
            polled = act(&mut combined);
            if polled.is_ready() {
                self.forget(want);
            }
        }
        polled
    }

    /// Wakes this task at the next wake-up for what it wants, and no other in its place.
    pub(crate) fn register(&mut self, wakers: &Arc<Wakers>, want: Want, waker: &Waker) {
        // Cloned and dropped outside the lock: a waker may own anything.
        let waker = waker.clone();
        let mut waiting = lock(&wakers.waiting);
        let place = self.0.get_or_insert_with(|| {
            waiting.last_key += 1;
            Place { wakers: wakers.clone(), key: waiting.last_key }
        });
        let displaced = match waiting.find(place.key, want) {
            Some(index) => Some(mem::replace(&mut waiting.tasks[index].waker, waker)),
            None => {
                waiting.tasks.push(Task { key: place.key, want, waker });
                None
            }
        };
        drop(waiting);
        drop(displaced);
    }

    /// The task waits no more for this.
    fn forget(&self, want: Want) {
        if let Some(place) = &self.0 {
            place.wakers.remove(place.key, want);
        }
    }

    /// Who this is among those who wait; nobody is 0.
    pub(crate) fn key(&self) -> u64 {
        self.0.as_ref().map_or(0, |place| place.key)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        Want::EACH.into_iter().for_each(|want| self.wakers.remove(self.key, want));
    }
}

impl Waiting {
    fn find(&self, key: u64, want: Want) -> Option<usize> {
        self.tasks.iter().position(|task| (task.key, task.want) == (key, want))
    }

    /// Takes out all who want one of these, but one.
    fn take(&mut self, wants: Wants, but: u64) -> Due {
        let mut due = Due::default();
        self.tasks.retain_mut(|task| {
            let is_due = wants.has(task.want) && task.key != but;
            if is_due {
                due.push(mem::replace(&mut task.waker, Waker::noop().clone()));
            }
            !is_due
        });
        due
    }
}

impl Wakers {
    /// Wakes all who want one of these, but for whoever brought it about.
    pub(crate) fn wake(&self, wants: Wants, but: u64) {
        // Woken outside the lock: a waker may run anything.
        let due = lock(&self.waiting).take(wants, but);
        due.wake();
    }

    /// From now on somebody polls the stream under a lock, and wake-ups wait until it [leaves](Self::leave): a stream may
    /// wake those who poll it, and no waker runs under the lock.
    pub(crate) fn enter(&self) {
        self.inside.store(INSIDE, Ordering::SeqCst);
    }

    /// The lock is about to be let go; whether there is somebody to wake then.
    pub(crate) fn leave(&self) -> bool {
        self.inside.swap(OUTSIDE, Ordering::SeqCst) == WOKEN
    }

    /// The stream, or a timer, wakes everybody.
    fn stream_wakes(&self) {
        let passed_on =
            self.inside.compare_exchange(INSIDE, WOKEN, Ordering::SeqCst, Ordering::SeqCst);
        if matches!(passed_on, Err(OUTSIDE)) {
            self.wake(Wants::ALL, 0);
        }
    }

    fn remove(&self, key: u64, want: Want) {
        let mut waiting = lock(&self.waiting);
        let removed = waiting.find(key, want).map(|index| waiting.tasks.swap_remove(index));
        // Dropped outside the lock: a waker may own anything.
        drop(waiting);
        drop(removed);
    }
}

impl Wake for Wakers {
    fn wake(self: Arc<Self>) {
        self.stream_wakes();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.stream_wakes();
    }
}

/// Tasks to be woken: few, as a rule.
#[derive(Default)]
struct Due {
    few: [Option<Waker>; 4],
    more: Vec<Waker>,
}

impl Due {
    fn push(&mut self, waker: Waker) {
        match self.few.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some(waker),
            None => self.more.push(waker),
        }
    }

    fn wake(self) {
        self.few.into_iter().flatten().chain(self.more).for_each(Waker::wake);
    }
}
