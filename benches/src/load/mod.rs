//! Load on a server in another process: what is asked of it, and what it then took.

pub mod broadcast;
pub mod compressed;
pub mod echo;
pub mod engine;
pub mod handshakes;
pub mod http2;
pub mod idle;
pub mod nodes;
mod process;
pub mod raw;
pub mod sockets;
pub mod spread;
pub mod texts;
pub mod told;
pub mod wire;

use std::time::Duration;

pub use process::Process;

/// What a server took while it was under load.
#[derive(Clone, Copy, Debug, Default)]
pub struct Took {
    /// Messages, or handshakes, that were answered.
    pub answers: u64,
    /// Wall-clock time.
    pub time: Duration,
    /// CPU time of the server's threads.
    pub cpu: Duration,
    /// Bytes that the server put on the wire, where they were counted.
    pub sent: u64,
}

impl Took {
    /// One line that [`parse`](Self::parse) reads.
    #[must_use]
    pub fn to_line(&self) -> String {
        let Self { answers, time, cpu, sent } = self;
        format!("{answers} {} {} {sent}", time.as_nanos(), cpu.as_nanos())
    }

    /// Reads [`to_line`](Self::to_line).
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let mut numbers = line.split_whitespace().map_while(|number| number.parse().ok());
        let mut next = || numbers.next();
        Some(Self {
            answers: next()?,
            time: Duration::from_nanos(next()?),
            cpu: Duration::from_nanos(next()?),
            sent: next()?,
        })
    }

    /// Nanoseconds of the server's CPU per answer.
    #[must_use]
    pub fn cpu_per_answer(&self) -> f64 {
        self.cpu.as_nanos() as f64 / self.answers as f64
    }

    /// Answers per second of wall-clock time.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        self.answers as f64 / self.time.as_secs_f64()
    }
}

/// How long to let a server warm up, and how long to measure.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// Before anything is measured.
    pub warm_up: Duration,
    /// While it is.
    pub measured: Duration,
}

impl Span {
    /// Measures for so many seconds, after a fifth of that.
    #[must_use]
    pub fn of_seconds(seconds: f64) -> Self {
        Self {
            warm_up: Duration::from_secs_f64(seconds / 5.0),
            measured: Duration::from_secs_f64(seconds),
        }
    }
}
