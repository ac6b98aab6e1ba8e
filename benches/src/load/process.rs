//! What the kernel says about a process (Linux).

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// A process by its number.
#[derive(Clone, Copy, Debug)]
pub struct Process(pub u32);

impl Process {
    /// CPU time that its threads have had so far, to the nanosecond.
    ///
    /// # Panics
    ///
    /// If there is no such process.
    #[must_use]
    pub fn cpu(self) -> Duration {
        let threads = fs::read_dir(self.file("task")).expect("the process runs");
        let nanos = |path: PathBuf| -> Option<u64> {
            fs::read_to_string(path.join("schedstat")).ok()?.split(' ').next()?.parse().ok()
        };
        // A thread may end between the listing and the reading.
        Duration::from_nanos(threads.flatten().filter_map(|thread| nanos(thread.path())).sum())
    }

    /// Resident memory, in KiB.
    ///
    /// # Panics
    ///
    /// If there is no such process.
    #[must_use]
    pub fn resident_kib(self) -> u64 {
        self.status("VmRSS:")
    }

    /// The most resident memory that it has had, in KiB.
    ///
    /// # Panics
    ///
    /// If there is no such process.
    #[must_use]
    pub fn peak_resident_kib(self) -> u64 {
        self.status("VmHWM:")
    }

    fn status(self, name: &str) -> u64 {
        let status = fs::read_to_string(self.file("status")).expect("the process runs");
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        number.expect("the kernel tells it")
    }

    fn file(self, name: &str) -> PathBuf {
        format!("/proc/{}/{name}", self.0).into()
    }
}
