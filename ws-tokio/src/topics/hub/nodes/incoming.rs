//! What comes from the bus.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::task::yield_now;

use super::envelope::{Envelope, open};
use super::side::{HUBS, Registry, Side, TURN};
use crate::events::hub as events;
use crate::topics::bus::{Bus, BusEvent, BusMessage};

/// Serves what the bus sends until the hub is gone.
pub(super) async fn run<B: Bus>(side: &Side<'_, B>) {
    let mut left = TURN;
    loop {
        let mut event = pin!(side.bus.event());
        let event = poll_fn(|cx| {
            let polled = event.as_mut().poll(cx);
            // While the bus has nothing, others have their turn.
            left = if polled.is_pending() { TURN } else { left };
            polled
        });
        if let Some(All(topics)) = side.take(event.await) {
            side.tell_gaps(&topics).await;
        }
        left -= 1;
        // A bus that is never at a loss must not keep others waiting.
        if left == 0 {
            yield_now().await;
            left = TURN;
        }
    }
}

/// All topics: others have lost track of what they lost.
struct All(Vec<Arc<str>>);

impl<B> Side<'_, B> {
    fn take(&self, event: BusEvent) -> Option<All> {
        let registry = self.registry.upgrade()?;
        match event {
            BusEvent::Message(message) => return self.take_message(&registry, message),
            BusEvent::Connected => self.shared.connected(registry.names()),
            BusEvent::Disconnected => self.shared.disconnected(),
            BusEvent::Missed(topic) => return self.take_gap(&registry, &topic),
        }
        None
    }

    fn take_message(&self, registry: &Registry, message: BusMessage) -> Option<All> {
        let BusMessage { topic, payload } = message;
        let counts = &self.shared.counts;
        match open(self.node, payload) {
            Some(Envelope::Own) => {}
            Some(Envelope::Message(key, message)) => {
                if registry.publish_here(&topic, key.as_deref(), message) {
                    counts.received.fetch_add(1, Ordering::Relaxed);
                    events::bus_received();
                }
            }
            Some(Envelope::Gap) => return self.take_gap(registry, &topic),
            None => _ = counts.rejected.fetch_add(1, Ordering::Relaxed),
        }
        None
    }

    fn take_gap(&self, registry: &Registry, topic: &str) -> Option<All> {
        if topic == HUBS {
            return Some(All(registry.names()));
        }
        self.tell_gap(registry, topic);
        None
    }
}
