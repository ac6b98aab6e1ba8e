//! What a hub shares with the task that speaks to other nodes.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;
use tokio::sync::mpsc::{self, Receiver, Sender};
use ws_core::PreparedMessage;

use super::names::Names;
use super::published::Published;
use crate::events::hub as events;
use crate::topics::options::HubOptions;
use crate::topics::topic::lock;

/// Number of topics that are told apart; with more, all are told of a gap.
const LOST: usize = 1024;

/// Number of topics that are told apart; with more, all are looked at.
const CHANGED: usize = 1 << 16;

/// A hub's end. With the last one, the task ends too.
pub(crate) struct Link {
    pub(super) shared: Arc<Shared>,
    queue: Sender<Published>,
}

pub(super) struct Shared {
    /// Payload bytes that wait for the bus.
    bytes: AtomicUsize,
    max_bytes: usize,
    /// Topics that have begun or ended.
    changed: Mutex<Names>,
    /// Topics of which others don't get everything; they are to be told.
    lost: Mutex<Names>,
    /// There is something new for the task, besides messages.
    pub(super) news: Notify,
    /// More topics are reached from other nodes.
    pub(super) reached: Notify,
    is_connected: AtomicBool,
    /// The topics that there were when the bus was connected last, until the task takes them.
    missed: Mutex<Option<Vec<Arc<str>>>>,
    pub(super) counts: Counts,
}

#[derive(Default)]
pub(super) struct Counts {
    pub(super) published: AtomicU64,
    pub(super) received: AtomicU64,
    pub(super) dropped: AtomicU64,
    pub(super) rejected: AtomicU64,
    pub(super) gaps: AtomicU64,
}

/// Figures of a [`Hub`](crate::Hub) over a bus, since it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BusStats {
    /// Whether the bus is there. What is published meanwhile waits, or goes to this node alone.
    pub is_connected: bool,
    /// Number of messages that wait for the bus: how far it lags behind.
    pub waiting: usize,
    /// Number of messages that the bus has taken.
    pub published: u64,
    /// Number of messages of other nodes, for topics with subscribers here.
    pub received: u64,
    /// Number of messages that did not go to other nodes, or may not have: too many waited, or the bus failed.
    pub dropped: u64,
    /// Number of payloads that no hub wrote, or a newer one.
    pub rejected: u64,
    /// Number of gaps, each told to all subscribers of a topic.
    pub gaps: u64,
}

impl Link {
    pub(super) fn new(options: &HubOptions) -> (Self, Receiver<Published>) {
        let (queue, receiver) = mpsc::channel(options.max_waiting);
        let shared = Shared {
            bytes: AtomicUsize::new(0),
            max_bytes: options.max_waiting_bytes,
            changed: Mutex::new(Names::new(CHANGED)),
            lost: Mutex::new(Names::new(LOST)),
            news: Notify::new(),
            reached: Notify::new(),
            is_connected: AtomicBool::new(false),
            missed: Mutex::default(),
            counts: Counts::default(),
        };
        (Self { shared: Arc::new(shared), queue }, receiver)
    }

    /// Hands a message over, to be published on other nodes, unless too much waits already.
    pub(super) fn publish(&self, published: Published) {
        let (shared, len) = (&self.shared, len(published.message()));
        let waiting = shared.bytes.fetch_add(len, Ordering::Relaxed);
        // A message over the limit may go alone.
        if waiting > 0 && waiting.saturating_add(len) > shared.max_bytes {
            shared.gone(len);
            shared.lose(&[published]);
        } else if let Err(refused) = self.queue.try_send(published) {
            shared.gone(len);
            shared.lose(&[refused.into_inner()]);
        } else {
            events::bus_waits(1);
        }
    }

    /// A topic has begun or ended.
    pub(super) fn changed(&self, topic: &Arc<str>) {
        self.shared.note(&self.shared.changed, [topic]);
    }

    pub(super) fn stats(&self) -> BusStats {
        let Counts { published, received, dropped, rejected, gaps } = &self.shared.counts;
        let [published, received, dropped, rejected, gaps] =
            [published, received, dropped, rejected, gaps]
                .map(|count| count.load(Ordering::Relaxed));
        BusStats {
            is_connected: self.shared.is_connected(),
            waiting: self.queue.max_capacity() - self.queue.capacity(),
            published,
            received,
            dropped,
            rejected,
            gaps,
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // The task may wait for the bus and not for messages.
        self.shared.news.notify_one();
    }
}

impl Shared {
    /// The bus is there. Until now, these topics may have missed something.
    pub(super) fn connected(&self, topics: Vec<Arc<str>>) {
        *lock(&self.missed) = Some(topics);
        self.is_connected.store(true, Ordering::Relaxed);
        self.news.notify_one();
        events::bus_connected();
    }

    pub(super) fn disconnected(&self) {
        self.is_connected.store(false, Ordering::Relaxed);
        events::bus_disconnected();
    }

    pub(super) fn is_connected(&self) -> bool {
        self.is_connected.load(Ordering::Relaxed)
    }

    /// After a new connection, takes the topics that may have missed something.
    pub(super) fn take_missed(&self) -> Option<Vec<Arc<str>>> {
        lock(&self.missed).take()
    }

    /// So many bytes wait no more.
    fn gone(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// These messages wait no more.
    pub(super) fn taken(&self, messages: &[Published]) {
        events::bus_waits(-(messages.len() as i64));
        self.gone(messages.iter().map(|published| len(published.message())).sum());
    }

    /// Other nodes don't get these messages, or may not.
    pub(super) fn lose(&self, messages: &[Published]) {
        self.counts.dropped.fetch_add(messages.len() as u64, Ordering::Relaxed);
        events::bus_dropped(messages.len());
        self.note(&self.lost, messages.iter().map(Published::topic_name));
    }

    /// The task sees to these topics when it comes to it.
    fn note<'a>(&self, names: &Mutex<Names>, topics: impl IntoIterator<Item = &'a Arc<str>>) {
        let mut names = lock(names);
        let was_empty = names.is_empty();
        topics.into_iter().for_each(|topic| names.add(topic));
        drop(names);
        if was_empty {
            self.news.notify_one();
        }
    }

    pub(super) fn take_changed(&self) -> Names {
        lock(&self.changed).take()
    }

    pub(super) fn take_lost(&self) -> Names {
        lock(&self.lost).take()
    }

    /// They could not be told.
    pub(super) fn put_back_lost(&self, untold: Names) {
        lock(&self.lost).add_all(untold);
    }

    pub(super) fn has_lost(&self) -> bool {
        !lock(&self.lost).is_empty()
    }
}

fn len(message: &PreparedMessage) -> usize {
    message.message().as_bytes().len()
}
