//! When each of many connections looks for its peer: not all at the same time.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// The times of one connection's heartbeat.
///
/// Connections that were opened at once must not ping at once, again and again: each looks for the first time after a random
/// part of the interval. Those that were held up at once, with the whole process, would then ping at once: so each has an interval
/// of its own, up to an eighth shorter, by which they drift apart.
pub(super) struct Spread {
    /// Until the first look.
    pub(super) first: Duration,
    pub(super) interval: Duration,
}

impl Spread {
    pub(super) fn of(interval: Duration) -> Self {
        // Random enough, and no system call.
        let random = RandomState::new().hash_one(());
        Self::from_random(interval, [random as u32, (random >> 32) as u32])
    }

    fn from_random(interval: Duration, [first, shorter]: [u32; 2]) -> Self {
        Self {
            first: part(interval, first),
            interval: interval - part(interval / SHORTER, shorter),
        }
    }
}

/// An interval is shorter by up to this part of it.
const SHORTER: u32 = 8;

/// Returns a part of a time: nearly nothing for 0, all of it for the largest number.
fn part(time: Duration, of_all: u32) -> Duration {
    const SECOND: u128 = 1_000_000_000;
    let nanos = (time.as_nanos() * (u128::from(of_all) + 1)) >> u32::BITS;
    Duration::new((nanos / SECOND) as u64, (nanos % SECOND) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_up_to_an_eighth_shorter_and_the_first_look_is_within_it() {
        for interval in [Duration::ZERO, Duration::from_secs(8), Duration::MAX] {
            let times = |random| {
                let Spread { first, interval } = Spread::from_random(interval, random);
                (first, interval)
            };
            let most = interval - interval / SHORTER;
            assert_eq!(times([u32::MAX, u32::MAX]), (interval, most));
            let (first, own) = times([0, 0]);
            assert_eq!(first.as_nanos(), interval.as_nanos() >> u32::BITS);
            assert!(own <= interval && own > most || interval.is_zero(), "{own:?}");
            assert_eq!(times([u32::MAX / 2, 0]).0.as_millis(), interval.as_millis() / 2);
        }
    }

    #[test]
    fn no_two_connections_have_the_same_times() {
        let times = |_| Spread::of(Duration::from_secs(30));
        let mut first: Vec<_> = (0..1000).map(times).map(|spread| spread.first).collect();
        first.sort_unstable();
        first.dedup();
        assert!(first.len() > 990, "{} of 1000", first.len());
    }
}
