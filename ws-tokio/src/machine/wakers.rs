//! The tasks that wait on a shared connection, and which of them a wake-up is for.
//!
//! A stream or a timer remembers one waker per direction, and a TLS stream may have to write in order to read. So a
//! shared connection polls them with one waker of its own, which wakes every task that is registered here; no task's
//! waker displaces another's. Events from elsewhere (the end, a message queued by code that can't wait) wake only the
//! tasks that want them.

use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use super::sync::atomic::{AtomicU8, Ordering};
use super::sync::{Mutex, lock};
use super::wants::{Want, Wants};

/// Waiting tasks, each until the next wake-up that it wants.
#[derive(Debug, Default)]
pub(crate) struct Wakers {
    waiting: Mutex<Waiting>,
    /// Whether a task polls the stream under the lock: [`OUTSIDE`], [`INSIDE`] or [`WOKEN`].
    inside: AtomicU8,
}

const OUTSIDE: u8 = 0;
const INSIDE: u8 = 1;
/// A wake-up arrived meanwhile; the task inside passes it on.
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

/// A task that may wait, for several things at once. Dropping it forgets the task, so that those who gave up don't
/// accumulate beside a stream that never wakes anyone.
#[derive(Debug, Default)]
pub(crate) struct Waiter(Option<Place>);

/// The waiter's key, from the first time it waits.
#[derive(Debug)]
struct Place {
    wakers: Arc<Wakers>,
    key: u64,
}

impl Waiter {
    /// Polls with the common waker `combined`, for the task of `cx`.
    ///
    /// A task is registered only if it has to wait, and then polls once more, so as not to miss what happened in
    /// between.
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

    /// Wakes this task at the next wake-up for what it wants, in place of its previous waker.
    pub(crate) fn register(&mut self, wakers: &Arc<Wakers>, want: Want, waker: &Waker) {
        // Cloned and dropped outside the lock: a waker may run any code.
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

    /// The task no longer waits for this.
    fn forget(&self, want: Want) {
        if let Some(place) = &self.0 {
            place.wakers.remove(place.key, want);
        }
    }

    /// The waiter's key; 0 for none.
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

    /// Removes and returns all tasks that want one of these, except one.
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
    /// Wakes all tasks that want one of these, except the one that caused it.
    pub(crate) fn wake(&self, wants: Wants, but: u64) {
        // Woken outside the lock: a waker may run any code.
        let due = lock(&self.waiting).take(wants, but);
        due.wake();
    }

    /// A task starts to poll the stream under the lock. Wake-ups wait until it [leaves](Self::leave), since no waker
    /// may run under the lock and a stream may wake its poller.
    pub(crate) fn enter(&self) {
        self.inside.store(INSIDE, Ordering::SeqCst);
    }

    /// The lock is about to be released. Returns whether there was a wake-up meanwhile.
    pub(crate) fn leave(&self) -> bool {
        self.inside.swap(OUTSIDE, Ordering::SeqCst) == WOKEN
    }

    /// The stream or a timer wakes all tasks.
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
        // Dropped outside the lock: a waker may run any code.
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
