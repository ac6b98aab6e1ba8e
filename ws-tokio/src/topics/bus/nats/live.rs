//! A client, its subscriptions, and the two tasks that listen to it.

use std::future::{poll_fn, ready};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_nats::{ConnectOptions, ServerAddr, Subscriber};
use futures_core::Stream;
use tokio::sync;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::callback::Told;
use super::calls::Calls;
use super::received::Received;
use super::subject::Subjects;
use crate::machine::random;
use crate::topics::bus::{BusEvent, BusMessage, BusResult};
use crate::topics::topic::lock;

/// A connection without an answer to the third of these is left.
const PING_INTERVAL: Duration = Duration::from_secs(5);

/// How many subscriptions end at once: their commands to async-nats have room then, and need no tasks that wait for it.
const ENDING: usize = 512;

/// How long to wait before asking again whether a connection works.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) struct Live {
    subjects: Subjects,
    calls: Arc<Calls>,
    told: Told,
    received: Mutex<Received>,
    /// The number that async-nats gave the last subscription, and doesn't tell.
    last_sid: sync::Mutex<u64>,
    _tasks: JoinSet<()>,
}

impl Live {
    /// Connects in the background, for as long as it takes.
    pub(super) async fn connect(
        servers: &[ServerAddr],
        options: ConnectOptions,
        subjects: Subjects,
    ) -> Self {
        let told = Told::new();
        let callback = told.clone();
        let connecting = options
            .event_callback(move |event| {
                callback.event(&event);
                ready(())
            })
            .max_reconnects(None)
            .no_echo()
            .ping_interval(PING_INTERVAL)
            .retry_on_initial_connect()
            .skip_subject_validation(true)
            .connect(servers);
        let client = connecting.await.expect("the addresses are parsed");
        let inbox = subjects.inbox(u128::from_ne_bytes(random()));
        let answers = client.subscribe(format!("{inbox}*")).await.expect("its task has begun");
        let calls = Arc::new(Calls::new(client, &subjects, inbox, told.losses.clone()));
        let mut tasks = JoinSet::new();
        tasks.spawn(take_answers(calls.clone(), answers));
        tasks.spawn(announce(calls.clone(), told.clone()));
        let (received, last_sid) = (Mutex::default(), sync::Mutex::new(1));
        Self { subjects, calls, told, received, last_sid, _tasks: tasks }
    }

    pub(super) async fn publish(&self, messages: &[BusMessage]) -> BusResult {
        self.calls.confirm(self.send(messages)).await
    }

    /// Sends all that can be sent, and returns the first error.
    async fn send(&self, messages: &[BusMessage]) -> BusResult {
        let mut result = Ok(());
        for message in messages {
            result = result.and(self.send_one(message).await);
        }
        result
    }

    async fn send_one(&self, message: &BusMessage) -> BusResult {
        let subject = self.subjects.topic(&message.topic)?;
        Ok(self.calls.client.publish(subject, message.payload.clone()).await?)
    }

    pub(super) async fn subscribe(&self, topics: &[Arc<str>]) -> BusResult {
        self.calls.confirm(self.begin(topics)).await
    }

    async fn begin(&self, topics: &[Arc<str>]) -> BusResult {
        let mut last_sid = self.last_sid.lock().await;
        let mut result = Ok(());
        for topic in topics {
            if !lock(&self.received).has(topic) {
                result = result.and(self.begin_one(topic, &mut last_sid).await);
            }
        }
        result
    }

    async fn begin_one(&self, topic: &Arc<str>, last_sid: &mut u64) -> BusResult {
        let subject = self.subjects.topic(topic)?;
        *last_sid += 1;
        let subscriber = self.calls.client.subscribe(subject).await?;
        let mut received = lock(&self.received);
        received.insert(topic.clone(), *last_sid, subscriber, &self.told.ready);
        Ok(())
    }

    /// Ends subscriptions. Without a connection, there are none at a server, and async-nats won't renew them.
    pub(super) async fn unsubscribe(&self, topics: &[Arc<str>]) -> BusResult {
        let mut ended = self.remove(topics);
        if self.calls.connection().is_none() {
            return Ok(());
        }
        let end = async {
            while !ended.is_empty() {
                ended.truncate(ended.len().saturating_sub(ENDING));
                self.calls.client.flush().await?;
            }
            Ok(())
        };
        self.calls.confirm(end).await
    }

    fn remove(&self, topics: &[Arc<str>]) -> Vec<Subscriber> {
        let mut received = lock(&self.received);
        topics.iter().filter_map(|topic| received.remove(topic)).collect()
    }

    pub(super) async fn event(&self) -> BusEvent {
        poll_fn(|cx| lock(&self.received).poll(&self.told.ready, cx)).await
    }
}

async fn take_answers(calls: Arc<Calls>, mut answers: Subscriber) {
    while let Some(answer) = poll_fn(|cx| Pin::new(&mut answers).poll_next(cx)).await {
        calls.answer(&answer);
    }
}

/// Announces each new connection once its subscriptions are in effect: async-nats renews them before it sends anything else.
async fn announce(calls: Arc<Calls>, told: Told) {
    loop {
        while let Some(connection) = calls.connection() {
            let confirmed = calls.confirm(async { Ok(()) }).await.is_ok();
            if confirmed && calls.connection() == Some(connection) {
                told.ready.connected(connection);
                break;
            }
            sleep(PAUSE).await;
        }
        told.made.notified().await;
    }
}
