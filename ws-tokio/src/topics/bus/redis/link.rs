//! The two connections of one node: one publishes, the other is subscribed, so that neither waits behind the other's traffic.

use std::sync::Arc;

use redis::aio::{MultiplexedConnection, SendError};
use redis::{Client, Pipeline, PushInfo, PushKind, RedisError, Value, cmd};
use tokio::sync::Notify;

use super::super::BusMessage;
use super::channels::Channels;
use super::connect::connect;
use super::inbox::Inbox;

/// Payloads of one pipeline, about: each has a deadline of its own, and a copy.
const BYTES_AT_ONCE: usize = 1024 * 1024;

/// Channels of one command.
const CHANNELS_AT_ONCE: usize = 1000;

#[derive(Clone)]
pub(super) struct Link {
    publishing: MultiplexedConnection,
    subscribed: MultiplexedConnection,
    channels: Channels,
    /// One of the connections is lost.
    lost: Arc<Notify>,
}

impl Link {
    pub(super) async fn new(
        client: &Client,
        channels: Channels,
        inbox: &Arc<Inbox>,
    ) -> Result<Self, RedisError> {
        let lost = Arc::new(Notify::new());
        let publishing = connect(client, watch(lost.clone())).await?;
        let pushes = receive(inbox.clone(), channels.clone(), watch(lost.clone()));
        let subscribed = connect(client, pushes).await?;
        Ok(Self { publishing, subscribed, channels, lost })
    }

    /// Publishes all, whatever Redis says of one of them.
    pub(super) async fn publish(&mut self, messages: &[BusMessage]) -> Result<(), RedisError> {
        let mut refused = Ok(());
        for messages in pieces(messages) {
            let mut pipeline = Pipeline::with_capacity(messages.len());
            for BusMessage { topic, payload } in messages {
                pipeline.cmd("PUBLISH").arg(self.channels.of(topic)).arg(&payload[..]);
            }
            let replies =
                self.publishing.send_packed_commands(&pipeline, 0, messages.len()).await?;
            for reply in replies {
                if let Value::ServerError(error) = reply {
                    refused = Err(error.into());
                }
            }
        }
        refused
    }

    pub(super) async fn subscribe(&mut self, topics: &[Arc<str>]) -> Result<(), RedisError> {
        for topics in topics.chunks(CHANNELS_AT_ONCE) {
            self.subscribed.subscribe(self.names(topics)).await?;
        }
        Ok(())
    }

    pub(super) async fn unsubscribe(&mut self, topics: &[Arc<str>]) -> Result<(), RedisError> {
        for topics in topics.chunks(CHANNELS_AT_ONCE) {
            self.subscribed.unsubscribe(self.names(topics)).await?;
        }
        Ok(())
    }

    /// Asks the server for an answer on both connections. Messages that arrive meanwhile are as good as one: it may have to wait behind
    /// many.
    pub(super) async fn ping(&mut self, inbox: &Inbox) -> Result<(), RedisError> {
        // An error of the server is an answer too, such as that it still loads its data.
        let ping = cmd("PING");
        self.publishing.send_packed_command(&ping).await?;
        let arrived = inbox.arrived();
        match self.subscribed.send_packed_command(&ping).await {
            Err(error) if !error.is_timeout() || inbox.arrived() == arrived => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    pub(super) async fn lost(&self) {
        self.lost.notified().await;
    }

    /// Says that it is of no use any more.
    pub(super) fn give_up(&self) {
        self.lost.notify_one();
    }

    fn names(&self, topics: &[Arc<str>]) -> Vec<String> {
        topics.iter().map(|topic| self.channels.of(topic)).collect()
    }
}

type Taken = Result<(), SendError>;

/// Takes what the server pushes, for a connection that is only watched.
fn watch(lost: Arc<Notify>) -> impl Fn(PushInfo) -> Taken + Send + Sync {
    move |push| {
        if push.kind == PushKind::Disconnection {
            lost.notify_one();
        }
        Ok(())
    }
}

/// Takes what the server pushes: messages for the inbox.
fn receive(
    inbox: Arc<Inbox>,
    channels: Channels,
    others: impl Fn(PushInfo) -> Taken + Send + Sync,
) -> impl Fn(PushInfo) -> Taken + Send + Sync {
    let connection = inbox.begin();
    move |push| {
        if push.kind != PushKind::Message {
            return others(push);
        }
        if let Ok([Value::BulkString(channel), Value::BulkString(payload)]) =
            <[Value; 2]>::try_from(push.data)
        {
            if let Some(topic) = channels.topic(&channel) {
                inbox.message(connection, topic, payload);
            }
        }
        Ok(())
    }
}

/// The messages in pieces of about `BYTES_AT_ONCE`.
fn pieces(messages: &[BusMessage]) -> impl Iterator<Item = &[BusMessage]> {
    let mut bytes = 0;
    messages.chunk_by(move |message, _| {
        bytes += message.payload.len();
        let more = bytes < BYTES_AT_ONCE;
        bytes *= usize::from(more);
        more
    })
}
