//! What has arrived and waits for the hub: events in their order, in bounded memory.

use std::collections::{HashSet, VecDeque};
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

use super::super::{BusEvent, BusMessage};

/// What messages that wait may occupy. Redis itself keeps as much for a slow subscriber, by default.
const LIMIT: usize = 32 * 1024 * 1024;

/// What a message occupies beside its payload, about.
const OVERHEAD: usize = 128;

#[derive(Default)]
pub(super) struct Inbox {
    state: Mutex<State>,
    /// Wakes the hub when the queue was empty.
    filled: Notify,
}

#[derive(Default)]
struct State {
    /// Subscribed to, or about to be.
    topics: HashSet<Arc<str>>,
    queue: VecDeque<BusEvent>,
    /// What the messages in the queue occupy.
    occupied: usize,
    /// Topics whose last event in the queue says that messages were missed: one is enough.
    missed: HashSet<Arc<str>>,
    /// Counts connections, so that a late message of a former one is told from those of the present.
    connection: u64,
    /// Whether the last event of a connection said that there is one.
    connected: bool,
    /// Counts messages.
    arrived: u64,
}

impl Inbox {
    /// Waits for the next event.
    ///
    /// # Cancel safety
    /// This method is cancel-safe: if dropped, no event is lost.
    pub(super) async fn event(&self) -> BusEvent {
        // A hub that always finds an event lets others run nevertheless.
        tokio::task::coop::consume_budget().await;
        loop {
            if let Some(event) = self.with(State::next) {
                return event;
            }
            self.filled.notified().await;
        }
    }

    /// Takes a message of a connection.
    pub(super) fn message(&self, connection: u64, topic: &str, payload: Vec<u8>) {
        self.put(|state| state.message(connection, topic, payload));
    }

    /// Begins to take the messages of a new connection; returns its number.
    pub(super) fn begin(&self) -> u64 {
        self.with(|state| {
            state.connection += 1;
            state.connection
        })
    }

    /// Reports that the connection stands.
    pub(super) fn connected(&self) {
        self.put(|state| {
            state.connected = true;
            state.queue.push_back(BusEvent::Connected);
        });
    }

    /// Takes no more messages of the present connection, and reports its loss if it stood.
    pub(super) fn end(&self) {
        self.put(|state| {
            state.connection += 1;
            if mem::take(&mut state.connected) {
                state.queue.push_back(BusEvent::Disconnected);
            }
        });
    }

    /// How many messages have arrived so far.
    pub(super) fn arrived(&self) -> u64 {
        self.with(|state| state.arrived)
    }

    pub(super) fn topics(&self) -> Vec<Arc<str>> {
        self.with(|state| state.topics.iter().cloned().collect())
    }

    /// Lets messages of these topics in; returns those that weren't there.
    pub(super) fn add(&self, topics: &[Arc<str>]) -> Vec<Arc<str>> {
        self.with(|state| {
            topics.iter().filter(|topic| state.topics.insert((*topic).clone())).cloned().collect()
        })
    }

    pub(super) fn remove(&self, topics: &[Arc<str>]) {
        self.with(|state| {
            for topic in topics {
                state.topics.remove(topic);
            }
        });
    }

    /// Changes the state, and wakes the hub if there are events where there was none.
    fn put(&self, change: impl FnOnce(&mut State)) {
        let filled = self.with(|state| {
            let was_empty = state.queue.is_empty();
            change(state);
            was_empty && !state.queue.is_empty()
        });
        if filled {
            self.filled.notify_one();
        }
    }

    fn with<T>(&self, what: impl FnOnce(&mut State) -> T) -> T {
        // A panic leaves no update incomplete.
        what(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    fn message(&mut self, connection: u64, topic: &str, payload: Vec<u8>) {
        if connection != self.connection {
            return;
        }
        self.arrived += 1;
        // Unsubscribed meanwhile, if there is none.
        let Some(topic) = self.topics.get(topic).cloned() else { return };
        let size = OVERHEAD + payload.len();
        // A message over the limit may come alone.
        if self.occupied > 0 && self.occupied + size > LIMIT {
            if self.missed.insert(topic.clone()) {
                self.queue.push_back(BusEvent::Missed(topic));
            }
            return;
        }
        if !self.missed.is_empty() {
            self.missed.remove(&topic);
        }
        self.occupied += size;
        let payload = Bytes::from(payload);
        self.queue.push_back(BusEvent::Message(BusMessage { topic, payload }));
    }

    fn next(&mut self) -> Option<BusEvent> {
        let event = self.queue.pop_front()?;
        match &event {
            BusEvent::Message(message) => self.occupied -= OVERHEAD + message.payload.len(),
            BusEvent::Missed(topic) => {
                self.missed.remove(topic);
            }
            BusEvent::Connected | BusEvent::Disconnected => {}
        }
        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_is_missed_once_and_in_its_place() {
        let inbox = Inbox::default();
        let (a, b): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
        inbox.add(&[a.clone(), b.clone()]);
        let connection = inbox.begin();
        let half = LIMIT / 2 - OVERHEAD;
        for topic in ["a", "b", "a", "a", "b"] {
            inbox.message(connection, topic, vec![0; half]);
        }
        assert_eq!(take(&inbox), "a b !a !b");
        inbox.message(connection, "a", vec![0; LIMIT]);
        inbox.message(connection, "a", vec![]);
        inbox.message(connection, "a", vec![]);
        assert_eq!(take(&inbox), "a !a");
        // Room for one more behind the gap; the second gap is one more.
        inbox.message(connection, "a", vec![0; half]);
        inbox.message(connection, "a", vec![0; LIMIT]);
        inbox.message(connection, "a", vec![0; half]);
        inbox.message(connection, "a", vec![]);
        assert_eq!(take(&inbox), "a !a a !a");
    }

    #[test]
    fn only_the_present_connection_and_subscribed_topics_are_heard() {
        let inbox = Inbox::default();
        inbox.add(&["a".into()]);
        let former = inbox.begin();
        inbox.connected();
        inbox.message(former, "a", vec![]);
        inbox.message(former, "b", vec![]);
        inbox.end();
        inbox.end();
        inbox.message(former, "a", vec![]);
        let present = inbox.begin();
        inbox.message(former, "a", vec![]);
        inbox.message(present, "a", vec![]);
        inbox.connected();
        inbox.remove(&["a".into()]);
        inbox.message(present, "a", vec![]);
        assert_eq!(take(&inbox), "+ a - a +");
    }

    /// All that is there.
    fn take(inbox: &Inbox) -> String {
        let events = std::iter::from_fn(|| inbox.with(State::next));
        let events: Vec<_> = events
            .map(|event| match event {
                BusEvent::Message(message) => message.topic.to_string(),
                BusEvent::Missed(topic) => format!("!{topic}"),
                BusEvent::Connected => "+".into(),
                BusEvent::Disconnected => "-".into(),
            })
            .collect();
        events.join(" ")
    }
}
