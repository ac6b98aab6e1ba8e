//! What this process holds: as its allocator counts, and as the kernel does.

use std::fs;
use std::io;
use std::process;

use ws_benches::load::Process;

use crate::counting::{held, take_peak};

/// Bytes at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// Allocated by the thread that all connections are on, and not freed.
    pub(crate) allocated: f64,
    pub(crate) resident: f64,
}

impl Memory {
    pub(crate) fn now() -> Self {
        let resident = Process(process::id()).resident_kib() as f64 * 1024.0;
        Self { allocated: held() as f64, resident }
    }

    /// Begins to look for a peak.
    pub(crate) fn mark() -> io::Result<Self> {
        take_peak();
        // The kernel's own peak begins anew.
        fs::write("/proc/self/clear_refs", "5")?;
        Ok(Self::now())
    }

    /// The peak since `self` was marked, over what there was then.
    pub(crate) fn peak_over(self) -> Self {
        let resident = Process(process::id()).peak_resident_kib() as f64 * 1024.0;
        Self { allocated: take_peak() as f64 - self.allocated, resident: resident - self.resident }
    }

    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            allocated: self.allocated - before.allocated,
            resident: self.resident - before.resident,
        }
    }
}
