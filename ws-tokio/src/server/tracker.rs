//! Graceful shutdown: counts connections, closes them, and waits until they have ended.

use std::collections::HashMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio::time::timeout;
use ws_core::CloseCode;

use crate::connection::Connection;

/// Counts a server's connections, and ends them on shutdown. Cheap to clone; all clones share one state.
///
/// ```
/// # use std::time::Duration;
/// # use tokio::net::TcpListener;
/// # use ws_tokio::{Tracker, accept};
/// # async fn example(listener: TcpListener) -> std::io::Result<()> {
/// let tracker = Tracker::new();
/// loop {
///     tokio::select! {
///         accepted = listener.accept() => {
///             let (stream, _) = accepted?;
///             let Some(ticket) = tracker.enter() else { break };
///             tokio::spawn(async move {
///                 let Ok(mut connection) = accept(stream).await else { return };
///                 ticket.serve(&mut connection, async |connection| {
///                     connection.run(|message, outbox| outbox.send(message)).await
///                 }).await;
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
/// For use with a [`Server`](crate::Server), see [its example](crate::Server#graceful-shutdown); for a split
/// connection, see [`Ticket::closing`].
#[derive(Clone, Default)]
pub struct Tracker(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Notified when the stage changes and when a connection ends.
    changed: Notify,
}

#[derive(Default)]
struct State {
    stage: Stage,
    entered: u64,
    /// Tracked connections, with their addresses if known.
    inside: HashMap<u64, Option<SocketAddr>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    #[default]
    Open,
    /// No more connections may enter; the tracked ones are closed with 1001.
    Closing,
    /// The deadline has passed; connections are cut.
    Cutting,
}

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
        self.0.lock().inside.len()
    }

    /// Returns whether no connections are tracked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Tracks a connection until its ticket is dropped. Returns `None` once the shutdown has begun.
    #[must_use]
    pub fn enter(&self) -> Option<Ticket> {
        let mut state = self.0.lock();
        if state.stage != Stage::Open {
            return None;
        }
        state.entered += 1;
        let number = state.entered;
        state.inside.insert(number, None);
        Some(Ticket { tracker: self.clone(), number })
    }

    /// Stops admitting connections, closes all with 1001, waits up to `deadline` until they have ended, and cuts the
    /// rest.
    ///
    /// The connections' tasks close and cut them, with [`Ticket::serve`], or when [`Ticket::closing`] and
    /// [`Ticket::cutting`] resolve.
    ///
    /// # Cancel safety
    /// If dropped, the shutdown has begun, but no connection is cut; call this again to continue.
    pub async fn shutdown(&self, deadline: Duration) -> Shutdown {
        let before = self.0.enter_stage(Stage::Closing);
        let empty = self.0.until(|state| state.inside.is_empty());
        let cut = match timeout(deadline, empty).await {
            Ok(()) => Vec::new(),
            Err(_) => self.0.lock().inside.values().copied().collect(),
        };
        self.0.enter_stage(Stage::Cutting);
        Shutdown { closed: before.saturating_sub(cut.len()), cut }
    }
}

/// A connection's place in a [`Tracker`]. A shutdown waits until it is dropped.
pub struct Ticket {
    tracker: Tracker,
    number: u64,
}

impl Ticket {
    /// Runs `talk` on the connection until it completes or the tracker shuts down. On shutdown, `talk` is dropped, the
    /// connection is closed with 1001 or, after the deadline, cut, and this returns `None`.
    ///
    /// # Cancel safety
    /// As cancel-safe as `talk`.
    pub async fn serve<S, T>(
        self,
        connection: &mut Connection<S>,
        talk: impl AsyncFnOnce(&mut Connection<S>) -> T,
    ) -> Option<T>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if let Some(address) = connection.peer_addr() {
            self.set_peer_addr(Some(address));
        }
        if let Some(talked) = unless(talk(connection), self.closing()).await {
            return Some(talked);
        }
        let closing = connection.close(CloseCode::GOING_AWAY, "");
        if unless(closing, self.cutting()).await.is_none() {
            connection.close_now();
        }
        None
    }

    /// Waits until the shutdown begins. For tasks that close their connection themselves, such as one that splits it.
    /// Keep the ticket until the connection has ended:
    ///
    /// ```
    /// # use tokio::io::{AsyncRead, AsyncWrite};
    /// use ws_tokio::{CloseCode, Connection, Ticket};
    ///
    /// async fn serve<S: AsyncRead + AsyncWrite + Unpin>(connection: Connection<S>, ticket: Ticket) {
    ///     ticket.set_peer_addr(connection.peer_addr());
    ///     // Other tasks may have clones of the sending half.
    ///     let (mut receiving, sending) = connection.split();
    ///     tokio::select! {
    ///         _ = receiving.run(|message, outbox| outbox.send(message)) => return,
    ///         () = ticket.closing() => {}
    ///     }
    ///     // Without the receiving half, `close` reads the peer's answer.
    ///     drop(receiving);
    ///     tokio::select! {
    ///         _ = sending.close(CloseCode::GOING_AWAY, "") => {}
    ///         () = ticket.cutting() => sending.close_now(),
    ///     }
    /// }
    /// ```
    ///
    /// # Cancel safety
    /// This method is cancel-safe.
    pub async fn closing(&self) {
        self.tracker.0.until(|state| state.stage >= Stage::Closing).await;
    }

    /// Waits until the shutdown's deadline has passed. Connections that are still open then count as cut.
    ///
    /// # Cancel safety
    /// This method is cancel-safe.
    pub async fn cutting(&self) {
        self.tracker.0.until(|state| state.stage >= Stage::Cutting).await;
    }

    /// Sets the address that [`Shutdown::cut`] reports for this connection. Default none; [`serve`](Self::serve) sets
    /// the connection's address, if known.
    pub fn set_peer_addr(&self, address: Option<SocketAddr>) {
        self.tracker.0.lock().inside.insert(self.number, address);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.tracker.0.lock().inside.remove(&self.number);
        self.tracker.0.changed.notify_waiters();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Advances to a stage, and returns the number of tracked connections.
    fn enter_stage(&self, stage: Stage) -> usize {
        let mut state = self.lock();
        state.stage = state.stage.max(stage);
        let inside = state.inside.len();
        drop(state);
        self.changed.notify_waiters();
        inside
    }

    async fn until(&self, reached: impl Fn(&State) -> bool) {
        loop {
            let mut changed = pin!(self.changed.notified());
            // Enabled before the check, so that a change in between is not missed.
            changed.as_mut().enable();
            if reached(&self.lock()) {
                return;
            }
            changed.await;
        }
    }
}

/// Returns the output of the future, or `None` if `stop` completes first.
async fn unless<T>(future: impl Future<Output = T>, stop: impl Future<Output = ()>) -> Option<T> {
    let (mut future, mut stop) = (pin!(future), pin!(stop));
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => stop.as_mut().poll(cx).map(|()| None),
    })
    .await
}

impl fmt::Debug for Tracker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracker").field("inside", &self.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").field("number", &self.number).finish_non_exhaustive()
    }
}
