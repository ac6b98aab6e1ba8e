//! One coarse timer for heartbeat, idle timeout and write timeout.
//!
//! No clock is read and no timer is set per message: messages only set a flag or add to a count, which are checked when
//! the timer fires.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::settings::{Settings, after};

/// With more bytes than this in front of a ping, the transport may hold them for longer than the deadline.
const MUCH: u64 = 64 << 10;

/// The least deadline in that case.
const CATCH_UP: Duration = Duration::from_secs(30);

/// What the timer found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// The peer was silent for an interval: ping it.
    Ping,
    /// The peer did not answer.
    Lost,
    /// The peer was silent for too long.
    Idle,
    /// The peer accepted nothing for too long.
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
    /// Bytes written in total.
    pub(super) written: u64,
    /// How long that may stand still.
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

/// The heartbeat's ping.
#[derive(Clone, Copy)]
enum Ping {
    None,
    /// Queued behind this many bytes.
    Queued(u64),
    /// Sent: the deadline runs.
    Left,
}

struct Idle {
    most: Duration,
    due: Option<Instant>,
    signs: Signs,
}

struct Stall {
    due: Option<Instant>,
    /// Bytes written when `due` was set.
    written: u64,
}

/// Signs of life since the last check.
#[derive(Default)]
struct Signs {
    /// Something arrived.
    heard: bool,
    /// The transport had to wait for the peer. Only then is accepting bytes a sign of life.
    pressed: bool,
    /// Bytes written at the last check.
    written: u64,
    /// Bytes written before something last arrived, as far as known.
    heard_after: u64,
}

impl Watch {
    /// Returns the watch that the settings ask for, if any.
    pub(super) fn of(settings: &Settings) -> Option<Box<Self>> {
        if settings.heartbeat.is_none() && settings.idle_timeout.is_none() {
            return None;
        }
        let heartbeat = settings.heartbeat.map(|(interval, deadline)| Heartbeat {
            interval,
            deadline,
            due: after(interval),
            signs: Signs::default(),
            ping: Ping::None,
        });
        let idle = settings.idle_timeout.map(|most| Idle {
            most,
            due: after(most),
            signs: Signs::default(),
        });
        Some(Box::new(Self { heartbeat, idle, ..Self::none() }))
    }

    /// Returns a watch for a write that doesn't go on.
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

    /// Something arrived.
    pub(super) fn heard(&mut self) {
        self.signs().for_each(|signs| signs.heard = true);
    }

    /// The transport accepts nothing.
    pub(super) fn stalled(&mut self, writing: Writing) {
        let Writing { written, timeout } = writing;
        self.stall.get_or_insert_with(|| Stall { due: after(timeout), written });
        self.signs().for_each(|signs| signs.pressed = true);
    }

    /// Everything is written.
    pub(super) fn drained(&mut self) {
        self.stall = None;
    }

    /// The heartbeat's ping is queued behind this many bytes.
    pub(super) fn asked(&mut self, mark: u64) {
        if let Some(heartbeat) = &mut self.heartbeat {
            heartbeat.ping = Ping::Queued(mark);
        }
    }

    /// The transport accepted something, or everything.
    #[inline]
    pub(super) fn wrote(&mut self, written: u64) {
        if let Some(heartbeat) = &mut self.heartbeat {
            heartbeat.wrote(written);
        }
    }

    /// Returns what is due now.
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
            // A task that only writes can't tell whether the peer is silent, but another task may: its timer must not
            // be delayed. If the timer is due already, that task was woken.
            Waits::ToWrite => silence.filter(|due| *due > Instant::now()),
        };
        stall.into_iter().chain(silence).min()
    }

    /// When the peer will have been silent for too long.
    fn silence(&self) -> Option<Instant> {
        let heartbeat = self.heartbeat.as_ref().and_then(|heartbeat| heartbeat.due);
        let idle = self.idle.as_ref().and_then(|idle| idle.due);
        heartbeat.into_iter().chain(idle).min()
    }

    /// Checks what was due. The next check counts from now: a connection that was not polled for long had no chance to
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
    fn fired(&mut self, written: u64) -> Option<Due> {
        let heard = self.signs.heard;
        let alive = self.signs.of_life(written);
        if heard || alive && matches!(self.ping, Ping::None) {
            (self.ping, self.due) = (Ping::None, after(self.interval));
            return None;
        }
        self.due = after(self.patience(written));
        match self.ping {
            Ping::None => Some(Due::Ping),
            // Whether the peer accepts anything is the write timeout's concern.
            Ping::Queued(_) => None,
            Ping::Left if alive => None,
            Ping::Left => Some(Due::Lost),
        }
    }

    fn wrote(&mut self, written: u64) {
        if matches!(self.ping, Ping::Queued(mark) if written >= mark) {
            (self.ping, self.due) = (Ping::Left, after(self.patience(written)));
        }
    }

    /// Returns how long an answer may take.
    fn patience(&self, written: u64) -> Duration {
        let in_front = written - self.signs.heard_after;
        if in_front > MUCH { self.deadline.max(CATCH_UP) } else { self.deadline }
    }
}

impl Signs {
    /// Returns whether there were any signs, after this many bytes written.
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
