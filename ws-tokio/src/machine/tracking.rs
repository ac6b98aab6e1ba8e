//! Places of connections in a tracker: a shutdown counts them, and reaches them from outside of their tasks.

use std::collections::HashMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::sync::Notify;

use super::bell::{Bell, Reached, Stage};
use super::sync::{Mutex, lock};

/// The connections inside, and the stage that they are told of.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    state: Mutex<State>,
    /// Changed under the lock of `state`, read without it.
    stage: Reached,
    /// Notified once each, when their stage is reached.
    closing: Notify,
    cutting: Notify,
    /// Notified when the last connection has left.
    left: Notify,
}

#[derive(Debug, Default)]
struct State {
    entered: u64,
    inside: HashMap<u64, Place>,
    /// The addresses of those that were inside when the deadline had passed.
    cut: Option<Vec<Option<SocketAddr>>>,
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

    /// Returns a place, unless the shutdown has begun.
    pub(crate) fn enter(self: &Arc<Self>) -> Option<Ticket> {
        let bell = Arc::new(Bell::default());
        let place = Place { peer_addr: None, bell: bell.clone() };
        let mut state = lock(&self.state);
        if self.is_closing() {
            return None;
        }
        state.entered += 1;
        let number = state.entered;
        state.inside.insert(number, place);
        drop(state);
        Some(Ticket { registry: self.clone(), number, bell })
    }

    /// Advances to a stage, if it isn't there yet, tells everyone, and returns the number of connections inside.
    pub(crate) fn advance(&self, stage: Stage) -> usize {
        let state = lock(&self.state);
        let inside = state.inside.len();
        if !self.stage.advance(stage) {
            return inside;
        }
        let bells: Vec<_> = state.inside.values().map(|place| place.bell.clone()).collect();
        // Rung outside the lock: a waker may run arbitrary code.
        drop(state);
        // First those who wait for the stage itself: a task that also has a connection closes it its own way.
        self.closing.notify_waiters();
        if stage == Stage::Cutting {
            self.cutting.notify_waiters();
        }
        bells.iter().for_each(|bell| bell.ring(stage));
        inside
    }

    /// Cuts those that are inside, and returns their addresses. Another shutdown that was there when this one began may have done
    /// so before: then theirs.
    pub(crate) fn cut(&self, began: Stage) -> Vec<Option<SocketAddr>> {
        let mut state = lock(&self.state);
        let inside: Vec<_> = state.inside.values().map(|place| place.peer_addr).collect();
        let cut = match &state.cut {
            Some(cut) if began < Stage::Cutting => cut.clone(),
            Some(_) => inside,
            None => state.cut.insert(inside).clone(),
        };
        drop(state);
        self.advance(Stage::Cutting);
        cut
    }

    pub(crate) fn stage(&self) -> Stage {
        self.stage.get()
    }

    /// Returns whether the shutdown has begun, without a lock.
    pub(crate) fn is_closing(&self) -> bool {
        self.stage.get() >= Stage::Closing
    }

    /// Waits until the shutdown begins.
    pub(crate) async fn closing(&self) {
        self.reached(Stage::Closing, &self.closing).await;
    }

    /// Waits until the deadline has passed.
    async fn cutting(&self) {
        self.reached(Stage::Cutting, &self.cutting).await;
    }

    /// Waits for a stage. A task that is polled again and again meanwhile takes no lock that it shares with all others, which
    /// [`Notify`] would at every poll: it only looks at the stage.
    async fn reached(&self, stage: Stage, told: &Notify) {
        let mut told = pin!(told.notified());
        let mut registered = Waker::noop().clone();
        poll_fn(|cx| {
            if self.stage.get() >= stage {
                return Poll::Ready(());
            }
            if registered.will_wake(cx.waker()) {
                return Poll::Pending;
            }
            registered.clone_from(cx.waker());
            // What is told after `notified` was called is not missed.
            told.as_mut().poll(cx)
        })
        .await;
    }

    pub(crate) async fn emptied(&self) {
        loop {
            let mut left = pin!(self.left.notified());
            // Enabled before the check, so that a change in between is not missed.
            left.as_mut().enable();
            if lock(&self.state).inside.is_empty() {
                return;
            }
            left.await;
        }
    }
}

impl State {
    /// Gives back memory, too, after there were many more.
    fn leave(&mut self, number: u64) -> Option<Place> {
        let place = self.inside.remove(&number);
        let (len, room) = (self.inside.len(), self.inside.capacity());
        if room > FEW && len * 4 < room {
            self.inside.shrink_to(len * 2);
        }
        place
    }
}

/// Places that are kept for connections to come.
const FEW: usize = 1024;

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
        self.registry.closing().await;
    }

    /// Waits until the shutdown's deadline has passed. Connections that are still open then count as cut.
    ///
    /// # Cancel safety
    /// This method is cancel-safe.
    pub async fn cutting(&self) {
        self.registry.cutting().await;
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
        let mut state = lock(&self.registry.state);
        let place = state.leave(self.number);
        let is_last = state.inside.is_empty();
        drop(state);
        drop(place);
        if is_last {
            self.registry.left.notify_waiters();
        }
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
        self.ticket.bell.stage.get() != self.heard
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").field("number", &self.number).finish_non_exhaustive()
    }
}
