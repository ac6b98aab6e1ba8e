//! A topic: what is published reaches every subscriber, and no slow one holds up the others.

mod deliver;
mod options;
mod queue;
mod subscription;

use std::fmt;
use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use ws_core::{Message, PreparedMessage};

pub use options::{BroadcastOptions, Slow};
use queue::{Offered, Queue};
pub use subscription::{Subscription, TooSlow};

/// A topic, to publish to and to subscribe to. Cheap to clone; all clones are one, and the topic ends with the last.
///
/// A message is encoded once for all subscribers, as a [`PreparedMessage`], and a large payload is never copied for a server's
/// connections. Each subscriber has a queue of its own with bounds, and [`Slow`] says what happens when it is full: whoever
/// publishes never waits, and nobody waits for somebody else's client.
///
/// ```
/// use ws_tokio::{AcceptOptions, Broadcast, Server};
///
/// # async fn example() -> std::io::Result<()> {
/// let news = Broadcast::new();
/// let readers = news.clone();
/// let server = Server::bind("127.0.0.1:9001").await?;
/// tokio::spawn(server.serve(move |mut connection| {
///     let mut subscription = readers.subscribe();
///     async move {
///         // What clients send is answered; what is published meanwhile is delivered.
///         _ = subscription.serve(&mut connection, |message, outbox| outbox.send(message)).await;
///     }
/// }));
/// news.publish("It has begun.");
/// # Ok(())
/// # }
/// ```
///
/// # Memory
/// A topic has 24 bytes for each subscriber. A subscriber has about 150, a pointer for each message that is queued for it, and
/// pins at most [`max_messages`](BroadcastOptions::max_messages) messages and
/// [`max_bytes`](BroadcastOptions::max_bytes) of payload, or a single message that is larger; and one message more
/// while that waits for room in its connection. What is in the send queue of its connection comes on top:
/// [`Settings::queue_limit`](crate::Settings::queue_limit), where small payloads are copies and large ones shared. A topic
/// keeps no message that no subscriber has to get.
#[derive(Clone)]
pub struct Broadcast(Arc<Publisher>);

/// What clones of a [`Broadcast`] share: with it, the topic ends.
struct Publisher(Arc<Topic>);

/// Locks are taken in this order: the list, then a queue. No task is woken under either.
struct Topic {
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
struct Seat {
    /// Where it is in the list, if it is. Only looked at and changed under the list's lock.
    place: AtomicUsize,
    queue: Mutex<Queue>,
}

impl Broadcast {
    /// A topic with the default options: a subscriber for whom more than 256 messages or 1 MiB are queued is
    /// disconnected with 1008.
    #[must_use]
    pub fn new() -> Self {
        Self::with(BroadcastOptions::default())
    }

    /// A topic with these options.
    #[must_use]
    pub fn with(options: BroadcastOptions) -> Self {
        let list = List { seats: Vec::new(), dropped: 0, wakers: Vec::new() };
        Self(Arc::new(Publisher(Arc::new(Topic { options, list: Mutex::new(list) }))))
    }

    /// Subscribes to what is published from now on. It leaves the topic when it is dropped.
    #[must_use]
    pub fn subscribe(&self) -> Subscription {
        let topic = self.topic();
        let seat = topic.lock().enter();
        Subscription::new(topic.clone(), seat)
    }

    /// Publishes a message. See [`publish_prepared`](Self::publish_prepared).
    pub fn publish(&self, message: impl Into<Message>) -> usize {
        self.publish_prepared(&PreparedMessage::new(message))
    }

    /// Publishes a message that may have been sent elsewhere before. How many subscribers it was queued for.
    ///
    /// It never waits: it pushes one pointer for each subscriber and wakes the tasks that wait, which write. Whoever else
    /// publishes meanwhile, all subscribers get the messages in the same order.
    pub fn publish_prepared(&self, message: &PreparedMessage) -> usize {
        let topic = self.topic();
        let mut list = topic.lock();
        let mut wakers = mem::take(&mut list.wakers);
        let queued = list.offer(message, &topic.options, &mut wakers);
        drop(list);
        wakers.drain(..).for_each(Waker::wake);
        topic.lock().wakers = wakers;
        queued
    }

    /// How many are subscribed.
    #[must_use]
    pub fn subscribers(&self) -> usize {
        self.topic().lock().seats.len()
    }

    /// How many messages were not delivered because a subscriber was too slow: one that five subscribers missed counts five
    /// times. Those of subscribers that are gone count too.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.topic().lock().dropped
    }

    fn topic(&self) -> &Arc<Topic> {
        &self.0.0
    }
}

impl Default for Broadcast {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Publisher {
    /// The topic ends: what is queued will still be delivered.
    fn drop(&mut self) {
        let seats = mem::take(&mut self.0.lock().seats);
        for seat in seats {
            let waker = seat.lock().finish();
            waker.into_iter().for_each(Waker::wake);
        }
    }
}

impl Topic {
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
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Broadcast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broadcast")
            .field("subscribers", &self.subscribers())
            .field("dropped", &self.dropped())
            .finish_non_exhaustive()
    }
}
