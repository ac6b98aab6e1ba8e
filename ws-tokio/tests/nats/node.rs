//! A node of the tests, and what is asked of all of them.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use ws_tokio::async_nats::ConnectOptions;
use ws_tokio::{Bus, BusEvent, BusMessage, Nats};

use crate::nats_server::Engine;

/// A node whose connection is made.
pub(crate) async fn node(engine: &Engine) -> Nats {
    node_with(engine, ConnectOptions::new()).await
}

pub(crate) async fn node_with(engine: &Engine, options: ConnectOptions) -> Nats {
    let nats = Nats::with(&engine.url(), options).expect("an address");
    assert_eq!(soon(nats.event()).await, BusEvent::Connected);
    nats
}

/// A node that is subscribed to these topics.
pub(crate) async fn subscribed(engine: &Engine, topics: &[&str]) -> Nats {
    let nats = node(engine).await;
    soon(nats.subscribe(&names(topics))).await.expect("it subscribes");
    nats
}

/// Waits, but not for ever.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    timeout(Duration::from_secs(60), future).await.expect("it comes to an end")
}

pub(crate) fn names(topics: &[&str]) -> Vec<Arc<str>> {
    topics.iter().map(|&topic| topic.into()).collect()
}

pub(crate) fn message(topic: &str, payload: impl Into<String>) -> BusMessage {
    BusMessage::new(topic, payload.into())
}

/// Waits for an event that is a message, and returns its payload as text.
pub(crate) async fn text(nats: &Nats) -> String {
    match soon(nats.event()).await {
        BusEvent::Message(message) => String::from_utf8(message.payload.into()).expect("text"),
        event => panic!("{event:?}"),
    }
}

/// Publishes until it succeeds: there may be no connection yet.
pub(crate) async fn publish_at_last(nats: &Nats, message: BusMessage) {
    let messages = [message];
    soon(async {
        while nats.publish(&messages).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}
