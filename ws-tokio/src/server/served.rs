//! What serving a connection comes to.

use std::fmt::Display;

use crate::events;

/// What a future that serves a connection may return: nothing, or a result, whose error is told to `tracing`.
pub trait Served: sealed::Sealed {
    /// Tells of an error.
    #[doc(hidden)]
    fn tell(self);
}

impl Served for () {
    fn tell(self) {}
}

impl<T, E: Display> Served for Result<T, E> {
    fn tell(self) {
        if let Err(error) = self {
            events::not_served(&error);
        }
    }
}

impl sealed::Sealed for () {}

impl<T, E: Display> sealed::Sealed for Result<T, E> {}

mod sealed {
    pub trait Sealed {}
}
