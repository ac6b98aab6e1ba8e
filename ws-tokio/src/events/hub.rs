//! What is told of hubs: their topics and messages as figures, their bus as events too.
#![cfg_attr(
    not(feature = "metrics"),
    expect(unused_variables, reason = "without the feature nobody is told")
)]

use std::error::Error;
use std::time::Duration;

use super::event;
#[cfg(feature = "metrics")]
use crate::metrics::hub as metrics;

macro_rules! figures {
    ($($told:tt)*) => {
        #[cfg(feature = "metrics")]
        metrics::$($told)*;
    };
}

pub(crate) fn topic_began() {
    figures!(topics(1));
}

pub(crate) fn topic_ended() {
    figures!(topics(-1));
}

pub(crate) fn subscribed() {
    figures!(subscriptions(1));
}

pub(crate) fn unsubscribed(topics: usize) {
    figures!(subscriptions(-(topics as i64)));
}

/// What became of a message, under a policy of this name.
pub(crate) fn published(queued: usize, dropped: u64, policy: &'static str) {
    figures!(published(queued, dropped, policy));
}

/// A topic's subscribers were told of a gap.
pub(crate) fn gap() {
    figures!(gap());
}

/// So many more messages wait for the bus.
pub(crate) fn bus_waits(messages: i64) {
    figures!(bus_waits(messages));
}

pub(crate) fn bus_published(messages: usize, after: Duration) {
    figures!(bus_published(messages, after));
}

pub(crate) fn bus_received() {
    figures!(bus_received());
}

pub(crate) fn bus_dropped(messages: usize) {
    figures!(bus_dropped(messages));
}

pub(crate) fn bus_connected() {
    figures!(bus_connected(true));
    event!(info, "bus connected");
}

pub(crate) fn bus_disconnected() {
    figures!(bus_connected(false));
    event!(warn, "bus disconnected: messages for other nodes wait");
}

/// The bus failed at a call.
pub(crate) fn bus_failed(call: &str, error: &dyn Error) {
    event!(debug, call, %error, "bus failed");
}

/// Other nodes were told that they missed messages, of so many since the hub was made.
pub(crate) fn bus_lost(dropped: u64) {
    event!(warn, dropped, "messages for other nodes were dropped");
}
