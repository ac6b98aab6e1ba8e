//! The bounded queue of one subscriber.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::hash::Hash;
use std::mem;
use std::task::Waker;

use ws_core::{CloseCode, PreparedMessage};

use super::options::{BroadcastOptions, Slow};

/// Number of messages whose capacity an empty queue keeps; more is freed after a burst.
const KEPT: usize = 32;

/// What is queued.
pub(super) trait Item: Clone {
    /// Says which items are of the same kind, for [`Slow::KeepLatest`].
    type Key: Eq + Hash;
    type Gap: Gap;

    fn key(&self) -> Self::Key;

    fn message(&self) -> &PreparedMessage;

    /// Called when it will not be taken.
    fn dropped(&self) {}
}

/// Says that messages were missed which never came this far. Equal to another that says the same.
pub(super) trait Gap: Clone + PartialEq {
    /// What the client is told, if anything.
    fn message(&self) -> Option<&PreparedMessage>;
}

/// What a subscriber takes.
#[derive(Clone)]
pub(super) enum Taken<T: Item> {
    Item(T),
    Gap(T::Gap),
}

impl<T: Item> Taken<T> {
    /// What goes to the client, if anything.
    pub(super) fn message(&self) -> Option<&PreparedMessage> {
        match self {
            Self::Item(item) => Some(item.message()),
            Self::Gap(gap) => gap.message(),
        }
    }
}

/// On one node, nothing is missed unless the queue drops it.
impl Gap for Infallible {
    fn message(&self) -> Option<&PreparedMessage> {
        match *self {}
    }
}

impl Item for PreparedMessage {
    type Key = ();
    type Gap = Infallible;

    fn key(&self) {}

    fn message(&self) -> &PreparedMessage {
        self
    }
}

/// A subscriber's queue. Invariant: empty, or within the limits, or a single message.
pub(super) struct Queue<T: Item> {
    items: VecDeque<T>,
    /// Total payload bytes.
    bytes: usize,
    dropped: u64,
    stage: Stage,
    waiting: Option<(Wish, Waker)>,
    latest: Option<Box<Latest<T::Key>>>,
    gaps: Option<Box<Gaps<T::Gap>>>,
}

/// Gaps, each with the number of items that are before it. They are never dropped, and there is one of each kind at most.
struct Gaps<G>(VecDeque<(usize, G)>);

/// Where the item of each key is, under [`Slow::KeepLatest`].
struct Latest<K> {
    /// The number of the first item in the queue; items are numbered in the order in which they were queued.
    first: u64,
    numbers: HashMap<K, u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Subscribed,
    /// Nothing more will be queued.
    Ended,
    /// Nothing more will be queued or taken: the subscriber was too slow, and its connection is to be closed with this
    /// code.
    Overflowed(CloseCode),
}

/// What a subscriber waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// A message, or the end of the topic.
    Message,
    /// An overflow, while the subscriber holds a message that it can't deliver yet.
    Overflow,
}

/// What happened to an offered message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offered {
    Queued,
    Dropped,
    Overflowed,
    /// The queue takes nothing more, from this topic or any.
    Gone,
}

impl<T: Item> Queue<T> {
    pub(super) const fn new() -> Self {
        Self {
            items: VecDeque::new(),
            bytes: 0,
            dropped: 0,
            stage: Stage::Subscribed,
            waiting: None,
            latest: None,
            gaps: None,
        }
    }

    pub(super) const fn stage(&self) -> Stage {
        self.stage
    }

    /// Returns the number of offered messages that will never be taken.
    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Queues a message, or applies the policy.
    pub(super) fn offer(&mut self, item: &T, options: &BroadcastOptions) -> Offered {
        if self.stage != Stage::Subscribed {
            return Offered::Gone;
        }
        if options.slow == Slow::KeepLatest && self.replace(item, options) {
            return Offered::Queued;
        }
        let len = len(item);
        while !self.has_room(len, options) {
            match options.slow {
                Slow::DropOldest | Slow::KeepLatest => {
                    if let Some(oldest) = self.pop() {
                        self.drops(&oldest);
                    }
                }
                Slow::DropNewest => {
                    self.drops(item);
                    return Offered::Dropped;
                }
                Slow::Disconnect(code) => {
                    self.drops(item);
                    while let Some(queued) = self.pop() {
                        self.drops(&queued);
                    }
                    self.end(Stage::Overflowed(code));
                    return Offered::Overflowed;
                }
            }
        }
        self.bytes += len;
        self.items.push_back(item.clone());
        Offered::Queued
    }

