//! The tasks that wait on an unsplit connection.

use std::sync::Arc;
use std::task::Waker;

use crate::machine::wakers::{Waiter, Wakers};

/// The waiting tasks.
pub(super) enum Tasks {
    /// The task that waited last; a no-op waker at first.
    One(Waker),
    Several(Box<Several>),
}

/// Several tasks, once two have waited at the same time.
pub(super) struct Several {
    pub(super) wakers: Arc<Wakers>,
    /// Wakes the tasks in `wakers`. The stream is polled with it.
    pub(super) combined: Waker,
    pub(super) waiter: Waiter,
}

impl Default for Tasks {
    fn default() -> Self {
        Self::One(Waker::noop().clone())
    }
}

impl Default for Several {
    fn default() -> Self {
        let wakers = Arc::new(Wakers::default());
        Self { combined: Waker::from(wakers.clone()), wakers, waiter: Waiter::default() }
    }
}
