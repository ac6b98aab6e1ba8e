//! One coarse timer for the heartbeat, the idle timeout and the write timeout.
//!
//! Messages neither read the clock nor set a timer: they only set a flag or increase a count, which are checked when
//! the timer fires.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use super::spread::Spread;
use crate::settings::{Settings, after};

/// If more bytes than this precede a ping, the transport may hold them for longer than the deadline.
const MUCH: u64 = 64 << 10;

/// Minimum deadline in that case.
const CATCH_UP: Duration = Duration::from_secs(30);

/// The action that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Ping the peer, which was silent for an interval.
    Ping,
    /// End the connection: the peer did not answer.
    Lost,
    /// Close the connection: the peer was silent for too long.
    Idle,
    /// End the connection: the peer accepted nothing for too long.
    Stalled,
}

/// What the caller waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waits {
    ToRead,
    ToWrite,
}

/// The progress of writing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Writing {
    /// Total number of bytes written.
    pub(super) written: u64,
    /// How long writing may make no progress.
    pub(super) timeout: Duration,
}

pub(super) struct Watch {
    timer: Pin<Box<Sleep>>,
    heartbeat: Option<Heartbeat>,
    idle: Option<Idle>,
    stall: Option<Stall>,
}

struct Heartbeat {
    interval: Duration,
    deadline: Duration,
    due: Option<Instant>,
    signs: Signs,
    ping: Ping,
}

/// The state of the heartbeat's ping.
#[derive(Clone, Copy)]
enum Ping {
    None,
    /// Queued; sent once this many bytes are written in total.
    Queued(u64),
    /// Sent; the answer is due then, or never.
    Left(Option<Instant>),
}

struct Idle {
    most: Duration,
    due: Option<Instant>,
    signs: Signs,
}

struct Stall {
    due: Option<Instant>,
    /// Number of bytes written when `due` was set.
    written: u64,
}

/// Signs of life since the last check.
#[derive(Default)]
struct Signs {
    /// Whether something arrived.
    heard: bool,
    /// Whether the transport had to wait for the peer. Only then does accepting bytes count as a sign of life.
    pressed: bool,
    /// Number of bytes written at the last check.
    written: u64,
    /// Number of bytes known to be written before something last arrived.
    heard_after: u64,
}

impl Watch {
    /// Returns the watch for these settings, if they require one.
    pub(super) fn of(settings: &Settings) -> Option<Box<Self>> {
        if settings.heartbeat.is_none() && settings.idle_timeout.is_none() {
            return None;
        }
        let heartbeat =
            settings.heartbeat.map(|(interval, deadline)| Heartbeat::new(interval, deadline));
        let idle = settings.idle_timeout.map(|most| Idle {
            most,
            due: after(most),
            signs: Signs::default(),
        });
        Some(Box::new(Self { heartbeat, idle, ..Self::none() }))
    }

    /// Returns a watch for a stalled write.
    pub(super) fn of_write() -> Box<Self> {
        Box::new(Self::none())
    }

    fn none() -> Self {
        let timer = Box::pin(sleep_until(Instant::now()));
        Self { timer, heartbeat: None, idle: None, stall: None }
    }

    fn signs(&mut self) -> impl Iterator<Item = &mut Signs> {
        let heartbeat = self.heartbeat.as_mut().map(|heartbeat| &mut heartbeat.signs);
        heartbeat.into_iter().chain(self.idle.as_mut().map(|idle| &mut idle.signs))
    }

    /// Records that something arrived.
    pub(super) fn heard(&mut self) {
        self.signs().for_each(|signs| signs.heard = true);
    }

    /// Records that the transport accepts nothing. Returns whether that is new.
    pub(super) fn stalled(&mut self, writing: Writing) -> bool {
        let Writing { written, timeout } = writing;
        let is_new = self.stall.is_none();
        self.stall.get_or_insert_with(|| Stall { due: after(timeout), written });
        self.signs().for_each(|signs| signs.pressed = true);
        is_new
    }

    /// Records that everything was written.
    pub(super) fn drained(&mut self) {
        self.stall = None;
    }

    /// Records that the heartbeat's ping is queued, and is sent once `mark` bytes are written in total.
    pub(super) fn asked(&mut self, mark: u64) {
        if let Some(heartbeat) = &mut self.heartbeat {
            heartbeat.ping = Ping::Queued(mark);
        }
    }

    /// Records the total number of bytes written.
    #[inline]
    pub(super) fn wrote(&mut self, written: u64) {
        if let Some(heartbeat) = &mut self.heartbeat {
            heartbeat.wrote(written);
        }
    }

