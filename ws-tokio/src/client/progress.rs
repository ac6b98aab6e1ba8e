//! How far connecting has come, for the error of one that takes too long.

use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};

/// A step of connecting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Looking up the host's addresses.
    Resolve,
    /// Opening the stream.
    Dial,
    /// Asking a proxy for a tunnel.
    Proxy,
    /// The TLS handshake.
    Tls,
    /// The WebSocket handshake.
    Handshake,
}

/// The step under way. Atomic only because the future that holds it may change threads.
pub(super) struct Progress(AtomicU8);

impl Progress {
    pub(super) const fn new() -> Self {
        Self(AtomicU8::new(Step::Handshake as u8))
    }

    pub(super) fn begin(&self, step: Step) {
        self.0.store(step as u8, Ordering::Relaxed);
    }

    pub(super) fn step(&self) -> Step {
        let steps = [Step::Resolve, Step::Dial, Step::Proxy, Step::Tls, Step::Handshake];
        steps[usize::from(self.0.load(Ordering::Relaxed))]
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "looking up the host",
            Self::Dial => "opening the stream",
            Self::Proxy => "asking the proxy",
            Self::Tls => "the TLS handshake",
            Self::Handshake => "the WebSocket handshake",
        })
    }
}
