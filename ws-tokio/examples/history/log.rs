//! The log: a stream of Redis for each topic, with messages numbered 1, 2, 3 and so on without holes.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ErrorKind, FromRedisValue, Pipeline, RedisError};
use tokio::sync::Mutex;
use tokio::time::Instant;

/// Number of messages that a topic keeps, about.
const KEPT: usize = 10_000;

/// Number of messages that are read together. A client that doesn't read makes a node hold so many.
const PAGE: usize = 32;

/// How long a connection may take to be made, and an answer to come. Redis writes to its disk first.
const PATIENCE: Duration = Duration::from_secs(2);

/// The time between two attempts to connect, or to read.
pub(crate) const PAUSE: Duration = Duration::from_millis(300);

/// The streams of all topics, over one connection.
pub(crate) struct Log {
    client: Client,
    link: Mutex<Link>,
}

enum Link {
    Up(Arc<MultiplexedConnection>),
    /// Down since then, so that of many who need it only one tries.
    Down(Option<Instant>),
}

/// A part of a topic.
pub(crate) struct Page {
    /// Messages with their numbers, in order.
    pub(crate) messages: Vec<(u64, String)>,
    /// The topic's last number, now or later; 0 if there is none.
    pub(crate) last: u64,
}

/// An entry of a stream: its ID, and its one field with the value.
type Entry = (String, (String, String));

impl Log {
    /// Opens the log at a URL. It connects when it is first used.
    pub(crate) fn new(url: &str) -> Result<Self, RedisError> {
        Ok(Self { client: Client::open(url)?, link: Mutex::new(Link::Down(None)) })
    }

    /// Appends a message; returns its number.
    ///
    /// # Errors
    /// If no answer comes. The message may be in the log nevertheless.
    pub(crate) async fn append(&self, topic: &str, message: &str) -> Result<u64, RedisError> {
        let mut append = Pipeline::new();
        // `0-*` is the next number, in Redis 7. `~` trims when a whole block of entries can go, which costs nothing.
        append.cmd("XADD").arg(key(topic)).arg("MAXLEN").arg("~").arg(KEPT);
        append.arg("0-*").arg("message").arg(message);
        let (id,): (String,) = self.ask(&append).await?;
        number(&id)
    }

    /// Reads some messages from this number on.
    pub(crate) async fn read(&self, topic: &str, from: u64) -> Result<Page, RedisError> {
        let mut read = Pipeline::new();
        read.cmd("XRANGE").arg(key(topic)).arg(format!("0-{from}")).arg("+");
        read.arg("COUNT").arg(PAGE);
        // Not before the other: what is read is never after the last.
        read.cmd("XREVRANGE").arg(key(topic)).arg("+").arg("-").arg("COUNT").arg(1);
        let (messages, last): (Vec<Entry>, Vec<Entry>) = self.ask(&read).await?;
        let messages = messages.into_iter().map(|(id, (_, message))| Ok((number(&id)?, message)));
        let last = last.first().map_or(Ok(0), |(id, _)| number(id))?;
        Ok(Page { messages: messages.collect::<Result<_, RedisError>>()?, last })
    }

    async fn ask<T: FromRedisValue>(&self, question: &Pipeline) -> Result<T, RedisError> {
        let link = self.link().await?;
        let answer = question.query_async(&mut MultiplexedConnection::clone(&link)).await;
        if let Err(error) = &answer {
            self.give_up(&link, error).await;
        }
        answer
    }

    /// Returns the connection, or makes one.
    async fn link(&self) -> Result<Arc<MultiplexedConnection>, RedisError> {
        let mut link = self.link.lock().await;
        match &*link {
            Link::Up(connection) => return Ok(connection.clone()),
            Link::Down(Some(since)) if since.elapsed() < PAUSE => {
                return Err((ErrorKind::Io, "Redis was away a moment ago").into());
            }
            Link::Down(_) => {}
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        match self.client.get_multiplexed_async_connection_with_config(&config).await {
            Ok(connection) => {
                let connection = Arc::new(connection);
                *link = Link::Up(connection.clone());
                Ok(connection)
            }
            Err(error) => {
                *link = Link::Down(Some(Instant::now()));
                Err(error)
            }
        }
    }

    /// Makes another connection next time: nobody knows what became of this one.
    async fn give_up(&self, failed: &Arc<MultiplexedConnection>, error: &RedisError) {
        let mut link = self.link.lock().await;
        if matches!(&*link, Link::Up(present) if Arc::ptr_eq(present, failed)) {
            eprintln!("Redis: {error}");
            *link = Link::Down(None);
        }
    }
}

fn key(topic: &str) -> String {
    format!("history:{topic}")
}

/// The number of an entry: all of its ID, after the time, which is 0.
fn number(id: &str) -> Result<u64, RedisError> {
    let number = id.strip_prefix("0-").and_then(|number| number.parse().ok());
    number.ok_or_else(|| (ErrorKind::UnexpectedReturnType, "not a stream of this program").into())
}
