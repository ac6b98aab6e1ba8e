//! Who waits for the stream of a split connection: one waker for all of them.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

/// The tasks that wait, whichever direction they wait for.
///
/// A stream remembers one waker for each direction, and one of TLS may wait to write in order to read. So the stream gets
/// this one for both, and it wakes everybody: no half's waker displaces another's.
#[derive(Debug, Default)]
pub(super) struct Wakers(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    /// Those who wait, until the next wake-up, by their keys.
    tasks: Vec<(u64, Waker)>,
    next_key: u64,
}

/// Somebody who may wait. Nothing is kept of one who is gone: else those who gave up would pile up beside a stream that
/// never wakes anybody.
#[derive(Debug, Default)]
pub(crate) struct Waiter(Option<Place>);

/// Where a waiter is remembered, from the first time it waits.
#[derive(Debug)]
struct Place {
    wakers: Arc<Wakers>,
    key: u64,
}

impl Waiter {
    /// Wakes this task at the next wake-up, and no other in its place.
    pub(super) fn register(&mut self, wakers: &Arc<Wakers>, waker: &Waker) {
        let waker = waker.clone();
        let mut waiting = wakers.lock();
        let place = self.0.get_or_insert_with(|| {
            waiting.next_key += 1;
            Place { wakers: wakers.clone(), key: waiting.next_key }
        });
        let displaced = match waiting.tasks.iter_mut().find(|(key, _)| *key == place.key) {
            Some((_, known)) => Some(mem::replace(known, waker)),
            None => {
                waiting.tasks.push((place.key, waker));
                None
            }
        };
        // Cloned and dropped outside the lock: a waker may own anything.
        drop(waiting);
        drop(displaced);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Dropped outside the lock: a waker may own anything.
        _ = self.wakers.remove(self.key);
    }
}

impl Wakers {
    pub(super) fn wake_all(&self) {
        // Woken outside the lock: a waker may run anything.
        let waiting = mem::take(&mut self.lock().tasks);
        waiting.into_iter().for_each(|(_, waker)| waker.wake());
    }

    fn remove(&self, key: u64) -> Option<Waker> {
        let tasks = &mut self.lock().tasks;
        let index = tasks.iter().position(|(other, _)| *other == key)?;
        Some(tasks.swap_remove(index).1)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Wakers {
    fn wake(self: Arc<Self>) {
        self.wake_all();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wake_all();
    }
}
