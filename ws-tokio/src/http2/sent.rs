//! What was handed to HTTP/2, and when all of it has left: `h2` doesn't tell, but drops the payload then.

use std::cell::RefCell;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Buf;

/// The payload of a DATA frame, until it has left for the transport, or never will.
#[derive(Debug)]
pub(crate) struct Sent {
    payload: Vec<u8>,
    /// Bytes of it that have left.
    gone: usize,
    underway: Arc<Underway>,
}

/// How many payloads of a stream have not left yet.
#[derive(Debug, Default)]
pub(super) struct Underway {
    payloads: AtomicUsize,
    waiting: Mutex<Option<Waker>>,
}

impl Sent {
    pub(super) fn new(payload: Vec<u8>, underway: &Arc<Underway>) -> Self {
        underway.payloads.fetch_add(1, Ordering::SeqCst);
        Self { payload, gone: 0, underway: underway.clone() }
    }

    /// The body of a refusal, for which nobody waits.
    pub(crate) fn forgotten(payload: Vec<u8>) -> Self {
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

    fn waiting(&self) -> MutexGuard<'_, Option<Waker>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        give(mem::take(&mut self.payload));
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
        self.payload.len() - self.gone
    }

    fn chunk(&self) -> &[u8] {
        &self.payload[self.gone..]
    }

    fn advance(&mut self, count: usize) {
        self.gone += count;
    }
}

/// Capacity of pooled payloads in bytes: for a frame of 16 KiB, which most connections' are, and the header of its message.
const POOLED: usize = 20 << 10;

/// From which size on payloads are pooled, in bytes. Smaller ones cost the allocator little, and larger ones are rare.
const LARGE: usize = 4 << 10;

/// How many payloads a thread keeps. Otherwise the heap would grow and shrink with each of them.
const KEPT: usize = 16;

thread_local! {
    static POOL: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Takes an empty payload for so many bytes.
pub(super) fn take(size: usize) -> Vec<u8> {
    if !(LARGE..=POOLED).contains(&size) {
        return Vec::with_capacity(size);
    }
    let kept = POOL.try_with(|pool| pool.borrow_mut().pop()).ok().flatten();
    kept.unwrap_or_else(|| Vec::with_capacity(POOLED))
}

fn give(mut payload: Vec<u8>) {
    if payload.capacity() != POOLED {
        return;
    }
    payload.clear();
    // There is no pool on a thread that is terminating.
    _ = POOL.try_with(|pool| {
        let mut pool = pool.borrow_mut();
        if pool.len() < KEPT {
            pool.push(payload);
        }
    });
}
