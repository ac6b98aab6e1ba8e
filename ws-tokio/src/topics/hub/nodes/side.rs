//! What both directions need.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use tokio::task::yield_now;

use super::envelope::Node;
use crate::topics::hub::link::Shared;
use crate::topics::hub::registry;
use crate::topics::hub::seat::Seat;

/// The topic in which hubs speak to each other: nobody may subscribe to it.
pub(super) const HUBS: &str = "";

/// Number of events, or topics, after which others get a turn.
pub(super) const TURN: usize = 64;

pub(super) type Registry = registry::Registry<Arc<Seat>>;

pub(super) struct Side<'a, B> {
    pub(super) bus: &'a B,
    pub(super) node: Node,
    pub(super) shared: &'a Shared,
    pub(super) registry: Weak<Registry>,
}

impl<B> Side<'_, B> {
    /// Tells subscribers here that they may have missed something.
    pub(super) fn tell_gap(&self, registry: &Registry, topic: &str) {
        if registry.tell_gap(topic) {
            self.shared.counts.gaps.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The same for so many topics that others need a turn meanwhile.
    pub(super) async fn tell_gaps(&self, topics: &[Arc<str>]) {
        for topics in topics.chunks(TURN) {
            let Some(registry) = self.registry.upgrade() else { return };
            topics.iter().for_each(|topic| self.tell_gap(&registry, topic));
            drop(registry);
            yield_now().await;
        }
    }
}
