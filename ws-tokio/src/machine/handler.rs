//! Handlers of a run: their return types, and calling them with a message.

use std::ops::ControlFlow;

use ws_core::{DecodeError, MessageRef};

use super::inbound::{Inbound, Progress};
use super::outbox::Outbox;
use super::shared::Link;
use crate::error::Error;

/// A return type for handlers of [`Connection::run`](crate::Connection::run), which determines what `run` returns.
///
/// | the handler returns | `run` stops at | `run` returns |
/// |---|---|---|
/// | `()` | nothing | `Ok(())` when the connection has ended |
/// | `Result<(), Error>` | `Err` | that error, or `Ok(())` when the connection has ended |
/// | `ControlFlow<B>` | `Break(b)` | `Ok(Some(b))`, or `Ok(None)` when the connection has ended |
pub trait Outcome: sealed::Sealed {
    /// The return type of `run`.
    type Output;

    /// Returns whether to continue, or what to return.
    #[doc(hidden)]
    fn flow(self) -> ControlFlow<Result<Self::Output, Error>>;

    /// Returns the result of a run whose connection has ended.
    #[doc(hidden)]
    fn ended() -> Self::Output;
}

/// Calls the handler with the next message, unless the send queue is full.
#[inline]
pub(crate) fn handle<S, L, H, R>(
    inbound: &mut Inbound,
    link: &mut L,
    handler: &mut H,
) -> Result<Progress<Result<R::Output, Error>>, DecodeError>
where
    L: Link<S>,
    H: FnMut(MessageRef<'_>, &mut Outbox<'_>) -> R,
    R: Outcome,
{
    if link.with(|shared| shared.outbound().is_full()) {
        return Ok(Progress::Paused);
    }
    inbound.borrowed(|message| match handler(message, &mut link.outbox()).flow() {
        ControlFlow::Continue(()) => Progress::Handled,
        ControlFlow::Break(returned) => Progress::Value(returned),
    })
}

impl Outcome for () {
    type Output = ();

    fn flow(self) -> ControlFlow<Result<(), Error>> {
        ControlFlow::Continue(())
    }

    fn ended() {}
}

impl Outcome for Result<(), Error> {
    type Output = ();

    fn flow(self) -> ControlFlow<Result<(), Error>> {
        self.map_or_else(|error| ControlFlow::Break(Err(error)), ControlFlow::Continue)
    }

    fn ended() {}
}

impl<B> Outcome for ControlFlow<B> {
    type Output = Option<B>;

    fn flow(self) -> ControlFlow<Result<Option<B>, Error>> {
        self.map_break(|value| Ok(Some(value)))
    }

    fn ended() -> Option<B> {
        None
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for () {}
    impl Sealed for Result<(), crate::error::Error> {}
    impl<B> Sealed for std::ops::ControlFlow<B> {}
}
