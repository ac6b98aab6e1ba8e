//! A node on the engine: what the tests ask of it, each within a generous time.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use ws_tokio::{Bus, BusEvent, BusMessage, BusResult, Redis};

use crate::redis_server::Engine;

/// Longer than anything takes, even on a busy machine.
pub(crate) const LONG: Duration = Duration::from_secs(60);

pub(crate) struct Node(pub(crate) Redis);

impl Node {
    /// Connects a node.
    pub(crate) async fn start(engine: &Engine) -> Self {
        let node = Self(Redis::new(&engine.url()).expect("a valid URL"));
        assert_eq!(node.event().await, BusEvent::Connected);
        node
    }

    /// Connects a node that is subscribed to this.
    pub(crate) async fn subscribed(engine: &Engine, topics: &[&str]) -> Self {
        let node = Self::start(engine).await;
        node.subscribe(topics).await.expect("subscribed");
        node
    }

    pub(crate) async fn event(&self) -> BusEvent {
        timeout(LONG, self.0.event()).await.expect("an event")
    }

    /// The next event, which is a message; its topic and payload.
    pub(crate) async fn message(&self) -> (String, Vec<u8>) {
        match self.event().await {
            BusEvent::Message(message) => (message.topic.to_string(), message.payload.to_vec()),
            event => panic!("{event:?}"),
        }
    }

    /// Passes over messages to the next event of another kind.
    pub(crate) async fn news(&self) -> BusEvent {
        loop {
            match self.event().await {
                BusEvent::Message(_) => {}
                event => return event,
            }
        }
    }

    pub(crate) async fn publish(&self, topic: &str, payload: impl Into<Vec<u8>>) -> BusResult {
        self.publish_all(&[message(topic, payload)]).await
    }

    pub(crate) async fn publish_all(&self, messages: &[BusMessage]) -> BusResult {
        timeout(LONG, self.0.publish(messages)).await.expect("an end")
    }

    pub(crate) async fn subscribe(&self, topics: &[&str]) -> BusResult {
        timeout(LONG, self.0.subscribe(&names(topics))).await.expect("an end")
    }

    pub(crate) async fn unsubscribe(&self, topics: &[&str]) -> BusResult {
        timeout(LONG, self.0.unsubscribe(&names(topics))).await.expect("an end")
    }
}

pub(crate) fn message(topic: &str, payload: impl Into<Vec<u8>>) -> BusMessage {
    BusMessage::new(topic, payload.into())
}

fn names(topics: &[&str]) -> Vec<Arc<str>> {
    topics.iter().map(|topic| (*topic).into()).collect()
}
