//! The tasks that wait on a shared connection, and what each of them waits for.
//!
//! A stream or a timer stores one waker per direction, and a TLS stream may have to write in order to read. So a shared
//! connection polls them with a waker of its own, which wakes every task registered here; no task's waker replaces
//! another's. Other events (the end, a message queued by code that can't wait) wake only the tasks that wait for them.

use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use super::sync::atomic::{AtomicU8, Ordering};
use super::sync::{Mutex, lock};
use super::wants::{Want, Wants};

/// Waiting tasks, each registered until the next wake-up for its want.
#[derive(Debug, Default)]
pub(crate) struct Wakers {
    waiting: Mutex<Waiting>,
    /// Whether a task polls the stream under the lock: [`OUTSIDE`], [`INSIDE`] or [`WOKEN`].
    inside: AtomicU8,
}

const OUTSIDE: u8 = 0;
const INSIDE: u8 = 1;
/// A wake-up arrived meanwhile; the task inside delivers it.
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

/// A task that may wait, possibly for several things. Dropping it unregisters the task, so that cancelled tasks don't
/// accumulate on a stream that never wakes anyone.
#[derive(Debug, Default)]
pub(crate) struct Waiter(Option<Place>);

/// The waiter's key, assigned when it first waits.
#[derive(Debug)]
struct Place {
    wakers: Arc<Wakers>,
    key: u64,
}

impl Waiter {
    /// Polls with the waker `combined`, for the task of `cx`.
    ///
    /// The task is registered only if it has to wait. It then polls once more, so as not to miss a change in between.
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

    /// Wakes this task at the next wake-up for its want, replacing its previous waker.
    pub(crate) fn register(&mut self, wakers: &Arc<Wakers>, want: Want, waker: &Waker) {
        // Cloned and dropped outside the lock: a waker may run arbitrary code.
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

    /// Unregisters the task for this want.
    fn forget(&self, want: Want) {
        if let Some(place) = &self.0 {
            place.wakers.remove(place.key, want);
        }
    }

    /// Returns the waiter's key; 0 for none.
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

    /// Removes and returns the tasks with one of these wants, except the task with the key `but`.
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
    /// Wakes the tasks with one of these wants, except the task with the key `but`, which caused the wake-up.
    pub(crate) fn wake(&self, wants: Wants, but: u64) {
        // Woken outside the lock: a waker may run arbitrary code.
        let due = lock(&self.waiting).take(wants, but);
        due.wake();
    }

    /// Called before a task polls the stream under the lock. Delays wake-ups until it [leaves](Self::leave), since no
    /// waker may run under the lock and a stream may wake its poller.
    pub(crate) fn enter(&self) {
        self.inside.store(INSIDE, Ordering::SeqCst);
    }

    /// Called before the lock is released. Returns whether there was a wake-up meanwhile.
    pub(crate) fn leave(&self) -> bool {
        self.inside.swap(OUTSIDE, Ordering::SeqCst) == WOKEN
    }

    /// Called when the stream or a timer wakes all tasks.
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
        // Dropped outside the lock: a waker may run arbitrary code.
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

/// Tasks to wake, usually few.
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
