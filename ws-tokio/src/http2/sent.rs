//! What was handed to HTTP/2, and when all of it has left: `h2` doesn't tell, but drops the payload then.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes};

/// The payload of a DATA frame, until it has left for the transport, or never will.
#[derive(Debug)]
pub(crate) struct Sent {
    payload: Bytes,
    underway: Arc<Underway>,
}

/// How many payloads of a stream have not left yet.
#[derive(Debug, Default)]
pub(super) struct Underway {
    payloads: AtomicUsize,
    waiting: Mutex<Option<Waker>>,
}

impl Sent {
    pub(super) fn new(payload: Bytes, underway: &Arc<Underway>) -> Self {
        underway.payloads.fetch_add(1, Ordering::SeqCst);
        Self { payload, underway: underway.clone() }
    }

    /// The body of a refusal, for which nobody waits.
    pub(crate) fn forgotten(payload: Bytes) -> Self {
        Self::new(payload, &Arc::default())
    }
}

impl Underway {
    pub(super) fn is_over(&self) -> bool {
        self.payloads.load(Ordering::SeqCst) == 0
    }

    /// Waits until all has left. Only one task may.
    pub(super) fn poll_over(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.is_over() {
            return Poll::Ready(());
        }
        *self.waiting() = Some(cx.waker().clone());
        // It may have left meanwhile.
        if self.is_over() { Poll::Ready(()) } else { Poll::Pending }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Option<Waker>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        if self.underway.payloads.fetch_sub(1, Ordering::SeqCst) == 1 {
            let waiting = self.underway.waiting().take();
            if let Some(waiting) = waiting {
                waiting.wake();
            }
        }
    }
}

impl Buf for Sent {
    fn remaining(&self) -> usize {
        self.payload.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.payload.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.payload.advance(count);
    }
}
