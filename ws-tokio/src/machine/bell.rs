//! What a shutdown tells each connection, and how it wakes the task that waits there.

use std::task::{Context, Poll, Waker};

use super::sync::atomic::{AtomicU8, Ordering};
use super::sync::{Mutex, lock};

/// How far a shutdown is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    #[default]
    Open,
    /// No more connections may enter; the tracked ones are closed with 1001.
    Closing,
    /// The deadline has passed; connections are cut.
    Cutting,
}

/// Tells one connection of the stage, and wakes the task that waits on it.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    pub(super) stage: Reached,
    waker: Mutex<Option<Waker>>,
}

/// A stage that others read.
#[derive(Debug, Default)]
pub(super) struct Reached(AtomicU8);

impl Reached {
    pub(super) fn get(&self) -> Stage {
        match self.0.load(Ordering::SeqCst) {
            0 => Stage::Open,
            1 => Stage::Closing,
            _ => Stage::Cutting,
        }
    }

    /// Returns whether it was not there yet.
    pub(super) fn advance(&self, stage: Stage) -> bool {
        self.0.fetch_max(stage as u8, Ordering::SeqCst) < stage as u8
    }
}

impl Bell {
    /// Tells of a stage, once: whoever was told of it registers for the next.
    pub(crate) fn ring(&self, stage: Stage) {
        if !self.stage.advance(stage) {
            return;
        }
        let waker = lock(&self.waker).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Returns a stage behind `heard`, or registers the waker for it. `registered` was registered before.
    pub(crate) fn poll(
        &self,
        heard: &mut Stage,
        registered: &mut Waker,
        cx: &mut Context<'_>,
    ) -> Poll<Stage> {
        if self.stage.get() == *heard {
            if registered.will_wake(cx.waker()) {
                return Poll::Pending;
            }
            registered.clone_from(cx.waker());
            let displaced = lock(&self.waker).replace(cx.waker().clone());
            drop(displaced);
            // It may have been rung in between.
            if self.stage.get() == *heard {
                return Poll::Pending;
            }
        }
        // The ring took what was registered.
        *registered = Waker::noop().clone();
        *heard = self.stage.get();
        Poll::Ready(*heard)
    }
}
