//! News for other tasks: noted where it happens, told after unlocking.
//!
//! Wakers of tasks and pings, and subscribers of `tracing`, may run any code, so none of them runs under the lock of a
//! split connection.

use super::pings::Answered;
use super::wants::Wants;
use crate::events::Event;

/// News, taken out from under the lock.
#[derive(Debug, Default)]
#[must_use = "somebody waits to hear of it"]
pub(crate) struct News {
    /// Who can go on.
    pub(crate) wake: Wants,
    pub(crate) more: More,
}

/// News that few connections have.
#[derive(Debug, Default)]
pub(crate) struct More {
    pub(crate) answered: Answered,
    /// Always empty without the feature `tracing`.
    pub(crate) events: Vec<Event>,
}

impl News {
    /// Tells everything except to those who wait on the connection; returns which of those can go on.
    pub(crate) fn tell(self) -> Wants {
        self.more.events.into_iter().for_each(Event::tell);
        self.more.answered.tell();
        self.wake
    }
}