    /// Puts the item in the place of an earlier one of the same key. If there is none, or if that would be too much, says no;
    /// then it goes to the end.
    fn replace(&mut self, item: &T, options: &BroadcastOptions) -> bool {
        let latest = self.latest.get_or_insert_default();
        let Some(place) = latest.place(&item.key()) else {
            latest.numbers.insert(item.key(), latest.first + self.items.len() as u64);
            return false;
        };
        let bytes = self.bytes - len(&self.items[place]) + len(item);
        let fits = bytes <= options.max_bytes || self.items.len() == 1;
        let before = if fits {
            self.bytes = bytes;
            mem::replace(&mut self.items[place], item.clone())
        } else {
            self.bytes = bytes - len(item);
            latest.close_up(place, item.key(), self.items.len());
            if let Some(gaps) = &mut self.gaps {
                gaps.close_up(place);
            }
            self.items.remove(place).expect("its place")
        };
        self.drops(&before);
        fits
    }

    fn drops(&mut self, item: &T) {
        self.dropped += 1;
        item.dropped();
    }

    /// Queues a gap behind everything else; an earlier one of the same kind says nothing any more. Returns the task to wake.
    pub(super) fn tell_gap(&mut self, gap: &T::Gap) -> Option<Waker> {
        if self.stage != Stage::Subscribed {
            return None;
        }
        self.forget_gaps(|other| other == gap);
        self.gaps.get_or_insert_default().0.push_back((self.items.len(), gap.clone()));
        self.waker_for(|wish| wish == Wish::Message)
    }

    /// Forgets queued gaps that this is true of.
    pub(super) fn forget_gaps(&mut self, is_past: impl Fn(&T::Gap) -> bool) {
        if let Some(gaps) = &mut self.gaps {
            gaps.0.retain(|(_, gap)| !is_past(gap));
        }
    }

    pub(super) fn take(&mut self) -> Option<Taken<T>> {
        if let Some(gaps) = &mut self.gaps {
            match gaps.0.front() {
                Some((0, _)) => return gaps.0.pop_front().map(|(_, gap)| Taken::Gap(gap)),
                Some(_) => {}
                None => self.gaps = None,
            }
        }
        self.take_item().map(Taken::Item)
    }

    fn take_item(&mut self) -> Option<T> {
        let item = self.pop();
        if self.items.is_empty() {
            self.latest = None;
            if self.items.capacity() > KEPT {
                self.items = VecDeque::new();
            }
        }
        item
    }

    /// Ends the queue; queued messages may still be taken. Returns the task to wake.
    pub(super) fn finish(&mut self) -> Option<Waker> {
        self.stage = Stage::Ended;
        self.waker_for(|wish| wish == Wish::Message)
    }

    /// Empties and ends the queue.
    pub(super) fn end(&mut self, stage: Stage) {
        self.stage = stage;
        self.items = VecDeque::new();
        self.bytes = 0;
        self.latest = None;
        self.gaps = None;
    }

    /// Registers the subscriber's task. Returns the previous waker, to be dropped after unlocking.
    pub(super) fn wait(&mut self, wish: Wish, waker: &Waker) -> Option<(Wish, Waker)> {
        self.waiting.replace((wish, waker.clone()))
    }

    /// Returns the task to wake after an offer; a burst wakes it once.
    pub(super) fn waker_after(&mut self, offered: Offered) -> Option<Waker> {
        self.waker_for(|wish| match offered {
            Offered::Queued => wish == Wish::Message,
            Offered::Dropped | Offered::Gone => false,
            Offered::Overflowed => true,
        })
    }

    fn waker_for(&mut self, is_due: impl FnOnce(Wish) -> bool) -> Option<Waker> {
        self.waiting.take_if(|(wish, _)| is_due(*wish)).map(|(_, waker)| waker)
    }

    fn has_room(&self, len: usize, options: &BroadcastOptions) -> bool {
        self.items.is_empty()
            || self.items.len() < options.max_messages
                && self.bytes.saturating_add(len) <= options.max_bytes
    }

    fn pop(&mut self) -> Option<T> {
        let item = self.items.pop_front()?;
        self.bytes -= len(&item);
        if let Some(latest) = &mut self.latest {
            latest.numbers.remove(&item.key());
            latest.first += 1;
        }
        if let Some(gaps) = &mut self.gaps {
            gaps.close_up(0);
        }
        Some(item)
    }
}

impl<K: Eq + Hash> Latest<K> {
    fn place(&self, key: &K) -> Option<usize> {
        let number = self.numbers.get(key)?;
        Some(usize::try_from(number - self.first).expect("a place in the queue"))
    }

    /// Of so many items, the one at this place leaves, to come back as the last.
    fn close_up(&mut self, place: usize, key: K, items: usize) {
        let number = self.first + place as u64;
        for later in self.numbers.values_mut().filter(|later| **later > number) {
            *later -= 1;
        }
        self.numbers.insert(key, self.first + items as u64 - 1);
    }
}

impl<G> Gaps<G> {
    /// The item at this place is gone.
    fn close_up(&mut self, place: usize) {
        for (before, _) in self.0.iter_mut().filter(|(before, _)| *before > place) {
            *before -= 1;
        }
    }
}

impl<G> Default for Gaps<G> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<K> Default for Latest<K> {
    fn default() -> Self {
        Self { first: 0, numbers: HashMap::new() }
    }
}

fn len<T: Item>(item: &T) -> usize {
    item.message().message().as_bytes().len()
}
