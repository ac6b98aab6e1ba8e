//! What the kernel holds for sockets: its slab caches, its buffers, and all memory, before and after there are many (Linux).

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::thread::sleep;
use std::time::Duration;

use super::idle::echoed;
use super::raw::{connect, masked, payload};

/// What one socket more takes, in bytes, where both ends of each connection are here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kernel {
    /// Of each slab cache that grew with the sockets: objects per connection, and bytes of one. Empty where only root may read it.
    pub slab: Vec<(String, f64, f64)>,
    /// Of all memory that was available to programs, per connection.
    pub available: f64,
    /// Of buffers, per connection, while nothing is in them.
    pub empty: f64,
    /// Of buffers, per connection, while the client has not read one KiB.
    pub unread: f64,
}

/// Opens connections, each of which echoes one KiB; then each leaves another echo unread.
///
/// # Errors
///
/// If a connection fails.
///
/// # Panics
///
/// If an answer is not what was sent, or the kernel doesn't tell.
pub fn run(address: SocketAddr, connections: usize) -> io::Result<Kernel> {
    let payload = payload(1024);
    let message = masked(&payload, 1, [1, 2, 3, 4]);
    let echo = || echoed(connect(address)?, &message, &payload);
    // What all of them share has come to be.
    let _shared = (0..100).map(|_| echo()).collect::<io::Result<Vec<_>>>()?;
    let before = Snapshot::now()?;
    let mut streams = (0..connections).map(|_| echo()).collect::<io::Result<Vec<_>>>()?;
    let idle = Snapshot::now()?;
    for stream in &mut streams {
        stream.write_all(&message)?;
    }
    let unread = Snapshot::now()?;
    let per_connection = |more: f64| more / connections as f64;
    Ok(Kernel {
        slab: idle.slab_since(&before, connections),
        available: per_connection(before.available - idle.available),
        empty: per_connection(idle.buffers - before.buffers),
        unread: per_connection(unread.buffers - before.buffers),
    })
}

/// What the kernel says of itself.
struct Snapshot {
    /// Objects in use of each cache, and bytes of one.
    slab: BTreeMap<String, (f64, f64)>,
    /// Bytes.
    available: f64,
    /// Bytes of all TCP sockets.
    buffers: f64,
}

impl Snapshot {
    /// After a while in which it comes to rest.
    fn now() -> io::Result<Self> {
        sleep(Duration::from_secs(2));
        let memory = fs::read_to_string("/proc/meminfo")?;
        let available = memory.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
        let sockets = fs::read_to_string("/proc/net/sockstat")?;
        let pages = sockets.lines().find_map(|line| line.strip_prefix("TCP:")?.split_once(" mem "));
        let slab = fs::read_to_string("/proc/slabinfo").unwrap_or_default();
        let cache = |line: &str| {
            let mut words = line.split_whitespace();
            let name = words.next()?.to_owned();
            let [active, _, size] = [words.next()?, words.next()?, words.next()?];
            Some((name, (active.parse().ok()?, size.parse().ok()?)))
        };
        Ok(Self {
            slab: slab.lines().filter_map(cache).collect(),
            available: number(available) * 1024.0,
            buffers: number(pages.map(|(_, pages)| pages)) * PAGE,
        })
    }

    fn slab_since(&self, before: &Self, connections: usize) -> Vec<(String, f64, f64)> {
        let grown = |(name, (active, size)): (&String, &(f64, f64))| {
            let was = before.slab.get(name).map_or(0.0, |(active, _)| *active);
            let more = (active - was) / connections as f64;
            // Less than half of one for each connection is somebody else's.
            (more > 0.5).then(|| (name.clone(), more, *size))
        };
        self.slab.iter().filter_map(grown).collect()
    }
}

/// The kernel's pages on the machines that this is for.
const PAGE: f64 = 4096.0;

fn number(text: Option<&str>) -> f64 {
    let first = text.and_then(|text| text.split_whitespace().next()?.parse().ok());
    first.expect("the kernel tells it")
}

impl Kernel {
    /// Lines that [`parse`](Self::parse) reads.
    #[must_use]
    pub fn to_lines(&self) -> String {
        let Self { slab, available, empty, unread } = self;
        let mut lines = format!("{available} {empty} {unread}\n");
        for (name, objects, size) in slab {
            lines.push_str(&format!("{objects} {size} {name}\n"));
        }
        lines
    }

    /// Reads [`to_lines`](Self::to_lines).
    #[must_use]
    pub fn parse(lines: &str) -> Option<Self> {
        let mut lines = lines.lines();
        let mut first = lines.next()?.split(' ').map_while(|number| number.parse().ok());
        let [available, empty, unread] = [first.next()?, first.next()?, first.next()?];
        let cache = |line: &str| {
            let mut words = line.splitn(3, ' ');
            let (objects, size) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
            Some((words.next()?.to_owned(), objects, size))
        };
        Some(Self { slab: lines.map(cache).collect::<Option<_>>()?, available, empty, unread })
    }
}

#[cfg(test)]
mod tests {
    use super::Kernel;

    #[test]
    fn lines_are_read_as_they_were_written() {
        let slab = vec![("TCP".to_owned(), 2.0, 2368.0)];
        let kernel = Kernel { slab, available: 7000.5, empty: 0.0, unread: 2304.0 };
        assert_eq!(Kernel::parse(&kernel.to_lines()), Some(kernel));
    }
}
