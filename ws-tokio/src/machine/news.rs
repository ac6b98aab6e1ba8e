//! Notifications for other tasks, recorded under the lock and delivered after unlocking.
//!
//! The wakers of tasks and pings, and `tracing` subscribers, may run arbitrary code, so none of them is called under
//! the lock of a split connection.

use super::pings::Answered;
use super::wants::Wants;
use crate::events::Event;

/// Pending notifications, taken out of the lock.
#[derive(Debug, Default)]
#[must_use = "somebody waits to hear of it"]
pub(crate) struct News {
    /// The waiting tasks to wake.
    pub(crate) wake: Wants,
    pub(crate) more: More,
}

/// Rare notifications.
#[derive(Debug, Default)]
pub(crate) struct More {
    pub(crate) answered: Answered,
    /// Always empty without the features `tracing` and `metrics`.
    pub(crate) events: Vec<Event>,
    /// In place, because it comes again and again.
    #[cfg(feature = "metrics")]
    pub(crate) passed: crate::metrics::Due,
}

impl News {
    /// Delivers everything but the wake-ups of tasks that wait on the connection; returns those.
    pub(crate) fn tell(self) -> Wants {
        self.more.events.into_iter().for_each(Event::tell);
        self.more.answered.tell();
        #[cfg(feature = "metrics")]
        self.more.passed.tell();
        self.wake
    }
}
