//! How often to look whether the browser has sent what it holds, since it doesn't tell; and when to give up.

use std::rc::Rc;
use std::time::Duration;

use super::events::Events;
use super::timeout::Timeout;

/// What browsers round shorter timeouts up to.
const SHORTEST: Duration = Duration::from_millis(4);
const LONGEST: Duration = Duration::from_millis(128);

/// A look that is due, and what the last one found.
pub(super) struct Drain {
    due: Option<Timeout>,
    interval: Duration,
    /// How long nothing was sent.
    stalled: Duration,
    /// How many bytes had been sent in all.
    sent: u64,
}

impl Drain {
    pub(super) const fn new() -> Self {
        Self { due: None, interval: SHORTEST, stalled: Duration::ZERO, sent: 0 }
    }

    /// Sees to it that the tasks look again: soon while bytes are sent, more rarely while none are. Returns for how long none were.
    pub(super) fn look_later(&mut self, sent: u64, events: &Rc<Events>) -> Duration {
        if self.due.as_ref().is_some_and(|due| !due.is_over()) {
            return self.stalled;
        }
        if self.sent == sent && self.due.is_some() {
            self.stalled += self.interval;
            self.interval = (self.interval * 2).min(LONGEST);
        } else {
            (self.interval, self.stalled) = (SHORTEST, Duration::ZERO);
        }
        self.sent = sent;
        let events = events.clone();
        self.due = Timeout::after(self.interval, move || events.look_again());
        self.stalled
    }
}
