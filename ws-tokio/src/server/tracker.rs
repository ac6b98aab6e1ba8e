//! Graceful shutdown: counts connections, closes them, and waits until they have ended.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::machine::{Registry, Stage, Ticket};

/// Counts a server's connections, and ends them on shutdown. Cheap to clone; all clones share one state.
///
/// Given by [`AcceptOptions::tracker`](crate::AcceptOptions::tracker), it reaches every connection that these options accept,
/// whoever serves it:
///
/// ```
/// # use std::time::Duration;
/// # use tokio::net::TcpListener;
/// # use ws_tokio::{AcceptOptions, Tracker};
/// # async fn example(listener: TcpListener) -> std::io::Result<()> {
/// let tracker = Tracker::new();
/// let options = AcceptOptions::default().tracker(&tracker);
/// loop {
///     tokio::select! {
///         accepted = listener.accept() => {
///             let (stream, _) = accepted?;
///             let options = options.clone();
///             tokio::spawn(async move {
///                 let Ok(mut connection) = options.accept(stream).await else { return };
///                 _ = connection.run(|message, outbox| outbox.send(message)).await;
///             });
///         }
///         _ = tokio::signal::ctrl_c() => break,
///     }
/// }
/// let shutdown = tracker.shutdown(Duration::from_secs(10)).await;
/// println!("{} connections were cut", shutdown.cut.len());
/// # Ok(())
/// # }
/// ```
///
/// A [`Server`](crate::Server) does all of this with one call: [`Serving::with_graceful_shutdown`](crate::Serving). For
/// connections made otherwise, see [`Connection::track`](crate::Connection::track). Behind an HTTP server, call
/// [`shutdown`](Self::shutdown) while that one's own graceful shutdown goes on (`tokio::join!`), not after it: over HTTP/2, it waits for
/// the WebSockets.
#[derive(Clone, Default)]
pub struct Tracker(Arc<Registry>);

/// The result of a shutdown.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shutdown {
    /// The number of connections that ended by themselves or were closed in time.
    pub closed: usize,
    /// The addresses, if known, of connections that were cut.
    pub cut: Vec<Option<SocketAddr>>,
}

impl Tracker {
    /// Creates a tracker without connections.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the number of tracked connections.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether no connections are tracked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Tracks a connection until its ticket is dropped. Returns `None` once the shutdown has begun.
    #[must_use]
    pub fn enter(&self) -> Option<Ticket> {
        self.0.enter()
    }

    #[cfg(feature = "http2")]
    pub(super) fn is_closing(&self) -> bool {
        self.0.is_closing()
    }

    /// Waits until a shutdown begins.
    ///
    /// # Cancel safety
    /// This method is cancel-safe.
    pub async fn closing(&self) {
        self.0.closing().await;
    }

    /// Stops admitting connections, closes all with 1001, waits up to `deadline` until they have ended, and cuts the
    /// rest.
    ///
    /// Connections close and are cut by themselves, as soon as they are polled. A task that waits for something else doesn't
    /// notice: its connection counts as cut.
    ///
    /// Several shutdowns at once are one: the earliest deadline cuts, and each returns what was cut.
    ///
    /// # Cancel safety
    /// If dropped, the shutdown has begun, but no connection is cut; call this again to continue.
    pub async fn shutdown(&self, deadline: Duration) -> Shutdown {
        let began = self.0.stage();
        let before = self.0.advance(Stage::Closing);
        let (Ok(()) | Err(_)) = timeout(deadline, self.0.emptied()).await;
        let cut = self.0.cut(began);
        Shutdown { closed: before.saturating_sub(cut.len()), cut }
    }
}

impl fmt::Debug for Tracker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracker").field("inside", &self.len()).finish_non_exhaustive()
    }
}
