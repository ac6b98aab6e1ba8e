//! What is ready to be taken, in its order: subscriptions with messages, and between them what happened to the connection. It is told
//! of both by async-nats, and holds nothing of a client's, which would keep the client alive.

use std::collections::{HashSet, VecDeque};
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Wake, Waker};

use crate::topics::topic::lock;

/// A queue that can't grow without bound: each subscription is in it at most once, in each way, and each event too.
#[derive(Default)]
pub(super) struct Ready(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    items: VecDeque<Item>,
    /// The number of items that are no subscriptions.
    marks: usize,
    /// The number of the connection that was announced last; 0 if it is lost.
    announced: u64,
    missing: HashSet<u64>,
    waker: Option<Waker>,
}

pub(super) enum Item {
    /// A subscription may have messages.
    Messages(Arc<Slot>),
    Missed(u64),
    Connected,
    Disconnected,
}

impl Ready {
    /// Takes the next item, and whether an event waits behind it; or calls the task again when there is one.
    pub(super) fn next(&self, cx: &Context<'_>) -> Option<(Item, bool)> {
        let mut queue = lock(&self.0);
        let Some(item) = queue.items.pop_front() else {
            queue.waker = Some(cx.waker().clone());
            return None;
        };
        match &item {
            Item::Messages(slot) => slot.is_queued.swap(false, Ordering::AcqRel),
            Item::Missed(sid) => queue.missing.remove(sid),
            Item::Connected | Item::Disconnected => true,
        };
        queue.marks -= usize::from(item.is_mark());
        Some((item, queue.marks > 0))
    }

    /// Queues a subscription, unless it is there.
    pub(super) fn messages(&self, slot: Arc<Slot>) {
        if !slot.is_queued.swap(true, Ordering::AcqRel) {
            self.update(|queue| queue.items.push_back(Item::Messages(slot)));
        }
    }

    /// A message of this subscription was missed.
    pub(super) fn missed(&self, sid: u64) {
        self.update(|queue| {
            if queue.missing.insert(sid) {
                queue.mark(Item::Missed(sid));
            }
        });
    }

    /// The connection of this number was made, and all subscriptions are in effect.
    pub(super) fn connected(&self, number: u64) {
        self.update(|queue| {
            if queue.announced != number {
                queue.disconnected();
                queue.announced = number;
                queue.mark(Item::Connected);
            }
        });
    }

    pub(super) fn disconnected(&self) {
        self.update(Queue::disconnected);
    }

    fn update(&self, change: impl FnOnce(&mut Queue)) {
        let mut queue = lock(&self.0);
        change(&mut queue);
        let waker = queue.waker.take();
        drop(queue);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Queue {
    fn mark(&mut self, item: Item) {
        self.marks += 1;
        self.items.push_back(item);
    }

    fn disconnected(&mut self) {
        if mem::take(&mut self.announced) == 0 {
            return;
        }
        // A connection that came and went before anybody looked is nobody's concern.
        let before = self.items.len();
        self.items.retain(|item| !matches!(item, Item::Connected));
        if self.items.len() < before {
            self.marks -= 1;
        } else {
            self.mark(Item::Disconnected);
        }
    }
}

impl Item {
    const fn is_mark(&self) -> bool {
        !matches!(self, Self::Messages(_))
    }
}

/// A subscription's place in the queue, which async-nats wakes with each message that comes while none waits.
pub(super) struct Slot {
    pub(super) sid: u64,
    is_queued: AtomicBool,
    ready: Weak<Ready>,
}

impl Slot {
    pub(super) fn new(sid: u64, ready: &Arc<Ready>) -> Arc<Self> {
        Arc::new(Self { sid, is_queued: AtomicBool::new(false), ready: Arc::downgrade(ready) })
    }
}

impl Wake for Slot {
    fn wake(self: Arc<Self>) {
        if let Some(ready) = self.ready.upgrade() {
            ready.messages(self);
        }
    }
}
