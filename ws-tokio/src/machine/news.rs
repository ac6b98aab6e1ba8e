//! What others have to hear of: noted where it happens, told where no lock is held.
//!
//! A task's waker, a ping's, and a subscriber of `tracing` may run anything; so none of them runs under the lock of a
//! split connection.

use super::pings::Answered;
use super::wants::Wants;
use crate::events::Event;

/// What is to be told, taken out from under the lock.
#[derive(Debug, Default)]
#[must_use = "somebody waits to hear of it"]
pub(crate) struct News {
    /// Who can go on.
    pub(crate) wake: Wants,
    pub(crate) more: More,
}

/// What few connections have to tell.
#[derive(Debug, Default)]
pub(crate) struct More {
    pub(crate) answered: Answered,
    /// Always empty where the feature `tracing` is off.
    pub(crate) events: Vec<Event>,
}

impl News {
    /// Tells all but those who wait on the connection itself: who of those can go on.
    pub(crate) fn tell(self) -> Wants {
        self.more.events.into_iter().for_each(Event::tell);
        self.more.answered.tell();
        self.wake
    }
}