    /// Waits until something is due, and returns it.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        waits: Waits,
        writing: Writing,
    ) -> Poll<Due> {
        loop {
            let Some(next) = self.next(waits) else { return Poll::Pending };
            if self.timer.deadline() != next {
                self.timer.as_mut().reset(next);
            }
            if self.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if let Some(due) = self.fired(next, waits, writing) {
                return Poll::Ready(due);
            }
        }
    }

    fn next(&self, waits: Waits) -> Option<Instant> {
        let stall = self.stall.as_ref().and_then(|stall| stall.due);
        let silence = self.silence();
        let silence = match waits {
            Waits::ToRead => silence,
            // A task that only writes can't tell whether the peer is silent, but another task may; the timer must not
            // fire too late for that one. If the timer is due already, that task was woken.
            Waits::ToWrite => silence.filter(|due| *due > Instant::now()),
        };
        stall.into_iter().chain(silence).min()
    }

    /// Returns when the peer will have been silent for too long.
    fn silence(&self) -> Option<Instant> {
        let heartbeat = self.heartbeat.as_ref().and_then(|heartbeat| heartbeat.due);
        let idle = self.idle.as_ref().and_then(|idle| idle.due);
        heartbeat.into_iter().chain(idle).min()
    }

    /// Checks what was due. The next check counts from now: a connection that was not polled for a while could not
    /// notice the peer.
    fn fired(&mut self, then: Instant, waits: Waits, writing: Writing) -> Option<Due> {
        let then = Some(then);
        if let Some(stall) = self.stall.as_mut().filter(|stall| stall.due == then) {
            if stall.written == writing.written {
                return Some(Due::Stalled);
            }
            *stall = Stall { due: after(writing.timeout), written: writing.written };
        }
        if waits == Waits::ToWrite {
            return None;
        }
        if let Some(idle) = self.idle.as_mut().filter(|idle| idle.due == then) {
            idle.due = after(idle.most);
            if !idle.signs.of_life(writing.written) {
                return Some(Due::Idle);
            }
        }
        let heartbeat = self.heartbeat.as_mut().filter(|heartbeat| heartbeat.due == then)?;
        heartbeat.fired(writing.written)
    }
}

impl Heartbeat {
    fn new(interval: Duration, deadline: Duration) -> Self {
        let Spread { first, interval } = Spread::of(interval);
        Self { interval, deadline, due: after(first), signs: Signs::default(), ping: Ping::None }
    }

    fn fired(&mut self, written: u64) -> Option<Due> {
        let heard = self.signs.heard;
        let alive = self.signs.of_life(written);
        if heard || alive && matches!(self.ping, Ping::None) {
            (self.ping, self.due) = (Ping::None, after(self.interval));
            return None;
        }
        self.due = after(self.interval);
        match self.ping {
            Ping::None => Some(Due::Ping),
            // If the peer accepts nothing, the write timeout applies.
            Ping::Queued(_) => None,
            Ping::Left(until) if !alive && until.is_some_and(|until| until <= Instant::now()) => {
                Some(Due::Lost)
            }
            Ping::Left(_) if alive => self.left(written),
            Ping::Left(until) => self.wait(until),
        }
    }

    fn wrote(&mut self, written: u64) {
        if matches!(self.ping, Ping::Queued(mark) if written >= mark) {
            self.left(written);
        }
    }

    /// Gives the peer the time from now on to answer.
    fn left(&mut self, written: u64) -> Option<Due> {
        self.wait(after(self.patience(written)))
    }

    /// Waits for the answer, and looks after an interval whether it has come: the next ping must not wait for the longer
    /// deadline.
    fn wait(&mut self, until: Option<Instant>) -> Option<Due> {
        self.ping = Ping::Left(until);
        self.due = after(self.interval).into_iter().chain(until).min();
        None
    }

    /// Returns how long an answer may take.
    fn patience(&self, written: u64) -> Duration {
        let in_front = written - self.signs.heard_after;
        if in_front > MUCH { self.deadline.max(CATCH_UP) } else { self.deadline }
    }
}

impl Signs {
    /// Resets the signs and returns whether there were any; `written` is the total number of bytes written.
    fn of_life(&mut self, written: u64) -> bool {
        let pressed = std::mem::take(&mut self.pressed);
        let heard = std::mem::take(&mut self.heard);
        let before = std::mem::replace(&mut self.written, written);
        if heard {
            self.heard_after = before;
        }
        heard || pressed && written != before
    }
}
