//! A [`Bus`] over NATS: a subject for each topic, and one connection for all of them.

mod address;
mod callback;
mod calls;
mod error;
mod live;
mod ready;
mod received;
mod subject;

use std::sync::Arc;
use std::{fmt, io};

use async_nats::{ConnectOptions, ServerAddr};
use tokio::sync::OnceCell;

use self::live::Live;
use self::subject::Subjects;
use super::{Bus, BusEvent, BusMessage, BusResult};

/// A [`Bus`] over [NATS](https://nats.io), 2.2 or later.
///
/// It uses plain NATS, without JetStream: nothing is stored. A topic is the subject `<prefix>.<name>`, the name percent-encoded where
/// NATS would find more than text in it. A user of NATS with restricted permissions needs to publish and to subscribe to `<prefix>.>`.
///
/// It connects at the first call of a [`Bus`]'s method, in the background, and again whenever the connection is lost. That needs Tokio's
/// runtime. A call fails at once while there is no connection, and after 5 seconds when the server doesn't answer. A server that doesn't
/// answer for about 15 seconds is left.
///
/// Each call ends with a round trip to the server: a message to a subject that nobody subscribes to, about which the server tells. Where
/// somebody subscribes to all subjects (`>`), there is no such subject, and the servers are asked for statistics of the account instead
/// (`$SYS.REQ.ACCOUNT.PING.STATZ`, since NATS 2.9), which the user must be allowed to publish to then.
///
/// Dropping it closes the connection. While there is none, async-nats goes on connecting: it ends once a server has answered.
///
/// # Examples
///
/// ```no_run
/// use ws_tokio::{Bus, Nats};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let nats = Nats::new("nats://127.0.0.1:4222")?.prefix("chat");
/// println!("{:?}", nats.event().await);
/// # Ok(())
/// # }
/// ```
pub struct Nats {
    servers: Vec<ServerAddr>,
    options: ConnectOptions,
    subjects: Subjects,
    live: OnceCell<Live>,
}

impl Nats {
    /// Uses these servers: one address, or several of a cluster, separated by commas.
    ///
    /// An address is `nats://host:port` or `tls://host:port`, the scheme and the port (4222) optional. It may have a user and a password, or a
    /// token: `nats://user:password@host`, `nats://token@host`.
    ///
    /// # Errors
    /// If an address is none.
    pub fn new(servers: &str) -> io::Result<Self> {
        Self::with(servers, ConnectOptions::new())
    }

    /// Uses these servers with options of [`async_nats`], for credentials, TLS and all else.
    ///
    /// These options are overridden: `event_callback`, `max_reconnects` (never gives up), `no_echo`, `ping_interval` (5 seconds),
    /// `retry_on_initial_connect` and `skip_subject_validation`; and the credentials, where an address has some.
    ///
    /// `subscription_capacity` is how many messages of a topic wait to be taken before they are missed. Default 65 536; a slow node can
    /// hold that many of each topic.
    ///
    /// TLS without a configuration in the options needs this crate's feature `ring` or `aws-lc-rs`, or a process-wide default of rustls,
    /// and needs the latter if both features are on.
    ///
    /// # Errors
    /// If an address is none.
    pub fn with(servers: &str, options: ConnectOptions) -> io::Result<Self> {
        let servers = address::parse(servers)?;
        let options = address::credentials(&servers, options);
        Ok(Self { servers, options, subjects: Subjects::new("ws"), live: OnceCell::new() })
    }

    /// Sets what subjects begin with. Default `ws`. Nodes with the same prefix share their topics.
    ///
    /// It may have several parts, separated by dots. They are encoded like topics.
    #[must_use]
    pub fn prefix(mut self, prefix: &str) -> Self {
        self.subjects = Subjects::new(prefix);
        self
    }

    async fn live(&self) -> &Live {
        let connect = || Live::connect(&self.servers, self.options.clone(), self.subjects.clone());
        self.live.get_or_init(connect).await
    }
}

impl Bus for Nats {
    async fn publish(&self, messages: &[BusMessage]) -> BusResult {
        self.live().await.publish(messages).await
    }

    async fn subscribe(&self, topics: &[Arc<str>]) -> BusResult {
        self.live().await.subscribe(topics).await
    }

    async fn unsubscribe(&self, topics: &[Arc<str>]) -> BusResult {
        self.live().await.unsubscribe(topics).await
    }

    async fn event(&self) -> BusEvent {
        self.live().await.event().await
    }
}

impl fmt::Debug for Nats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers = self.servers.iter().map(|server| (server.host(), server.port()));
        f.debug_struct("Nats")
            .field("servers", &servers.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
