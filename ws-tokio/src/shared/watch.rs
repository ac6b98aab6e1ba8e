//! One coarse timer for a connection's watches: heartbeat, idleness, and a write that stalls.
//!
//! No clock is read and no timer touched per message: what happens meanwhile only sets a flag or counts, and is looked at
//! when the timer fires.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::settings::Settings;

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

pub(super) struct Watch {
    timer: Pin<Box<Sleep>>,
    heartbeat: Option<Heartbeat>,
    idle: Option<Silence>,
    stall: Option<Stall>,
}

struct Heartbeat {
    interval: Duration,
    deadline: Duration,
    due: Instant,
    /// Whether anything arrived since `due` was set.
    heard: bool,
    asked: bool,
}

struct Silence {
    most: Duration,
    due: Instant,
    heard: bool,
}

struct Stall {
    due: Instant,
    /// Bytes that were written when `due` was set.
    written: u64,
}

impl Watch {
    /// The watch that the settings ask for from the start, if they ask for any.
    pub(super) fn of(settings: &Settings) -> Option<Box<Self>> {
        if settings.heartbeat.is_none() && settings.idle_timeout.is_none() {
            return None;
        }
        let now = Instant::now();
        let heartbeat = settings.heartbeat.map(|(interval, deadline)| Heartbeat {
            interval,
            deadline,
            due: now + interval,
            heard: false,
            asked: false,
        });
        let idle =
            settings.idle_timeout.map(|most| Silence { most, due: now + most, heard: false });
        Some(Box::new(Self { timer: Box::pin(sleep_until(now)), heartbeat, idle, stall: None }))
    }

    /// A watch for a write that doesn't go on.
    pub(super) fn of_write() -> Box<Self> {
        let timer = Box::pin(sleep_until(Instant::now()));
        Box::new(Self { timer, heartbeat: None, idle: None, stall: None })
    }

    /// Something arrived.
    pub(super) fn heard(&mut self) {
        if let Some(heartbeat) = &mut self.heartbeat {
            heartbeat.heard = true;
        }
        if let Some(idle) = &mut self.idle {
            idle.heard = true;
        }
    }

    /// The transport takes nothing, after so many bytes in all.
    pub(super) fn stalled(&mut self, written: u64, most: Duration) {
        self.stall.get_or_insert_with(|| Stall { due: Instant::now() + most, written });
    }

    /// All is written.
    pub(super) fn drained(&mut self) {
        self.stall = None;
    }

    /// What is due now. `written` is how many bytes were written in all, `most` how long that may stand still.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        waits: Waits,
        written: u64,
        most: Duration,
    ) -> Poll<Due> {
        loop {
            let Some(next) = self.next(waits) else { return Poll::Pending };
            if self.timer.deadline() != next {
                self.timer.as_mut().reset(next);
            }
            if self.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if let Some(due) = self.fired(next, written, most) {
                return Poll::Ready(due);
            }
        }
    }

    fn next(&self, waits: Waits) -> Option<Instant> {
        let stall = self.stall.as_ref().map(|stall| stall.due);
        match waits {
            // Who doesn't read can't tell whether the peer is silent.
            Waits::ToWrite => stall,
            Waits::ToRead => {
                let heartbeat = self.heartbeat.as_ref().map(|heartbeat| heartbeat.due);
                let idle = self.idle.as_ref().map(|idle| idle.due);
                heartbeat.into_iter().chain(idle).chain(stall).min()
            }
        }
    }

    /// Looks at what was due then. What is due next counts from now: a connection that was not polled for long had no
    /// chance to see that the peer was there.
    fn fired(&mut self, then: Instant, written: u64, most: Duration) -> Option<Due> {
        let now = Instant::now();
        if let Some(stall) = self.stall.as_mut().filter(|stall| stall.due == then) {
            if stall.written == written {
                return Some(Due::Stalled);
            }
            (stall.written, stall.due) = (written, now + most);
        }
        if let Some(idle) = self.idle.as_mut().filter(|idle| idle.due == then) {
            idle.due = now + idle.most;
            if !std::mem::take(&mut idle.heard) {
                return Some(Due::Idle);
            }
        }
        let heartbeat = self.heartbeat.as_mut().filter(|heartbeat| heartbeat.due == then)?;
        heartbeat.fired(now)
    }
}

impl Heartbeat {
    fn fired(&mut self, now: Instant) -> Option<Due> {
        if std::mem::take(&mut self.heard) {
            (self.asked, self.due) = (false, now + self.interval);
            return None;
        }
        self.due = now + self.deadline;
        if std::mem::replace(&mut self.asked, true) { Some(Due::Lost) } else { Some(Due::Ping) }
    }
}
