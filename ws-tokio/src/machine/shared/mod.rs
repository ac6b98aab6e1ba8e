//! The state that both directions share: the stream, the send queue, and the end of the connection.

pub(super) mod direct;
mod end;
mod exchange;
mod phase;
mod spread;
mod tasks;
mod watch;

use std::net::SocketAddr;
use std::task::{Context, Poll};

#[cfg(feature = "deflate")]
use ws_core::deflate::AgreedCompression;
use ws_core::{CloseFrame, Control, Counts, Role};

use crate::error::Error;
use crate::events::Side;
use crate::machine::callbacks::{Callbacks, PingReply};
use crate::machine::counters::{Counters, Traffic};
use crate::machine::inbound::Inbound;
use crate::machine::news::News;
use crate::machine::outbound::Outbound;
use crate::machine::outbox::Outbox;
use crate::machine::pings::Ping;
use crate::machine::tracking::{Ticket, Tracked};
use crate::machine::wants::Wants;
use crate::settings::{Millis, Settings};
pub(crate) use phase::Arriving;
use phase::Phase;
use tasks::Tasks;
use watch::{Watch, Writing};

/// The part of a connection that its halves share. A whole connection owns it; halves lock it.
pub(crate) struct Shared<S> {
    stream: S,
    outbound: Outbound,
    phase: Phase,
    close_timeout: Millis,
    write_timeout: Millis,
    watch: Option<Box<Watch>>,
    /// Whether there is a place in a tracker among the rare state.
    is_tracked: bool,
    /// The tasks that wait on an unsplit connection.
    tasks: Tasks,
    /// What the single task waits for, or stopped waiting for without notice.
    waited_for: Wants,
    #[cfg(feature = "deflate")]
    compression: Option<AgreedCompression>,
    peer_addr: Option<Box<SocketAddr>>,
    rare: Option<Box<Rare>>,
}

/// State that few connections have, or only temporarily.
#[derive(Default)]
struct Rare {
    subprotocol: Option<Box<str>>,
    close_frame: Option<CloseFrame>,
    callbacks: Option<Box<Callbacks>>,
    tracked: Option<Box<Tracked>>,
    /// Received traffic as of the last read, if counting is enabled.
    received: Option<Box<Traffic>>,
}

/// The receiving side's access to the shared state: direct, or with a lock for each call.
pub(crate) trait Link<S> {
    /// Calls `act`, which doesn't wait.
    fn with<R>(&mut self, act: impl FnOnce(&mut Shared<S>) -> R) -> R;

    /// Returns what may still arrive.
    fn arriving(&mut self) -> Arriving;

    /// Polls `act`, which may wait. It may be called twice, and must register the context's waker each time.
    fn poll<R>(
        &mut self,
        cx: &mut Context<'_>,
        act: impl FnMut(&mut Shared<S>, &mut Context<'_>) -> Poll<R>,
    ) -> Poll<R>;

    /// Delivers the notifications to other tasks.
    fn tell(&mut self);

    /// Returns the outbox for a handler's replies.
    fn outbox(&mut self) -> Outbox<'_>;
}

impl<S> Shared<S> {
    pub(crate) fn new(
        stream: S,
        outbound: Outbound,
        settings: &Settings,
        subprotocol: Option<String>,
        peer_addr: Option<SocketAddr>,
    ) -> Self {
        let subprotocol = subprotocol.map(String::into_boxed_str);
        let rare = subprotocol.map(|subprotocol| {
            Box::new(Rare { subprotocol: Some(subprotocol), ..Rare::default() })
        });
        Self {
            stream,
            outbound,
            phase: Phase::Open,
            close_timeout: Millis::from(settings.close_timeout),
            write_timeout: Millis::from(settings.write_timeout),
            watch: Watch::of(settings),
            is_tracked: false,
            tasks: Tasks::default(),
            waited_for: Wants::NONE,
            #[cfg(feature = "deflate")]
            compression: None,
            peer_addr: peer_addr.map(Box::new),
            rare,
        }
    }

    #[cfg(feature = "deflate")]
    pub(crate) fn with_compression(self, agreed: Option<AgreedCompression>) -> Self {
        Self { compression: agreed, ..self }
    }

    #[cfg(feature = "deflate")]
    pub(crate) const fn compression(&self) -> Option<AgreedCompression> {
        self.compression
    }

