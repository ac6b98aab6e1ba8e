//! A topic's list of subscribers, to whose queues every message goes; for a [`Broadcast`](super::Broadcast) and for the topics of a
//! [`Hub`](super::Hub).

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use super::options::BroadcastOptions;
use super::queue::{Item, Offered, Queue};

thread_local! {
    /// A reusable list of tasks to wake; empty between messages, and never of more than [`KEPT`] places.
    static WAKERS: Cell<Vec<Waker>> = const { Cell::new(Vec::new()) };
}

/// Places of a list of tasks that a thread keeps: 64 KiB.
const KEPT: usize = 4096;

/// What a subscriber has: a queue behind a lock. Locks are taken in this order: list, then queue. No task is woken under either.
pub(super) trait Chair {
    type Item: Item;

    fn queue(&self) -> MutexGuard<'_, Queue<Self::Item>>;
}

impl<T: Item> Chair for Mutex<Queue<T>> {
    type Item = T;

    fn queue(&self) -> MutexGuard<'_, Queue<T>> {
        lock(self)
    }
}

impl<C: Chair> Chair for Arc<Place<C>> {
    type Item = C::Item;

    fn queue(&self) -> MutexGuard<'_, Queue<C::Item>> {
        self.chair.queue()
    }
}

/// The subscribers of a topic.
pub(super) struct List<C> {
    places: Vec<Arc<Place<C>>>,
    /// Number of messages missed by present and past subscribers.
    dropped: u64,
    is_closed: bool,
    /// Whether what other nodes publish comes here.
    pub(super) is_reached: bool,
}

/// A subscriber's place in a list.
pub(super) struct Place<C> {
    /// Its index in the list, if it is there. Accessed only under the list's lock.
    index: AtomicUsize,
    chair: C,
}

/// What became of a message.
#[derive(Clone, Copy)]
pub(super) struct Offers {
    /// Number of subscribers that it was queued for.
    pub(super) queued: usize,
    /// Number of messages, this and others, that subscribers miss because of it.
    pub(super) dropped: u64,
}

impl<C: Chair> List<C> {
    pub(super) const fn new() -> Self {
        Self { places: Vec::new(), dropped: 0, is_closed: false, is_reached: false }
    }

    pub(super) fn enter(&mut self, chair: C) -> Arc<Place<C>> {
        let place = Arc::new(Place { index: AtomicUsize::new(self.places.len()), chair });
        self.places.push(place.clone());
        place
    }

    /// Removes a place, if it is there; the last moves to where it was.
    pub(super) fn leave(&mut self, place: &Arc<Place<C>>) {
        let index = place.index.load(Ordering::Relaxed);
        if self.places.get(index).is_some_and(|there| Arc::ptr_eq(there, place)) {
            self.remove(index);
        }
    }

    fn remove(&mut self, index: usize) {
        self.places.swap_remove(index);
        if let Some(moved) = self.places.get(index) {
            moved.index.store(index, Ordering::Relaxed);
        }
        if self.places.len() * 4 < self.places.capacity() {
            self.places.shrink_to(self.places.len() * 2);
        }
    }

    /// Whether nobody may enter any more.
    pub(super) const fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Closes it if nobody is there. Returns whether that is so for the first time.
    pub(super) fn close_if_empty(&mut self) -> bool {
        let closes = self.places.is_empty() && !self.is_closed;
        self.is_closed |= closes;
        closes
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(super) fn take_all(&mut self) -> Vec<Arc<Place<C>>> {
        std::mem::take(&mut self.places)
    }

    /// Offers a message to all subscribers and removes those that are too slow.
    fn offer(
        &mut self,
        item: &C::Item,
        options: &BroadcastOptions,
        wakers: &mut Vec<Waker>,
    ) -> Offers {
        let (mut index, mut queued, missed) = (0, 0, self.dropped);
        while let Some(place) = self.places.get(index) {
            let mut queue = place.chair.queue();
            let before = queue.dropped();
            let offered = queue.offer(item, options);
            self.dropped += queue.dropped() - before;
            wakers.extend(queue.waker_after(offered));
            drop(queue);
            match offered {
                Offered::Queued => (index, queued) = (index + 1, queued + 1),
                Offered::Dropped => index += 1,
                Offered::Overflowed | Offered::Gone => self.remove(index),
            }
        }
        Offers { queued, dropped: self.dropped - missed }
    }
}

/// Queues a message for all subscribers and wakes those that wait. Calls `then` with the list before it is unlocked.
pub(super) fn publish<C: Chair, R>(
    list: &Mutex<List<C>>,
    item: &C::Item,
    options: &BroadcastOptions,
    then: impl FnOnce(&mut List<C>, Offers) -> R,
) -> R {
    let mut wakers = WAKERS.take();
    let mut locked = lock(list);
    let offers = locked.offer(item, options, &mut wakers);
    let result = then(&mut locked, offers);
    drop(locked);
    wakers.drain(..).for_each(Waker::wake);
    if wakers.capacity() <= KEPT {
        WAKERS.set(wakers);
    }
    result
}

/// Tells all subscribers of a gap and wakes those that wait.
pub(super) fn tell_gap<C: Chair>(list: &Mutex<List<C>>, gap: &<C::Item as Item>::Gap) {
    let wakers: Vec<_> =
        lock(list).places.iter().filter_map(|place| place.chair.queue().tell_gap(gap)).collect();
    wakers.into_iter().for_each(Waker::wake);
}

/// Locks a mutex, ignoring poisoning: a panic leaves no update incomplete.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
