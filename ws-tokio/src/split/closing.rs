//! Closing a split connection: the receiving half reads the peer's answer, or the closing task does if that half was
//! dropped.

use std::convert::Infallible;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite};

use super::lock::{Locking, Split};
use crate::error::{Error, closed};
use crate::machine::{Progress, Waiter, Want};

impl<S: AsyncRead + AsyncWrite + Unpin> Split<S> {
    /// Waits for the end of the connection, and reads from it if there is no receiving half.
    pub(super) fn poll_closed(
        &self,
        waiter: &mut Waiter,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        let returned = ready!(self.poll(waiter, Want::End, cx, |inner, cx| {
            // A write error shows in how the connection ends.
            _ = inner.shared.poll_flush(cx);
            match inner.returned.take() {
                Some(receiving) => Poll::Ready(Some(receiving)),
                None => inner.shared.poll_deadline(cx).map(|()| None),
            }
        }));
        let Some(mut receiving) = returned else {
            return Poll::Ready(closed(self.with(|inner| inner.shared.result())));
        };
        let mut link = Locking { split: self, waiter, want: Want::End };
        let drained = receiving.poll::<S, _, Infallible>(cx, &mut link, |inbound, _| {
            inbound.borrowed(|_| Progress::Handled)
        });
        self.with(|inner| inner.returned = Some(receiving));
        drained.map(|drained| closed(drained.map(drop)))
    }
}