    /// Returns the traffic, if counting is enabled. `found` contains the receiver's counts, which include what was
    /// decoded since the last read.
    pub(crate) fn counters(&self, found: Option<Counts>) -> Option<Counters> {
        let sent = self.outbound.traffic().filter(|_| self.outbound.shows_counters())?;
        let before = self.rare.as_ref().and_then(|rare| rare.received.as_deref());
        let mut received = before.copied().unwrap_or_default();
        received.counts = found.unwrap_or(received.counts);
        Some(Counters { received, sent, round_trip: self.outbound.round_trip() })
    }

    /// Counts bytes that were read, and updates the counts of what was decoded before.
    pub(crate) fn count_read(&mut self, inbound: &Inbound, bytes: usize) {
        if let Some(counts) = inbound.counts() {
            let received = self.rare().received.get_or_insert_default();
            received.counts = counts;
            received.wire_bytes += bytes as u64;
            #[cfg(feature = "metrics")]
            {
                let received = **received;
                self.outbound.passed(&received);
            }
        }
    }

    pub(crate) const fn role(&self) -> Role {
        self.outbound.role()
    }

    pub(crate) const fn phase(&self) -> &Phase {
        &self.phase
    }

    pub(crate) fn subprotocol(&self) -> Option<&str> {
        self.rare.as_ref()?.subprotocol.as_deref()
    }

    pub(crate) fn peer_addr(&self) -> Option<SocketAddr> {
        self.peer_addr.as_deref().copied()
    }

    pub(crate) fn close_frame(&self) -> Option<&CloseFrame> {
        self.rare.as_ref()?.close_frame.as_ref()
    }

    pub(crate) const fn outbound(&self) -> &Outbound {
        &self.outbound
    }

    pub(crate) const fn outbound_mut(&mut self) -> &mut Outbound {
        &mut self.outbound
    }

    pub(crate) const fn stream(&self) -> &S {
        &self.stream
    }

    pub(crate) fn into_stream(self) -> S {
        self.stream
    }

    /// Gives the connection a place in a tracker, which it keeps until it is dropped.
    pub(crate) fn track(&mut self, ticket: Ticket) {
        ticket.set_peer_addr(self.peer_addr());
        self.rare().tracked = Some(Box::new(Tracked::new(ticket)));
        self.is_tracked = true;
    }

    /// Queues our close frame, unless one was already queued.
    pub(crate) fn start_closing(&mut self, frame: &CloseFrame) {
        if !self.outbound.is_closed() {
            self.outbound.close(Some(frame.clone()));
        }
    }

    /// Takes the notifications, to be delivered after unlocking.
    #[inline]
    pub(crate) fn take_news(&mut self) -> Option<News> {
        self.outbound.take_news()
    }

    /// Wakes a receiving task, which writes what code that can't wait queues.
    pub(crate) fn leave_to_others(&mut self) {
        self.outbound.wake(Wants::READING);
    }

    /// Queues a ping, which a receiving task writes.
    pub(crate) fn ping(&mut self) -> Result<Ping, Error> {
        self.leave_to_others();
        self.outbound.ping()
    }

    /// Returns the progress of writing.
    fn writing(&self) -> Writing {
        Writing { written: self.outbound.written(), timeout: self.write_timeout.get() }
    }

    /// Returns the callbacks for pings and pongs.
    pub(crate) fn callbacks(&mut self) -> &mut Callbacks {
        self.rare().callbacks.get_or_insert_default()
    }

    /// Takes the callbacks, which must not run under a lock. The receiver puts them back.
    pub(crate) fn lend_callbacks(&mut self) -> Option<Box<Callbacks>> {
        self.rare.as_mut()?.callbacks.take()
    }

    pub(crate) fn give_callbacks_back(&mut self, callbacks: Box<Callbacks>) {
        self.rare().callbacks = Some(callbacks);
    }

    /// Handles a control frame as the protocol requires; `ping_reply` applies to pings.
    pub(crate) fn control_received(&mut self, control: Control, ping_reply: PingReply) {
        if matches!(control, Control::Close(_)) {
            self.outbound.life().closed_by(Side::Peer);
        }
        match (control.reply(), ping_reply) {
            (Some(Control::Pong(_)), PingReply::Withheld) | (None, _) => {}
            (Some(reply), _) => self.outbound.reply(reply),
        }
        match control {
            Control::Ping(_) => {}
            Control::Pong(payload) => self.outbound.pong_received(&payload),
            Control::Close(frame) => self.close_received(frame),
        }
    }

    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }
}
