//! Redis as the engine between nodes: its pub/sub, with one channel per topic.

mod channels;
mod connect;
mod inbox;
mod keeper;
mod link;

use std::fmt;
use std::sync::{Arc, OnceLock};

use redis::{Client, RedisError};
use tokio::task::AbortHandle;

use self::channels::Channels;
use self::keeper::Keeper;
use super::{Bus, BusEvent, BusMessage, BusResult};

/// Connects the hubs of several nodes over Redis 6 or later, or Valkey.
///
/// Each topic is a channel of Redis's pub/sub. Nothing is stored: what is published while a node has no connection to Redis, that node
/// misses. A node also receives its own messages. Pub/sub ignores database numbers, so programs that share a server need different
/// [prefixes](Self::prefix). In a Redis Cluster, the address of any one node will do.
///
/// It connects when it is first used, from a task of its own, which needs a Tokio runtime with I/O and time. When the connection is
/// lost, it connects again and subscribes to everything again, with random pauses of up to 2 s between attempts. A server that doesn't
/// answer for 5 s counts as lost; without traffic, that is noticed within 10 s. Dropping this ends the task and the connections.
///
/// Messages that arrive wait in up to 32 MiB of memory until the hub takes them. Further ones are dropped and reported as
/// [`BusEvent::Missed`].
pub struct Redis {
    client: Client,
    channels: Channels,
    running: OnceLock<Running>,
}

impl Redis {
    /// Makes it from a URL: `redis://[user:password@]host[:port]`, or `redis+unix:///path` for a socket. With the feature `rustls`,
    /// `rediss://` is TLS with the operating system's roots; that needs a default provider of cryptography, which
    /// `rustls::crypto::CryptoProvider::install_default` sets. It doesn't wait for the server, which may come later.
    ///
    /// # Errors
    /// If the URL isn't valid.
    pub fn new(url: &str) -> Result<Self, RedisError> {
        Client::open(url).map(Self::with)
    }

    /// Makes it from a client of the crate `redis`, which has the address, credentials, TLS and TCP settings. The protocol becomes
    /// RESP3 and `TCP_NODELAY` is set, whatever the client says.
    #[must_use]
    pub fn with(client: Client) -> Self {
        Self {
            client: connect::prepared(client),
            channels: Channels::new("ws"),
            running: OnceLock::new(),
        }
    }

    /// Sets what the names of channels begin with: the channel of a topic is `prefix:topic`. Default `ws`. All nodes need the same one.
    #[must_use]
    pub fn prefix(self, prefix: &str) -> Self {
        Self { client: self.client, channels: Channels::new(prefix), running: OnceLock::new() }
    }

    /// Starts the task that keeps the connection, at the first call.
    fn keeper(&self) -> &Keeper {
        &self.running.get_or_init(|| Running::start(self)).keeper
    }
}

impl Bus for Redis {
    async fn publish(&self, messages: &[BusMessage]) -> BusResult {
        self.keeper().publish(messages).await
    }

    async fn subscribe(&self, topics: &[Arc<str>]) -> BusResult {
        self.keeper().subscribe(topics).await
    }

    async fn unsubscribe(&self, topics: &[Arc<str>]) -> BusResult {
        self.keeper().unsubscribe(topics).await
    }

    async fn event(&self) -> BusEvent {
        self.keeper().event().await
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The client's own output hides the password.
        f.debug_struct("Redis").field("client", &self.client).finish_non_exhaustive()
    }
}

struct Running {
    keeper: Arc<Keeper>,
    task: AbortHandle,
}

impl Running {
    fn start(redis: &Redis) -> Self {
        let keeper = Arc::new(Keeper::new(redis.client.clone(), redis.channels.clone()));
        let task = tokio::spawn(keeper.clone().keep()).abort_handle();
        Self { keeper, task }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}
