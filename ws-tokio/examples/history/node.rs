//! A node: what clients say goes into the log, and to the followers of the topic on all nodes.

use std::sync::Arc;

use redis::RedisError;
use tokio::io::{AsyncRead, AsyncWrite};
use ws_tokio::http::{StatusCode, Uri};
use ws_tokio::{
    BroadcastOptions, Error, Hub, HubOptions, Incoming, Message, RecvHalf, Redis, SendHalf, Slow,
};

use crate::follow::Start;
use crate::log::Log;

/// Largest message. A client that doesn't read makes a node hold some 200 of them.
const MAX_MESSAGE: usize = 16 << 10;

/// Longest name of a topic.
const MAX_TOPIC: usize = 200;

/// A server's part of all topics.
pub(crate) struct Node {
    pub(crate) hub: Hub,
    pub(crate) log: Log,
}

impl Node {
    /// Makes a node over the Redis at this URL, which may come later.
    pub(crate) fn new(redis: &str) -> Result<Self, RedisError> {
        // What is dropped is in the log.
        let queues = BroadcastOptions::default().max_messages(100).slow(Slow::DropOldest);
        let hub =
            Hub::over(Redis::new(redis)?.prefix("history"), HubOptions::default().queues(queues));
        Ok(Self { hub, log: Log::new(redis)? })
    }

    /// Serves one connection; how it ended is the peer's business.
    pub(crate) async fn serve<S>(self: Arc<Self>, incoming: Incoming<S>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let Some((topic, start)) = asked(incoming.request().uri()) else {
            return incoming.refuse(StatusCode::BAD_REQUEST, "ask for /topic?after=NUMBER\n").await;
        };
        let Ok(connection) = incoming.accept().await else { return };
        let (receiving, sending) = connection.split();
        // Neither waits for the other: a client is heard while it is sent its history, or while Redis is away.
        tokio::select! {
            _ = self.hear(&topic, receiving, &sending) => {}
            _ = self.follow(&topic, start, &sending) => {}
        }
    }

    /// Publishes what a client says.
    async fn hear<S>(
        self: &Arc<Self>,
        topic: &Arc<str>,
        mut receiving: RecvHalf<S>,
        sending: &SendHalf<S>,
    ) -> Result<(), Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        receiving.set_max_message(MAX_MESSAGE);
        while let Some(message) = receiving.recv().await? {
            let reply = match message.as_text() {
                Some(text) => self.publish(topic, text.to_owned()).await,
                None => None,
            };
            let reply = match reply {
                Some(number) => format!(r#"{{"published":{number}}}"#),
                None => r#"{"failed":true}"#.to_owned(),
            };
            sending.send(reply).await?;
        }
        Ok(())
    }

    /// Publishes a message; returns its number, or `None` if it isn't known to be in the log.
    async fn publish(self: &Arc<Self>, topic: &Arc<str>, message: String) -> Option<u64> {
        let (node, topic) = (self.clone(), topic.clone());
        // In a task of its own: if the connection ends meanwhile, the hub is told nevertheless.
        let published = tokio::spawn(async move {
            let number = node.log.append(&topic, &message).await?;
            node.hub.publish(&topic, numbered(number, &message));
            Ok::<_, RedisError>(number)
        });
        published.await.ok()?.ok()
    }
}

/// A message as clients and the hub get it.
pub(crate) fn numbered(number: u64, message: &str) -> String {
    format!("{number}\n{message}")
}

/// Reads a number back.
pub(crate) fn number(message: &Message) -> Option<u64> {
    message.as_text()?.split_once('\n')?.0.parse().ok()
}

/// Reads what a client asks for.
fn asked(uri: &Uri) -> Option<(Arc<str>, Start)> {
    let topic = uri.path();
    let start = match uri.query() {
        None => Start::Recent,
        Some(query) => Start::After(query.strip_prefix("after=")?.parse().ok()?),
    };
    (topic.len() <= MAX_TOPIC).then(|| (topic.into(), start))
}
