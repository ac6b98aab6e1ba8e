//! Connection settings.

use std::time::Duration;

use tokio::time::Instant;
use ws_core::Limits;

/// Settings of a connection, the same for both roles. Any [`Duration`] is valid; [`Duration::MAX`] means never.
///
/// ```
/// use std::time::Duration;
/// use ws_tokio::Settings;
///
/// let settings = Settings::default().max_message(64 << 20).close_timeout(Duration::from_secs(1));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub(crate) limits: Limits,
    /// Four bytes each, because every connection stores them.
    pub(crate) queue_limit: u32,
    pub(crate) high_water: u32,
    pub(crate) close_timeout: Duration,
    pub(crate) write_timeout: Duration,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) heartbeat: Option<(Duration, Duration)>,
    pub(crate) counting: Counting,
}

/// Whether traffic is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counting {
    Off,
    On,
}

impl Settings {
    /// Sets the maximum size of received messages, in bytes. Default 1 MiB, which a peer can make a connection hold. A
    /// larger message closes the connection with 1009.
    #[must_use]
    pub fn max_message(self, bytes: usize) -> Self {
        Self { limits: self.limits.with_message_size(bytes), ..self }
    }

    /// Sets the maximum number of fragments per message. Default 131 072; one more closes the connection with 1008.
    #[must_use]
    pub fn max_fragments(self, fragments: u32) -> Self {
        Self { limits: self.limits.with_fragments(fragments), ..self }
    }

    /// Sets the maximum number of bytes queued for sending, up to 4 GiB. Default 1 MiB, which a peer that doesn't read
    /// can make a connection hold. Senders wait while the queue is full. A message longer than the limit is queued once
    /// the queue is empty.
    #[must_use]
    pub fn queue_limit(self, bytes: usize) -> Self {
        Self { queue_limit: u32::try_from(bytes).unwrap_or(u32::MAX), ..self }
    }

    /// Sets the number of queued bytes at which `feed` starts to write, up to 4 GiB. Default 64 KiB. A lower value
    /// costs more system calls, a higher one more memory per burst.
    #[must_use]
    pub fn high_water(self, bytes: usize) -> Self {
        Self { high_water: u32::try_from(bytes).unwrap_or(u32::MAX), ..self }
    }

    /// Sets the timeout for closing: sending our close frame, waiting for the peer's, and waiting up to 250 ms for the
    /// end of its stream. Default 5 s, for which a peer that doesn't answer can hold the connection. Rounded up to
    /// milliseconds; more than 49 days means never.
    #[must_use]
    pub fn close_timeout(self, timeout: Duration) -> Self {
        Self { close_timeout: timeout, ..self }
    }

    /// Sets how long the transport may accept nothing before the connection fails with
    /// [`TimedOut`](std::io::ErrorKind::TimedOut). Default 30 s, for which a peer that doesn't read can hold a full
    /// queue; twice as long if it reads a little meanwhile. Rounded up to milliseconds; more than 49 days means never.
    #[must_use]
    pub fn write_timeout(self, timeout: Duration) -> Self {
        Self { write_timeout: timeout, ..self }
    }

    /// Closes the connection with 1001 if nothing, not even a pong, arrives for this long; up to twice as long if
    /// something arrived early in the period. A peer that reads slowly is not idle. Default off: a silent peer can hold
    /// its connection forever.
    #[must_use]
    pub fn idle_timeout(self, timeout: Duration) -> Self {
        Self { idle_timeout: Some(timeout), ..self }
    }

    /// Pings the peer if nothing arrives for `interval`, and fails the connection with
    /// [`Error::HeartbeatTimeout`](crate::Error) if nothing arrives within `deadline` after that. Default off: a
    /// vanished peer is noticed only when something is sent to it.
    ///
    /// Connections that are opened at the same time don't ping at the same time: each has an interval of its own, up to an
    /// eighth shorter than `interval`, and the first one is a random part of it.
    ///
    /// The deadline starts when the ping has left the send queue. A peer that accepts or sends bytes is alive: while it
    /// slowly accepts queued bytes, [`write_timeout`](Self::write_timeout) applies instead. If more than 64 KiB were
    /// written since something last arrived, the transport may hold them before the ping, and the deadline is at least
    /// 30 s.
    ///
    /// Ping to ping, an idle peer that answers is asked every one to two of these intervals: its answer counts as something that arrived.
    ///
    /// The heartbeat works only while a task receives from the connection.
    #[must_use]
    pub fn heartbeat(self, interval: Duration, deadline: Duration) -> Self {
        Self { heartbeat: Some((interval, deadline)), ..self }
    }

    /// Counts traffic for [`Connection::counters`](crate::Connection::counters). Default off: it costs about 300 bytes
    /// per connection.
    #[must_use]
    pub fn counted(self) -> Self {
        Self { counting: Counting::On, ..self }
    }
}

/// A time in whole milliseconds, the resolution of Tokio's timers: a quarter of the size of a [`Duration`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Millis(u32);

impl Millis {
    const NEVER: u32 = u32::MAX;

    /// Rounds up. More than 49 days means never.
    pub(crate) fn from(time: Duration) -> Self {
        let millis = time.as_nanos().div_ceil(1_000_000);
        Self(u32::try_from(millis).unwrap_or(Self::NEVER))
    }

    /// Returns the duration; [`Duration::MAX`] for never.
    pub(crate) const fn get(self) -> Duration {
        match self.0 {
            Self::NEVER => Duration::MAX,
            millis => Duration::from_millis(millis as u64),
        }
    }
}

/// Returns the instant after this much time; `None` (never) if the clock doesn't reach that far.
pub(crate) fn after(time: Duration) -> Option<Instant> {
    Instant::now().checked_add(time)
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            queue_limit: 1 << 20,
            high_water: 64 << 10,
            close_timeout: Duration::from_secs(5),
            write_timeout: Duration::from_secs(30),
            idle_timeout: None,
            heartbeat: None,
            counting: Counting::Off,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_rounded_up_to_a_millisecond_and_beyond_49_days_it_is_never() {
        let kept = |time| Millis::from(time).get();
        assert_eq!(kept(Duration::ZERO), Duration::ZERO);
        assert_eq!(kept(Duration::from_nanos(1)), Duration::from_millis(1));
        assert_eq!(kept(Duration::from_secs(5)), Duration::from_secs(5));
        assert_eq!(kept(Duration::from_secs(49 * 24 * 60 * 60)).as_secs(), 49 * 24 * 60 * 60);
        assert_eq!(kept(Duration::from_secs(50 * 24 * 60 * 60)), Duration::MAX);
        assert_eq!(kept(Duration::MAX), Duration::MAX);
    }
}
