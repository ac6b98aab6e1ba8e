//! Receiving messages with a callback.

use std::future::{Future, poll_fn};

use tokio::io::{AsyncRead, AsyncWrite};
use ws_core::MessageRef;

use super::{Connection, State};
use crate::error::Error;
use crate::machine::{Direct, Outbox, Outcome, Want, handle};

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Calls `handler` for every message, borrowed from the read buffer, with an outbox for replies, until the
    /// connection ends or the handler stops it; see [`Outcome`] for the handler's return types.
    ///
    /// Replies to everything that arrived in one read are written together. There is no allocation, no reference count
    /// and no task switch per message, so this is the fastest way to use a connection. The handler must not block.
    /// After the handler stops the run, the connection can still be used with [`recv`](Self::recv) or another run.
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
    /// As for [`recv`](Self::recv), or the handler's own error.
    ///
    /// # Cancel safety
    /// This method is cancel-safe: if dropped, no message is lost, and the handler's replies stay queued.
    pub fn run<H, R>(&mut self, mut handler: H) -> impl Future<Output = Result<R::Output, Error>>
    where
        H: FnMut(MessageRef<'_>, &mut Outbox<'_>) -> R,
        R: Outcome,
    {
        // Not an async fn: an idle connection's task holds this future, which is thus only a pointer and the handler.
        poll_fn(move |cx| {
            let State { receiving, shared } = &mut *self.0;
            let mut link = Direct { shared, want: Want::Message };
            receiving
                .poll(cx, &mut link, |inbound, link| handle(inbound, link, &mut handler))
                .map(|ran| ran?.unwrap_or_else(|| Ok(R::ended())))
        })
    }
}
