//! How fast one member may talk: a bucket of tokens, so that a burst is fine and a flood is not.

use std::time::{Duration, Instant};

/// Tokens in a full bucket: the longest burst.
const FULL: f64 = 40.0;
/// Tokens that come back each second. A short message costs one.
pub(crate) const PER_SECOND: u32 = 20;
/// Bytes that cost one token more.
const BYTES: usize = 128 << 10;

/// The tokens of one member.
pub(crate) struct Pace {
    tokens: f64,
    at: Instant,
}

impl Pace {
    pub(crate) fn new(now: Instant) -> Self {
        Self { tokens: FULL, at: now }
    }

    /// Pays for a message of this length; false if that is too fast.
    pub(crate) fn allows(&mut self, bytes: usize, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.at).min(Duration::from_secs(3600));
        self.at = now;
        self.tokens = (self.tokens + passed.as_secs_f64() * f64::from(PER_SECOND)).min(FULL);
        // The longest message is never too expensive for a full bucket.
        let price = (1.0 + (bytes / BYTES) as f64).min(FULL);
        self.tokens -= price;
        self.tokens >= 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::MAX_MESSAGE;

    #[test]
    fn a_burst_is_allowed_and_a_flood_is_not() {
        let now = Instant::now();
        let mut pace = Pace::new(now);
        assert!((0..40).all(|_| pace.allows(100, now)));
        assert!(!pace.allows(100, now));
    }

    #[test]
    fn twenty_each_second_are_allowed_for_ever() {
        let now = Instant::now();
        let mut pace = Pace::new(now);
        for n in 0..10_000 {
            assert!(pace.allows(100, now + Duration::from_millis(50) * n));
        }
    }

    #[test]
    fn the_longest_message_is_allowed_to_those_who_were_silent() {
        let now = Instant::now();
        let mut pace = Pace::new(now);
        assert!(pace.allows(MAX_MESSAGE, now));
        assert!(!pace.allows(MAX_MESSAGE, now));
    }
}
