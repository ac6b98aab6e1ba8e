//! Figures of hubs. A gauge is the sum over all hubs of a program.

use std::time::Duration;

use metrics::{counter, gauge, histogram};

pub(crate) fn topics(more: i64) {
    gauge!("ws_hub_topics").increment(more as f64);
}

pub(crate) fn subscriptions(more: i64) {
    gauge!("ws_hub_subscriptions").increment(more as f64);
}

pub(crate) fn published(queued: usize, dropped: u64, policy: &'static str) {
    counter!("ws_hub_published_total").increment(1);
    if queued > 0 {
        counter!("ws_hub_delivered_total").increment(queued as u64);
    }
    if dropped > 0 {
        counter!("ws_hub_dropped_total", "policy" => policy).increment(dropped);
    }
}

pub(crate) fn gap() {
    counter!("ws_hub_gaps_total").increment(1);
}

pub(crate) fn bus_waits(more: i64) {
    gauge!("ws_hub_bus_waiting").increment(more as f64);
}

pub(crate) fn bus_published(messages: usize, after: Duration) {
    counter!("ws_hub_bus_messages_total", "direction" => "sent").increment(messages as u64);
    histogram!("ws_hub_bus_publish_seconds").record(after);
}

pub(crate) fn bus_received() {
    counter!("ws_hub_bus_messages_total", "direction" => "received").increment(1);
}

pub(crate) fn bus_dropped(messages: usize) {
    counter!("ws_hub_bus_dropped_total").increment(messages as u64);
}

pub(crate) fn bus_connected(is_connected: bool) {
    gauge!("ws_hub_bus_connected").set(f64::from(u8::from(is_connected)));
}
