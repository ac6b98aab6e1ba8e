//! A client's calls, and how they end: with a round trip to the server, in time, and on one connection.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::{Client, Message, StatusCode, Subject};
use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::timeout;

use super::error::CallError;
use super::subject::Subjects;
use crate::topics::bus::BusResult;

/// How long a call may take.
const LIMIT: Duration = Duration::from_secs(5);

/// How long the server may be silent about a message to nobody before it is asked in the other way.
const SILENCE: Duration = Duration::from_millis(500);

/// A subject that the servers themselves answer. It costs them more.
const SERVERS: Subject = Subject::from_static("$SYS.REQ.ACCOUNT.PING.STATZ");

pub(super) struct Calls {
    pub(super) client: Client,
    nobody: Subject,
    inbox: String,
    asked: AtomicU64,
    /// The number of the last question that was answered.
    answered: watch::Sender<u64>,
    /// Whether somebody subscribes to all subjects, so that nobody's has somebody.
    is_overheard: AtomicBool,
    losses: watch::Sender<u64>,
}

impl Calls {
    pub(super) fn new(
        client: Client,
        subjects: &Subjects,
        inbox: String,
        losses: watch::Sender<u64>,
    ) -> Self {
        Self {
            client,
            nobody: subjects.nobody(),
            inbox,
            asked: AtomicU64::new(0),
            answered: watch::Sender::new(0),
            is_overheard: AtomicBool::new(false),
            losses,
        }
    }

    /// The number of the connection, if there is one.
    pub(super) fn connection(&self) -> Option<u64> {
        let connects = || self.client.statistics().connects.load(Ordering::Acquire);
        (self.client.connection_state() == State::Connected).then(connects)
    }

    /// Sends, and waits until the server has processed what was sent. What is sent fails by itself or not; the server is asked in both cases.
    pub(super) async fn confirm(&self, send: impl Future<Output = BusResult>) -> BusResult {
        let mut losses = self.losses.subscribe();
        let connection = self.connection().ok_or(CallError::NotConnected)?;
        let mut lost = pin!(losses.changed());
        let mut work = pin!(timeout(LIMIT, async {
            let sent = send.await;
            self.round_trip().await?;
            sent
        }));
        let result = poll_fn(|cx| match work.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(done.unwrap_or(Err(CallError::TimedOut.into()))),
            Poll::Pending => lost.as_mut().poll(cx).map(|_| Err(CallError::Lost.into())),
        })
        .await;
        // What was sent on one connection isn't confirmed by the next.
        if result.is_ok() && self.connection() != Some(connection) {
            return Err(CallError::Lost.into());
        }
        result
    }

    async fn round_trip(&self) -> BusResult {
        let number = 1 + self.asked.fetch_add(1, Ordering::Relaxed);
        let mut answers = self.answered.subscribe();
        let mut answer = pin!(answers.wait_for(|answered| *answered >= number));
        self.ask(self.nobody.clone(), number).await?;
        if !self.is_overheard.load(Ordering::Relaxed) {
            if timeout(SILENCE, answer.as_mut()).await.is_ok() {
                return Ok(());
            }
            self.is_overheard.store(true, Ordering::Relaxed);
        }
        self.ask(SERVERS, number).await?;
        answer.await?;
        Ok(())
    }

    async fn ask(&self, subject: Subject, number: u64) -> BusResult {
        let reply = format!("{}{number}", self.inbox);
        Ok(self.client.publish_with_reply(subject, reply, Bytes::new()).await?)
    }

    /// Takes the server's answer. Answers come in the order of the questions.
    pub(super) fn answer(&self, message: &Message) {
        let number = message.subject.strip_prefix(&*self.inbox).and_then(|tail| tail.parse().ok());
        if message.status == Some(StatusCode::NO_RESPONDERS) {
            self.is_overheard.store(false, Ordering::Relaxed);
        }
        self.answered.send_if_modified(|answered| {
            let before = *answered;
            *answered = before.max(number.unwrap_or_default());
            *answered > before
        });
    }
}
