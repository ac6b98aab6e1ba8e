//! Receiving, event-driven: a function is called for every message.

use std::future::{Future, poll_fn};
use std::ops::ControlFlow;

use tokio::io::{AsyncRead, AsyncWrite};
use ws_core::{DecodeError, MessageRef};

use super::{Connection, State};
use crate::error::Error;
use crate::inbound::{Inbound, Progress};
use crate::outbox::Outbox;
use crate::shared::{Direct, Link};
use crate::wants::Want;

/// What a handler of [`Connection::run`] may return, and what `run` returns for it.
///
/// | a handler returns | it ends `run` with | `run` returns |
/// |---|---|---|
/// | `()` | never | `Ok(())` once the connection has ended |
/// | `Result<(), Error>` | `Err` | that error, or `Ok(())` once the connection has ended |
/// | `ControlFlow<B>` | `Break(b)` | `Ok(Some(b))`, or `Ok(None)` once the connection has ended |
pub trait Outcome: sealed::Sealed {
    /// What `run` returns.
    type Output;

    /// Whether to go on, or what to return.
    #[doc(hidden)]
    fn flow(self) -> ControlFlow<Result<Self::Output, Error>>;

    /// What to return once the connection has ended.
    #[doc(hidden)]
    fn ended() -> Self::Output;
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Calls `handler` for every message, borrowed from the buffer that it arrived in, with an outbox for replies,
    /// until the connection ends or the handler ends it; see [`Outcome`] for what it may return.
    ///
    /// What one read brought is answered by one write. There is no allocation, no reference count and no task switch
    /// per message: this is the fastest way to use a connection. A handler must not block; where it ends the run,
    /// the connection goes on with [`recv`](Self::recv), or with another run.
    ///
    /// ```
    /// # async fn example<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(
    /// #     mut connection: ws_tokio::Connection<S>,
    /// # ) -> Result<(), ws_tokio::Error> {
    /// connection.run(|message, outbox| outbox.send(message)).await
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`recv`](Self::recv), and what the handler failed with.
    ///
    /// # Cancel safety
    /// This method is cancel-safe: if dropped, no message is lost, and what the handler sent is queued.
    pub fn run<H, R>(&mut self, mut handler: H) -> impl Future<Output = Result<R::Output, Error>>
    where
        H: FnMut(MessageRef<'_>, &mut Outbox<'_>) -> R,
        R: Outcome,
    {
        // Not an async fn: an idle connection's task holds this, and it is a pointer and the handler.
        poll_fn(move |cx| {
            let State { receiving, shared } = &mut *self.0;
            let mut link = Direct { shared, want: Want::Message };
            receiving
                .poll(cx, &mut link, |inbound, link| handle(inbound, link, &mut handler))
                .map(|ran| ran?.unwrap_or_else(|| Ok(R::ended())))
        })
    }
}

/// Lends the next message to the handler, unless the outbox is over its limit.
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
