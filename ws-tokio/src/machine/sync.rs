//! Locks and atomics: those of std, or loom's where its models run (`--cfg ws_loom`).

use std::sync::PoisonError;

#[cfg(ws_loom)]
pub(crate) use loom::sync::{Mutex, MutexGuard, atomic};
#[cfg(not(ws_loom))]
pub(crate) use std::sync::{Mutex, MutexGuard, atomic};

/// Locks. Whoever panicked while it held the lock left nothing half done.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
