//! The messages of any number of subscriptions, one after the other, and events between them. Only subscriptions with messages are looked
//! at; a message costs no allocation of ours.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use async_nats::Subscriber;
use futures_core::Stream;
use tokio::task::coop;

use super::ready::{Item, Ready, Slot};
use crate::topics::bus::{BusEvent, BusMessage};

/// How many messages of a topic are taken before it is the next one's turn.
const TURN: usize = 64;

/// The same while an event waits for the messages before it: all of a subscription that is full, but not what comes meanwhile for ever.
const LONG_TURN: usize = 64 * 1024;

/// All subscriptions to topics.
#[derive(Default)]
pub(super) struct Received {
    sids: HashMap<Arc<str>, u64>,
    entries: HashMap<u64, Entry>,
    turn: Option<Turn>,
}

struct Entry {
    topic: Arc<str>,
    subscriber: Subscriber,
    waker: Waker,
}

struct Turn {
    slot: Arc<Slot>,
    left: usize,
}

impl Received {
    pub(super) fn has(&self, topic: &str) -> bool {
        self.sids.contains_key(topic)
    }

    pub(super) fn insert(
        &mut self,
        topic: Arc<str>,
        sid: u64,
        subscriber: Subscriber,
        ready: &Arc<Ready>,
    ) {
        let slot = Slot::new(sid, ready);
        let entry = Entry { topic: topic.clone(), subscriber, waker: slot.clone().into() };
        self.sids.insert(topic, sid);
        self.entries.insert(sid, entry);
        // Its first look leaves the waker.
        ready.messages(slot);
    }

    pub(super) fn remove(&mut self, topic: &str) -> Option<Subscriber> {
        let sid = self.sids.remove(topic)?;
        let entry = self.entries.remove(&sid)?;
        if self.sids.len() * 4 < self.sids.capacity() {
            self.sids.shrink_to(self.sids.len() * 2);
            self.entries.shrink_to(self.sids.len() * 2);
        }
        Some(entry.subscriber)
    }

    pub(super) fn poll(&mut self, ready: &Ready, cx: &mut Context<'_>) -> Poll<BusEvent> {
        // Without budget, a subscription would say that it has nothing.
        while coop::has_budget_remaining() {
            if let Some(message) = self.take(ready) {
                return Poll::Ready(BusEvent::Message(message));
            }
            let Some((item, is_awaited)) = ready.next(cx) else { return Poll::Pending };
            match item {
                Item::Messages(slot) => {
                    let left = if is_awaited { LONG_TURN } else { TURN };
                    self.turn = Some(Turn { slot, left });
                }
                Item::Missed(sid) => {
                    if let Some(entry) = self.entries.get(&sid) {
                        return Poll::Ready(BusEvent::Missed(entry.topic.clone()));
                    }
                }
                Item::Connected => return Poll::Ready(BusEvent::Connected),
                Item::Disconnected => return Poll::Ready(BusEvent::Disconnected),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Takes a message of the topic whose turn it is. With its last one, the turn ends.
    fn take(&mut self, ready: &Ready) -> Option<BusMessage> {
        let turn = self.turn.as_mut()?;
        let message = self.entries.get_mut(&turn.slot.sid).and_then(Entry::take);
        turn.left -= 1;
        if message.is_none() {
            self.turn = None;
        } else if turn.left == 0 {
            ready.messages(turn.slot.clone());
            self.turn = None;
        }
        message
    }
}

impl Entry {
    fn take(&mut self) -> Option<BusMessage> {
        let mut cx = Context::from_waker(&self.waker);
        match Pin::new(&mut self.subscriber).poll_next(&mut cx) {
            Poll::Ready(Some(message)) => {
                Some(BusMessage { topic: self.topic.clone(), payload: message.payload })
            }
            // Async-nats never ends them.
            Poll::Ready(None) | Poll::Pending => None,
        }
    }
}
