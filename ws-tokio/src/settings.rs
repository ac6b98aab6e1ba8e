//! What both roles can set on a connection.

use std::time::Duration;

use tokio::time::Instant;
use ws_core::Limits;

/// The settings of a connection, the same for both roles. Any [`Duration`] is fine in them; [`Duration::MAX`] is never.
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
    /// Four bytes, as each connection keeps them.
    pub(crate) queue_limit: u32,
    pub(crate) high_water: u32,
    pub(crate) close_timeout: Duration,
    pub(crate) write_timeout: Duration,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) heartbeat: Option<(Duration, Duration)>,
    pub(crate) counting: Counting,
}

/// Whether what passes is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counting {
    Off,
    On,
}

impl Settings {
    /// Largest message to receive, in bytes. Default 1 MiB; a peer can make us hold that much. A larger one
    /// closes the connection with 1009.
    #[must_use]
    pub fn max_message(self, bytes: usize) -> Self {
        Self { limits: self.limits.with_message_size(bytes), ..self }
    }

    /// Most fragments in a message to receive. Default 131 072; one more closes the connection with 1008.
    #[must_use]
    pub fn max_fragments(self, fragments: u32) -> Self {
        Self { limits: self.limits.with_fragments(fragments), ..self }
    }

    /// Most bytes queued for sending, up to 4 GiB. Default 1 MiB; a peer that doesn't read can make us hold that much.
    /// Senders wait while the queue is full; a message larger than the limit goes alone into an empty queue.
    #[must_use]
    pub fn queue_limit(self, bytes: usize) -> Self {
        Self { queue_limit: u32::try_from(bytes).unwrap_or(u32::MAX), ..self }
    }

    /// From so many queued bytes on (up to 4 GiB), `feed` starts to write by itself. Default 64 KiB; lower means more system
    /// calls, higher more memory in a burst.
    #[must_use]
    pub fn high_water(self, bytes: usize) -> Self {
        Self { high_water: u32::try_from(bytes).unwrap_or(u32::MAX), ..self }
    }

    /// How long closing may take, all in all: sending our close frame, waiting for the peer's, and waiting up to 250 ms for
    /// the end of its stream. Default 5 s; a peer that doesn't answer can hold the connection for that long. Counted in
    /// milliseconds; what is longer than 49 days is never.
    #[must_use]
    pub fn close_timeout(self, timeout: Duration) -> Self {
        Self { close_timeout: timeout, ..self }
    }

    /// How long the transport may take nothing of what is queued before the connection fails with
    /// [`TimedOut`](std::io::ErrorKind::TimedOut). Default 30 s; a peer that doesn't read can hold a full queue for that
    /// long, and up to twice as long where it read a little in between. Counted in milliseconds; what is longer than 49
    /// days is never.
    #[must_use]
    pub fn write_timeout(self, timeout: Duration) -> Self {
        Self { write_timeout: timeout, ..self }
    }

    /// Closes the connection with 1001 when nothing has arrived for so long, pongs included; where something arrived
    /// early in that time, up to twice as late. A peer that takes what it is sent, more slowly than it is sent, is not
    /// idle. Default off: a silent peer holds its connection for ever.
    #[must_use]
    pub fn idle_timeout(self, timeout: Duration) -> Self {
        Self { idle_timeout: Some(timeout), ..self }
    }

    /// Asks the peer with a ping whether it is still there when nothing has arrived for `interval`, and fails with
    /// [`Error::HeartbeatTimeout`](crate::Error) when nothing arrives for `deadline` after that. Default off: a peer that
    /// vanished without a word is not noticed until something is sent to it.
    ///
    /// The deadline starts when the ping has left the send queue. A peer that takes or gives bytes is alive: where it is
    /// slow to take what is queued, that counts as a sign of life, and [`write_timeout`](Self::write_timeout) says how long
    /// it may take nothing. Where more than 64 KiB were written since something last arrived, the transport may hold them
    /// in front of the ping, and the deadline is at least 30 s.
    ///
    /// The connection must be received from for it to work.
    #[must_use]
    pub fn heartbeat(self, interval: Duration, deadline: Duration) -> Self {
        Self { heartbeat: Some((interval, deadline)), ..self }
    }

    /// Counts what passes, for [`Connection::counters`](crate::Connection::counters). Default off: it costs each
    /// connection about 300 bytes.
    #[must_use]
    pub fn counted(self) -> Self {
        Self { counting: Counting::On, ..self }
    }
}

/// A time in whole milliseconds, as Tokio's timers count it: a quarter of a [`Duration`], for what each connection keeps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Millis(u32);

impl Millis {
    const NEVER: u32 = u32::MAX;

    /// Rounded up; what is longer than 49 days is never.
    pub(crate) fn from(time: Duration) -> Self {
        let millis = time.as_nanos().div_ceil(1_000_000);
        Self(u32::try_from(millis).unwrap_or(Self::NEVER))
    }

    /// [`Duration::MAX`] is never.
    pub(crate) const fn get(self) -> Duration {
        match self.0 {
            Self::NEVER => Duration::MAX,
            millis => Duration::from_millis(millis as u64),
        }
    }
}

/// When so much time has passed; `None` is never: there is no such moment.
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
