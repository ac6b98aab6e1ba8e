//! A node that serves, and a client of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use ws_tokio::{Connection, Server, Transport, connect};

use crate::node::Node;
use crate::redis_server::Engine;

/// Longer than anything takes, even on a busy machine.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// Starts a Redis that keeps what it has confirmed.
pub(crate) fn durable() -> Option<Engine> {
    Engine::start_with(&["--appendonly", "yes", "--appendfsync", "always"])
}

/// Starts a node; returns it and its URL.
pub(crate) async fn serve(engine: &Engine) -> (Arc<Node>, String) {
    let node = Arc::new(Node::new(&engine.url()).expect("a valid URL"));
    let server = Server::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("ws://{}", server.local_addr().expect("an address"));
    let served = node.clone();
    tokio::spawn(server.serve_incoming(move |incoming| served.clone().serve(incoming)));
    (node, url)
}

pub(crate) struct Client(pub(crate) Connection<Transport>);

impl Client {
    /// Connects to a topic, such as `url/tea?after=0`.
    pub(crate) async fn enter(url: &str) -> Self {
        let connected = timeout(LONG, connect(url)).await.expect("an answer");
        Self(connected.expect("a topic").0)
    }

    pub(crate) async fn say(&mut self, message: &str) {
        self.0.send(message).await.expect("sent");
    }

    /// The next text.
    pub(crate) async fn hear(&mut self) -> String {
        let received = timeout(LONG, self.0.recv()).await.expect("a message");
        let message = received.expect("no error").expect("no end");
        message.as_text().expect("text").to_owned()
    }

    /// The next reply to what was said; messages are passed over.
    pub(crate) async fn reply(&mut self) -> Option<u64> {
        loop {
            let text = self.hear().await;
            if text == r#"{"failed":true}"# {
                return None;
            }
            if let Some(rest) = text.strip_prefix(r#"{"published":"#) {
                return Some(rest.trim_end_matches('}').parse().expect("a number"));
            }
        }
    }

    /// The next message that isn't a reply, which must have this number.
    pub(crate) async fn message(&mut self, number: u64) -> String {
        loop {
            let text = self.hear().await;
            if text.starts_with(r#"{"published":"#) {
                continue;
            }
            let (head, message) = text.split_once('\n').unwrap_or((&text, ""));
            assert_eq!(head, number.to_string());
            return message.to_owned();
        }
    }
}
