//! Places of connections in a tracker: a shutdown counts them, and reaches them from outside of their tasks.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::sync::Notify;

#[cfg(feature = "http2")]
use super::sync::atomic::AtomicBool;
use super::sync::atomic::{AtomicU8, Ordering};
use super::sync::{Mutex, lock};

/// How far a shutdown is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    #[default]
    Open,
    /// No more connections may enter; the tracked ones are closed with 1001.
    Closing,
    /// The deadline has passed; connections are cut.
    Cutting,
}

/// The connections inside, and the stage that they are told of.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    state: Mutex<State>,
    /// Whether the stage is another than [`Stage::Open`], for those who look often.
    #[cfg(feature = "http2")]
    is_closing: AtomicBool,
    /// Notified when the stage changes. Whoever waits for it is not woken by every connection that leaves.
    told: Notify,
    /// Notified when a connection leaves.
    left: Notify,
}

#[derive(Debug, Default)]
struct State {
    stage: Stage,
    entered: u64,
    inside: HashMap<u64, Place>,
}

/// What the registry knows of a connection.
#[derive(Debug, Default)]
struct Place {
    peer_addr: Option<SocketAddr>,
    bell: Arc<Bell>,
}

/// A connection's place in a [`Tracker`](crate::Tracker). A shutdown waits until it is dropped.
///
/// Give it to the connection with [`Connection::track`](crate::Connection::track), which closes by itself then; or keep it,
/// and close the connection when [`closing`](Self::closing) says so.
pub struct Ticket {
    registry: Arc<Registry>,
    number: u64,
    bell: Arc<Bell>,
}

/// Tells one connection of the stage, and wakes the task that waits on it.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    stage: AtomicU8,
    waker: Mutex<Option<Waker>>,
}

/// A connection's end of its bell.
pub(crate) struct Tracked {
    ticket: Ticket,
    heard: Stage,
    /// What is registered at the bell; comparing with it takes no lock.
    registered: Waker,
}

impl Registry {
    pub(crate) fn len(&self) -> usize {
        lock(&self.state).inside.len()
    }

    pub(crate) fn peer_addrs(&self) -> Vec<Option<SocketAddr>> {
        lock(&self.state).inside.values().map(|place| place.peer_addr).collect()
    }

    /// Returns a place, unless the shutdown has begun.
    pub(crate) fn enter(self: &Arc<Self>) -> Option<Ticket> {
        let bell = Arc::new(Bell::default());
        let place = Place { peer_addr: None, bell: bell.clone() };
        let mut state = lock(&self.state);
        if state.stage != Stage::Open {
            return None;
        }
        state.entered += 1;
        let number = state.entered;
        state.inside.insert(number, place);
        drop(state);
        Some(Ticket { registry: self.clone(), number, bell })
    }

    /// Advances to a stage, tells everyone, and returns the number of connections inside.
    pub(crate) fn advance(&self, stage: Stage) -> usize {
        let mut state = lock(&self.state);
        state.stage = state.stage.max(stage);
        let stage = state.stage;
        #[cfg(feature = "http2")]
        self.is_closing.store(stage > Stage::Open, Ordering::Release);
        let bells: Vec<_> = state.inside.values().map(|place| place.bell.clone()).collect();
        // Rung outside the lock: a waker may run arbitrary code.
        drop(state);
        // First those who wait for the stage itself: a task that also has a connection closes it its own way.
        self.told.notify_waiters();
        bells.iter().for_each(|bell| bell.ring(stage));
        bells.len()
    }

    /// Returns whether the shutdown has begun, without a lock.
    #[cfg(feature = "http2")]
    pub(crate) fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::Acquire)
    }

    pub(crate) async fn reached(&self, stage: Stage) {
        until(&self.told, || lock(&self.state).stage >= stage).await;
    }

    pub(crate) async fn emptied(&self) {
        until(&self.left, || lock(&self.state).inside.is_empty()).await;
    }
}

async fn until(changes: &Notify, reached: impl Fn() -> bool) {
    loop {
        let mut changed = pin!(changes.notified());
        // Enabled before the check, so that a change in between is not missed.
        changed.as_mut().enable();
        if reached() {
            return;
        }
        changed.await;
    }
}

impl Ticket {
    /// Waits until the shutdown begins. For tasks that close their connection themselves, for instance to say goodbye first. Keep
    /// the ticket until the connection has ended:
    ///
    /// ```
    /// use ws_tokio::{CloseCode, Connection, Ticket};
    ///
    /// async fn serve(connection: Connection, ticket: Ticket) {
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
    ///         _ = sending.close(CloseCode::SERVICE_RESTART, "back in a minute") => {}
    ///         () = ticket.cutting() => sending.close_now(),
    ///     }
    /// }
    /// ```
    ///
    /// # Cancel safety
    /// This method is cancel-safe.
    pub async fn closing(&self) {
        self.registry.reached(Stage::Closing).await;
    }

    /// Waits until the shutdown's deadline has passed. Connections that are still open then count as cut.
    ///
    /// # Cancel safety
    /// This method is cancel-safe.
    pub async fn cutting(&self) {
        self.registry.reached(Stage::Cutting).await;
    }

    /// Sets the address that [`Shutdown::cut`](crate::Shutdown::cut) reports for this connection. Default none;
    /// [`Connection::track`](crate::Connection::track) sets the connection's address, if known.
    pub fn set_peer_addr(&self, address: Option<SocketAddr>) {
        if let Some(place) = lock(&self.registry.state).inside.get_mut(&self.number) {
            place.peer_addr = address;
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let place = lock(&self.registry.state).inside.remove(&self.number);
        drop(place);
        self.registry.left.notify_waiters();
    }
}

impl Bell {
    /// Tells of a stage.
    pub(crate) fn ring(&self, stage: Stage) {
        self.stage.store(stage as u8, Ordering::SeqCst);
        let waker = lock(&self.waker).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn stage(&self) -> Stage {
        match self.stage.load(Ordering::SeqCst) {
            0 => Stage::Open,
            1 => Stage::Closing,
            _ => Stage::Cutting,
        }
    }

    /// Returns a stage behind `heard`, or registers the waker for it. `registered` was registered before.
    pub(crate) fn poll(
        &self,
        heard: &mut Stage,
        registered: &mut Waker,
        cx: &mut Context<'_>,
    ) -> Poll<Stage> {
        if self.stage() == *heard {
            if registered.will_wake(cx.waker()) {
                return Poll::Pending;
            }
            registered.clone_from(cx.waker());
            let displaced = lock(&self.waker).replace(cx.waker().clone());
            drop(displaced);
            // It may have been rung in between.
            if self.stage() == *heard {
                return Poll::Pending;
            }
        }
        // The ring took what was registered.
        *registered = Waker::noop().clone();
        *heard = self.stage();
        Poll::Ready(*heard)
    }
}

impl Tracked {
    pub(crate) fn new(ticket: Ticket) -> Self {
        Self { ticket, heard: Stage::Open, registered: Waker::noop().clone() }
    }

    /// Whether the connection was told to close.
    pub(crate) fn is_closing(&self) -> bool {
        self.heard != Stage::Open
    }

    /// Waits to be told of the next stage.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Stage> {
        self.ticket.bell.poll(&mut self.heard, &mut self.registered, cx)
    }

    /// Returns whether there is something new to hear.
    pub(crate) fn is_rung(&self) -> bool {
        self.ticket.bell.stage() != self.heard
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").field("number", &self.number).finish_non_exhaustive()
    }
}
