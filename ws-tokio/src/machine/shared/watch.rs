//! One coarse timer for a connection's watches: heartbeat, idleness, and a write that stalls.
//!
//! No clock is read and no timer touched per message: what happens meanwhile only sets a flag or counts, and is looked at
//! when the timer fires.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::settings::{Settings, after};

/// Where so many bytes are in front of a ping, the transport may hold them for longer than a deadline is.
const MUCH: u64 = 64 << 10;

/// How long the peer has then, at least, to take them and to answer.
const CATCH_UP: Duration = Duration::from_secs(30);

/// What the timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// The peer was silent for an interval: ask whether it is there.
    Ping,
    /// It did not answer.
    Lost,
    /// It was silent for too long.
    Idle,
    /// It took nothing of what was queued for too long.
    Stalled,
}

/// What the caller waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waits {
    ToRead,
    ToWrite,
}

/// How far writing has come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Writing {
    /// Bytes written in all.
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

/// Where the heartbeat's ping is.
#[derive(Clone, Copy)]
enum Ping {
    None,
    /// Behind so many bytes.
    Queued(u64),
    /// On its way: the deadline runs.
    Left,
}

struct Idle {
    most: Duration,
    due: Option<Instant>,
    signs: Signs,
}

struct Stall {
    due: Option<Instant>,
    /// Bytes that were written when `due` was set.
    written: u64,
}

/// Signs of life since they were last looked at.
#[derive(Default)]
struct Signs {
    /// Something arrived.
    heard: bool,
    /// The transport had to wait for the peer to take something. Only then is what it takes a sign of the peer.
    pressed: bool,
    /// Bytes written when they were last looked at.
    written: u64,
    /// Bytes written before something last arrived, as far as that is known.
    heard_after: u64,
}

impl Watch {
    /// The watch that the settings ask for from the start, if they ask for any.
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

    /// A watch for a write that doesn't go on.
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

    /// The transport takes nothing.
    pub(super) fn stalled(&mut self, writing: Writing) {
        let Writing { written, timeout } = writing;
        self.stall.get_or_insert_with(|| Stall { due: after(timeout), written });
        self.signs().for_each(|signs| signs.pressed = true);
    }

    /// All is written.
    pub(super) fn drained(&mut self) {
        self.stall = None;
    }

    /// The heartbeat's ping is queued behind so many bytes.
    pub(super) fn asked(&mut self, mark: u64) {
        if let Some(heartbeat) = &mut self.heartbeat {
            heartbeat.ping = Ping::Queued(mark);
        }
    }

    /// The transport took something, or all there was.
    #[inline]
    pub(super) fn wrote(&mut self, written: u64) {
        if let Some(heartbeat) = &mut self.heartbeat {
            heartbeat.wrote(written);
        }
    }

    /// What is due now.
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
            // Who doesn't read can't tell whether the peer is silent. But another task may be there that does: it is not
            // to sleep longer for this one. Where it is due already, that task was woken.
            Waits::ToWrite => silence.filter(|due| *due > Instant::now()),
        };
        stall.into_iter().chain(silence).min()
    }

    /// When the peer will have been silent for long.
    fn silence(&self) -> Option<Instant> {
        let heartbeat = self.heartbeat.as_ref().and_then(|heartbeat| heartbeat.due);
        let idle = self.idle.as_ref().and_then(|idle| idle.due);
        heartbeat.into_iter().chain(idle).min()
    }

    /// Looks at what was due then. What is due next counts from now: a connection that was not polled for long had no
    /// chance to see that the peer was there.
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
            // Whether the peer takes anything is the write timeout's business.
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

    /// How long an answer may take.
    fn patience(&self, written: u64) -> Duration {
        let in_front = written - self.signs.heard_after;
        if in_front > MUCH { self.deadline.max(CATCH_UP) } else { self.deadline }
    }
}

impl Signs {
    /// Whether there were any, after so many bytes written.
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
