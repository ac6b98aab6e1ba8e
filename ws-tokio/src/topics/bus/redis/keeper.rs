//! Keeps a link to the server: makes it, watches it, makes it again; and the calls that need it.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use redis::{Client, ErrorKind, RedisError};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, sleep, timeout};

use super::super::{BusEvent, BusMessage, BusResult};
use super::channels::Channels;
use super::inbox::Inbox;
use super::link::Link;
use crate::machine::random;

/// The longest first pause between attempts to connect; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The longest pause between attempts to connect.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The time without news after which the server is asked for an answer.
const PING_EVERY: Duration = Duration::from_secs(5);

pub(super) struct Keeper {
    client: Client,
    channels: Channels,
    inbox: Arc<Inbox>,
    /// The link, or why there is none. A call holds the lock to its end. So a call that fails with its link has failed before there
    /// is the next one, and the hub tries again after `Connected`.
    link: Mutex<Result<Link, RedisError>>,
}

impl Keeper {
    pub(super) fn new(client: Client, channels: Channels) -> Self {
        let link = Mutex::new(Err((ErrorKind::Io, "no connection yet").into()));
        Self { client, channels, inbox: Arc::default(), link }
    }

    /// Runs until it is aborted.
    pub(super) async fn keep(self: Arc<Self>) {
        let mut pause = FIRST_PAUSE;
        loop {
            let begin = Instant::now();
            let error = match self.connect().await {
                Ok(link) => self.watch(link).await,
                Err(error) => error,
            };
            *self.link.lock().await = Err(error);
            self.inbox.end();
            // One that is lost again at once is as bad as none.
            if begin.elapsed() > 2 * LONGEST_PAUSE {
                pause = FIRST_PAUSE;
            }
            sleep(at_random(pause)).await;
            pause = LONGEST_PAUSE.min(2 * pause);
        }
    }

    /// Makes a link with all subscriptions.
    async fn connect(&self) -> Result<Link, RedisError> {
        let mut link = Link::new(&self.client, self.channels.clone(), &self.inbox).await?;
        // No call changes the topics meanwhile.
        let mut present = self.link.lock().await;
        link.subscribe(&self.inbox.topics()).await?;
        *present = Ok(link.clone());
        self.inbox.connected();
        Ok(link)
    }

    /// Waits for the link's end; returns the reason.
    async fn watch(&self, mut link: Link) -> RedisError {
        while timeout(PING_EVERY, link.lost()).await.is_err() {
            if let Err(error) = link.ping(&self.inbox).await {
                return error;
            }
        }
        (ErrorKind::Io, "the connection was lost").into()
    }

    pub(super) async fn publish(&self, messages: &[BusMessage]) -> BusResult {
        let (mut present, mut link) = self.present().await?;
        let result = link.publish(messages).await;
        settle(&mut present, result)
    }

    pub(super) async fn subscribe(&self, topics: &[Arc<str>]) -> BusResult {
        let (mut present, mut link) = self.present().await?;
        let added = self.inbox.add(topics);
        let result = link.subscribe(topics).await;
        if result.is_err() {
            self.inbox.remove(&added);
        }
        settle(&mut present, result)
    }

    /// Without a link, it is enough not to subscribe again.
    pub(super) async fn unsubscribe(&self, topics: &[Arc<str>]) -> BusResult {
        let present = self.present().await;
        self.inbox.remove(topics);
        let Ok((mut present, mut link)) = present else { return Ok(()) };
        let result = link.unsubscribe(topics).await;
        settle(&mut present, result)
    }

    pub(super) async fn event(&self) -> BusEvent {
        self.inbox.event().await
    }

    async fn present(&self) -> Result<(MutexGuard<'_, Result<Link, RedisError>>, Link), String> {
        let present = self.link.lock().await;
        match &*present {
            Ok(link) => {
                let link = link.clone();
                Ok((present, link))
            }
            Err(error) => Err(format!("not connected to Redis: {error}")),
        }
    }
}

/// The end of a call: unless Redis has answered, nobody knows what became of it, and the link is given up.
fn settle(present: &mut Result<Link, RedisError>, result: Result<(), RedisError>) -> BusResult {
    let Err(error) = result else { return Ok(()) };
    if error.code().is_none() {
        if let Ok(link) = mem::replace(present, Err(error.clone())) {
            link.give_up();
        }
    }
    Err(error.into())
}

/// Between half of a pause and all of it, so that the nodes of a server that restarts don't come back all at once.
fn at_random(pause: Duration) -> Duration {
    pause.mul_f64(0.5 + f64::from(u16::from_ne_bytes(random())) / f64::from(u16::MAX) / 2.0)
}
