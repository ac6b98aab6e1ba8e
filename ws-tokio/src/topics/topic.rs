//! A topic's list of subscribers and their queues, used by publishers and subscribers.

use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use ws_core::PreparedMessage;

use super::options::BroadcastOptions;
use super::queue::{Offered, Queue};

/// A topic. Locks are taken in this order: list, then queue. No task is woken under either.
pub(super) struct Topic {
    options: BroadcastOptions,
    list: Mutex<List>,
}

struct List {
    seats: Vec<Arc<Seat>>,
    /// Number of messages missed by present and past subscribers.
    dropped: u64,
    /// Reusable list of tasks to wake; empty between messages.
    wakers: Vec<Waker>,
}

/// A subscriber's place in a topic.
pub(super) struct Seat {
    /// Its index in the list, if it is there. Accessed only under the list's lock.
    place: AtomicUsize,
    queue: Mutex<Queue>,
}

impl Topic {
    pub(super) fn new(options: BroadcastOptions) -> Self {
        let list = List { seats: Vec::new(), dropped: 0, wakers: Vec::new() };
        Self { options, list: Mutex::new(list) }
    }

    /// Adds a subscriber, and returns its seat.
    pub(super) fn enter(&self) -> Arc<Seat> {
        self.lock().enter()
    }

    /// Removes a seat. Does nothing if it was already removed.
    pub(super) fn leave(&self, seat: &Arc<Seat>) {
        self.lock().leave(seat);
    }

    /// Queues a message for all subscribers and wakes those that wait. Returns the number of subscribers it was queued
    /// for.
    pub(super) fn publish(&self, message: &PreparedMessage) -> usize {
        let mut list = self.lock();
        let mut wakers = mem::take(&mut list.wakers);
        let queued = list.offer(message, &self.options, &mut wakers);
        drop(list);
        wakers.drain(..).for_each(Waker::wake);
        self.lock().wakers = wakers;
        queued
    }

    /// Ends the topic; queued messages may still be taken.
    pub(super) fn finish(&self) {
        let seats = mem::take(&mut self.lock().seats);
        for seat in seats {
            let waker = seat.lock().finish();
            waker.into_iter().for_each(Waker::wake);
        }
    }

    /// Returns the number of subscribers.
    pub(super) fn taken(&self) -> usize {
        self.lock().seats.len()
    }

    /// Returns the number of messages missed by present and past subscribers.
    pub(super) fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    fn lock(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl List {
    fn enter(&mut self) -> Arc<Seat> {
        let place = AtomicUsize::new(self.seats.len());
        let seat = Arc::new(Seat { place, queue: Mutex::new(Queue::new()) });
        self.seats.push(seat.clone());
        seat
    }

    /// Removes a seat; the last seat moves to its place.
    fn leave(&mut self, seat: &Arc<Seat>) {
        let place = seat.place.load(Ordering::Relaxed);
        if self.seats.get(place).is_some_and(|there| Arc::ptr_eq(there, seat)) {
            self.remove(place);
        }
    }

    fn remove(&mut self, place: usize) {
        self.seats.swap_remove(place);
        if let Some(moved) = self.seats.get(place) {
            moved.place.store(place, Ordering::Relaxed);
        }
    }

    /// Offers a message to all subscribers and removes those that are too slow. Returns how many queued it.
    fn offer(
        &mut self,
        message: &PreparedMessage,
        options: &BroadcastOptions,
        wakers: &mut Vec<Waker>,
    ) -> usize {
        let (mut place, mut queued) = (0, 0);
        while let Some(seat) = self.seats.get(place) {
            let mut queue = seat.lock();
            let before = queue.dropped();
            let offered = queue.offer(message, options);
            self.dropped += queue.dropped() - before;
            wakers.extend(queue.waker_after(offered));
            drop(queue);
            match offered {
                Offered::Queued => (place, queued) = (place + 1, queued + 1),
                Offered::Dropped => place += 1,
                Offered::Overflowed => self.remove(place),
            }
        }
        queued
    }
}

impl Seat {
    pub(super) fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
