//! What a topic is, below those who publish and those who subscribe: a list of seats, each with its queue.

use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use ws_core::PreparedMessage;

use super::options::BroadcastOptions;
use super::queue::{Offered, Queue};

/// Locks are taken in this order: the list, then a queue. No task is woken under either.
pub(super) struct Topic {
    options: BroadcastOptions,
    list: Mutex<List>,
}

struct List {
    seats: Vec<Arc<Seat>>,
    /// By all who are or were here.
    dropped: u64,
    /// Room for those whom a message wakes: empty between two messages.
    wakers: Vec<Waker>,
}

/// A subscriber's place in a topic.
pub(super) struct Seat {
    /// Where it is in the list, if it is. Only looked at and changed under the list's lock.
    place: AtomicUsize,
    queue: Mutex<Queue>,
}

impl Topic {
    pub(super) fn new(options: BroadcastOptions) -> Self {
        let list = List { seats: Vec::new(), dropped: 0, wakers: Vec::new() };
        Self { options, list: Mutex::new(list) }
    }

    /// A seat for a subscriber, behind all others.
    pub(super) fn enter(&self) -> Arc<Seat> {
        self.lock().enter()
    }

    /// Gives a seat up. Whoever left before may leave again.
    pub(super) fn leave(&self, seat: &Arc<Seat>) {
        self.lock().leave(seat);
    }

    /// Queues a message for all, and wakes those who wait; how many took it.
    pub(super) fn publish(&self, message: &PreparedMessage) -> usize {
        let mut list = self.lock();
        let mut wakers = mem::take(&mut list.wakers);
        let queued = list.offer(message, &self.options, &mut wakers);
        drop(list);
        wakers.drain(..).for_each(Waker::wake);
        self.lock().wakers = wakers;
        queued
    }

    /// Nothing will be published any more: what is queued will still be delivered.
    pub(super) fn finish(&self) {
        let seats = mem::take(&mut self.lock().seats);
        for seat in seats {
            let waker = seat.lock().finish();
            waker.into_iter().for_each(Waker::wake);
        }
    }

    /// How many seats are taken.
    pub(super) fn taken(&self) -> usize {
        self.lock().seats.len()
    }

    /// How many messages subscribers have missed, those who left included.
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

    /// The last takes the place of the one that leaves. One that left before is not there any more.
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

    /// Offers a message to all; how many took it. Who was too slow leaves.
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
