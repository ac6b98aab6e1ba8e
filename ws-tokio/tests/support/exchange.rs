//! An engine between nodes, in memory: it can be away, cut off single nodes, hang, and fail.

use std::collections::{BTreeMap, HashSet};
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use ws_tokio::{Bus, BusEvent, BusMessage, BusResult};

#[derive(Clone, Default)]
pub(crate) struct Exchange(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    nodes: BTreeMap<usize, Node>,
    /// Whether nodes get what they publish themselves.
    echoes: bool,
    delivered: usize,
}

struct Node {
    topics: HashSet<Arc<str>>,
    events: UnboundedSender<BusEvent>,
    is_connected: bool,
    hangs: bool,
    refuses: bool,
    /// No topic with such a name.
    forbidden: Option<&'static str>,
}

/// A node's end.
pub(crate) struct Wire {
    exchange: Exchange,
    node: usize,
    events: tokio::sync::Mutex<UnboundedReceiver<BusEvent>>,
}

impl Exchange {
    /// One that sends nodes what they publish themselves, too.
    pub(crate) fn with_echo() -> Self {
        let exchange = Self::default();
        exchange.state().echoes = true;
        exchange
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no panic")
    }

    /// Makes an end for a node, which is connected to nothing yet.
    pub(crate) fn node(&self, node: usize) -> Wire {
        let (events, receiver) = unbounded_channel();
        let topics = HashSet::new();
        let end = Node {
            topics,
            events,
            is_connected: false,
            hangs: false,
            refuses: false,
            forbidden: None,
        };
        self.state().nodes.insert(node, end);
        Wire { exchange: self.clone(), node, events: receiver.into() }
    }

    pub(crate) fn connect(&self, node: usize) {
        self.change(node, |node| {
            node.is_connected = true;
            node.tell(BusEvent::Connected);
        });
    }

    pub(crate) fn cut(&self, node: usize) {
        self.change(node, |node| {
            node.is_connected = false;
            node.tell(BusEvent::Disconnected);
        });
    }

    /// Takes nothing of what a node publishes, and doesn't say so; or does again.
    pub(crate) fn hang(&self, node: usize, hangs: bool) {
        self.change(node, |node| node.hangs = hangs);
    }

    /// Fails whatever a node asks for.
    pub(crate) fn refuse(&self, node: usize, refuses: bool) {
        self.change(node, |node| node.refuses = refuses);
    }

    /// Lets a node subscribe to no topic whose name contains this, nor to others together with one.
    pub(crate) fn forbid(&self, node: usize, forbidden: Option<&'static str>) {
        self.change(node, |node| node.forbidden = forbidden);
    }

    /// Brings an event to a node.
    pub(crate) fn bring(&self, node: usize, event: BusEvent) {
        self.change(node, |node| node.tell(event));
    }

    fn change<R>(&self, node: usize, change: impl FnOnce(&mut Node) -> R) -> R {
        change(self.state().nodes.get_mut(&node).expect("a node"))
    }

    /// What a node is subscribed to, but for the topic of the hubs themselves.
    pub(crate) fn topics(&self, node: usize) -> Vec<String> {
        let mut topics: Vec<_> =
            self.change(node, |node| node.topics.iter().map(|topic| topic.to_string()).collect());
        topics.retain(|topic: &String| !topic.is_empty());
        topics.sort_unstable();
        topics
    }

    /// Whether a node's end is still there.
    pub(crate) fn has(&self, node: usize) -> bool {
        self.state().nodes.contains_key(&node)
    }

    /// How many messages were brought to nodes.
    pub(crate) fn delivered(&self) -> usize {
        self.state().delivered
    }
}

impl Node {
    fn tell(&self, event: BusEvent) {
        self.events.send(event).expect("a hub");
    }

    fn check(&self) -> BusResult {
        if self.is_connected && !self.refuses { Ok(()) } else { Err("no".into()) }
    }
}

impl Bus for Wire {
    async fn publish(&self, messages: &[BusMessage]) -> BusResult {
        if self.exchange.change(self.node, |node| node.hangs) {
            return pending().await;
        }
        let mut state = self.exchange.state();
        state.nodes[&self.node].check()?;
        for message in messages {
            let mut delivered = 0;
            for (number, node) in &state.nodes {
                let is_other = *number != self.node || state.echoes;
                if is_other && node.is_connected && node.topics.contains(&message.topic) {
                    node.tell(BusEvent::Message(message.clone()));
                    delivered += 1;
                }
            }
            state.delivered += delivered;
        }
        Ok(())
    }

    async fn subscribe(&self, topics: &[Arc<str>]) -> BusResult {
        self.exchange.change(self.node, |node| {
            node.check()?;
            if node.forbidden.is_some_and(|part| topics.iter().any(|topic| topic.contains(part))) {
                return Err("forbidden".into());
            }
            topics
                .iter()
                .for_each(|topic| assert!(node.topics.insert(topic.clone()), "{topic} twice"));
            Ok(())
        })
    }

    async fn unsubscribe(&self, topics: &[Arc<str>]) -> BusResult {
        self.exchange.change(self.node, |node| {
            node.check()?;
            topics
                .iter()
                .for_each(|topic| assert!(node.topics.remove(topic), "{topic} isn't there"));
            Ok(())
        })
    }

    async fn event(&self) -> BusEvent {
        self.events.lock().await.recv().await.expect("an exchange")
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.exchange.state().nodes.remove(&self.node);
    }
}
