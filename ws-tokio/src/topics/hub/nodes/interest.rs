//! Which topics the bus is to send: those with subscribers here, and for a while those that had some.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

#[derive(Debug)]
pub(super) struct Interest {
    /// Not subscribed to on the bus yet.
    wanted: HashSet<Arc<str>>,
    /// The same, and the bus has refused them once.
    refused: HashSet<Arc<str>>,
    /// Subscribed to on the bus.
    kept: HashMap<Arc<str>, Kept>,
    /// When to leave what has no subscribers; the earliest is first. Each topic is here once at most.
    leaving: VecDeque<(Instant, Arc<str>)>,
    linger: Duration,
}

/// What is known of a topic.
#[derive(Debug, Default)]
struct Kept {
    is_empty: bool,
    is_leaving: bool,
}

impl Interest {
    pub(super) fn new(first: Arc<str>, linger: Duration) -> Self {
        let wanted = HashSet::from([first]);
        let (refused, kept, leaving) = Default::default();
        Self { wanted, refused, kept, leaving, linger }
    }

    /// Notes whether a topic has subscribers. Returns whether the bus sends it already.
    pub(super) fn note(&mut self, topic: Arc<str>, has_subscribers: bool) -> bool {
        match self.kept.get_mut(&topic) {
            Some(kept) => {
                kept.is_empty = !has_subscribers;
                if kept.is_empty && !kept.is_leaving {
                    if let Some(at) = Instant::now().checked_add(self.linger) {
                        kept.is_leaving = true;
                        self.leaving.push_back((at, topic));
                    }
                }
                true
            }
            None if has_subscribers => {
                if !self.refused.contains(&topic) {
                    self.wanted.insert(topic);
                }
                false
            }
            None => {
                self.wanted.remove(&topic);
                self.refused.remove(&topic);
                false
            }
        }
    }

    pub(super) fn is_waiting(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// Returns so many topics that the bus is to send and doesn't yet.
    pub(super) fn wanted(&self, most: usize) -> Vec<Arc<str>> {
        self.wanted.iter().take(most).cloned().collect()
    }

    /// The bus doesn't send this one, though it may send others.
    pub(super) fn refuse(&mut self, topic: &Arc<str>) {
        self.wanted.remove(topic);
        self.refused.insert(topic.clone());
    }

    /// The bus may be asked again for what it has refused.
    pub(super) fn retry(&mut self) {
        self.wanted.extend(self.refused.drain());
    }

    /// From now on, the bus sends these.
    pub(super) fn sent(&mut self, topics: &[Arc<str>]) {
        for topic in topics {
            self.wanted.remove(topic);
            self.kept.insert(topic.clone(), Kept::default());
        }
    }

    pub(super) fn next_leave(&self) -> Option<Instant> {
        self.leaving.front().map(|(at, _)| *at)
    }

    /// Returns what to unsubscribe from on the bus, and forgets it.
    pub(super) fn leave(&mut self, now: Instant) -> Vec<Arc<str>> {
        let mut left = Vec::new();
        while self.next_leave().is_some_and(|at| at <= now) {
            let Some((_, topic)) = self.leaving.pop_front() else { break };
            match self.kept.get_mut(&topic) {
                Some(Kept { is_empty: true, .. }) => {
                    self.kept.remove(&topic);
                    left.push(topic);
                }
                Some(kept) => kept.is_leaving = false,
                None => {}
            }
        }
        left
    }

    /// Returns all topics that the bus sends, or is to send.
    pub(super) fn topics(&self) -> Vec<Arc<str>> {
        self.kept.keys().chain(&self.wanted).chain(&self.refused).cloned().collect()
    }
}
