//! Locks and atomics of std, or of loom for its models (`--cfg ws_loom`).

use std::sync::PoisonError;

#[cfg(ws_loom)]
pub(crate) use loom::sync::{Mutex, MutexGuard, atomic};
#[cfg(not(ws_loom))]
pub(crate) use std::sync::{Mutex, MutexGuard, atomic};

/// Locks a mutex, ignoring poisoning: a panic leaves no update incomplete.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
