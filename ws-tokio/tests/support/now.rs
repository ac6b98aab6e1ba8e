//! A look at a future, without waiting for it.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

/// Polls once; `None` where it waits.
pub(crate) async fn now<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
