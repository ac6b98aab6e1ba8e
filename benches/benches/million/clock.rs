//! What passes while the connections are left to themselves: pings, CPU time, and how long another task has to wait.

use std::process;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::time::sleep;
use ws_benches::load::Process;

use crate::peer::SEEN;

/// What passed in a second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Second {
    pub(crate) pings: u64,
    pub(crate) cpu: Duration,
}

/// Looks at each of so many seconds, from a thread of its own.
pub(crate) fn seconds(count: u32) -> JoinHandle<Vec<Second>> {
    let now = || (SEEN.pings.load(Relaxed), Process(process::id()).cpu());
    thread::spawn(move || {
        let begin = Instant::now();
        let mut before = now();
        let mut second = |number: u32| {
            let end = begin + Duration::from_secs(1) * (number + 1);
            thread::sleep(end.saturating_duration_since(Instant::now()));
            let after = now();
            let second = Second { pings: after.0 - before.0, cpu: after.1 - before.1 };
            before = after;
            second
        };
        (0..count).map(&mut second).collect()
    })
}

static LONGEST: AtomicU64 = AtomicU64::new(0);

/// A task that wants to run every millisecond, as any other task might.
pub(crate) async fn wait_as_others_do() {
    const PAUSE: Duration = Duration::from_millis(1);
    loop {
        let begin = Instant::now();
        sleep(PAUSE).await;
        let late = begin.elapsed().saturating_sub(PAUSE);
        LONGEST.fetch_max(late.as_micros() as u64, Relaxed);
    }
}

/// The longest that task has waited in vain, in milliseconds, since this was asked last.
pub(crate) fn take_longest() -> f64 {
    LONGEST.swap(0, Relaxed) as f64 / 1000.0
}
