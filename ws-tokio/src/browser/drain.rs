//! How often to look whether the browser has sent what it holds, since it doesn't tell; and when to give up.

use std::rc::Rc;
use std::time::Duration;

use super::events::Events;
use super::timeout::Timeout;

/// In milliseconds: what browsers round shorter timeouts up to.
const SHORTEST: u32 = 4;
const LONGEST: u32 = 128;

/// A look that is due, and what the last one found.
pub(super) struct Drain {
    due: Option<Timeout>,
    interval: u32,
    /// For how many milliseconds nothing was sent.
    stalled: u32,
    /// How many bytes had been sent in all.
    sent: u64,
}

impl Drain {
    pub(super) const fn new() -> Self {
        Self { due: None, interval: SHORTEST, stalled: 0, sent: 0 }
    }

    /// Sees to it that the tasks look again: soon while bytes are sent, more rarely while none are. Returns for how long none were.
    pub(super) fn look_later(&mut self, sent: u64, events: &Rc<Events>) -> Duration {
        if self.due.as_ref().is_some_and(|due| !due.is_over()) {
            return self.stalled();
        }
        if self.sent == sent && self.due.is_some() {
            self.stalled = self.stalled.saturating_add(self.interval);
            self.interval = (self.interval * 2).min(LONGEST);
        } else {
            (self.interval, self.stalled) = (SHORTEST, 0);
        }
        self.sent = sent;
        let events = events.clone();
        let interval = Duration::from_millis(self.interval.into());
        self.due = Timeout::after(interval, move || events.look_again());
        self.stalled()
    }

    fn stalled(&self) -> Duration {
        Duration::from_millis(self.stalled.into())
    }
}
