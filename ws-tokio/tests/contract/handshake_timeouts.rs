//! Any duration is a timeout of the handshake, on either side: none panics, and the longest is never.

use std::time::Duration;

use tokio::io::duplex;
use tokio::time::{Instant, timeout};
use ws_tokio::{AcceptError, AcceptOptions, ConnectError, ConnectOptions, Step, pipe_with};

use crate::support::memory::{self, PIPE};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

const DURATIONS: [Duration; 7] = [
    Duration::ZERO,
    Duration::from_nanos(1),
    Duration::from_secs(1),
    Duration::from_secs(60 * 24 * 60 * 60),
    Duration::from_secs(1 << 40),
    Duration::from_secs(u64::MAX / 2),
    Duration::MAX,
];

#[tokio::test]
async fn any_timeout_that_is_long_enough_lets_a_handshake_through() {
    for time in &DURATIONS[2..] {
        let connect = ConnectOptions::default().handshake_timeout(*time);
        let accept = AcceptOptions::default().handshake_timeout(*time);
        pipe_with(&connect, &accept, 64).await.expect("a handshake");
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_waited_for_as_long_as_was_said_and_no_longer() {
    for time in &DURATIONS[..4] {
        let (near, mut far) = duplex(PIPE);
        let since = Instant::now();
        let accepted = AcceptOptions::default().handshake_timeout(*time).accept(near).await;
        assert!(matches!(accepted, Err(AcceptError::Silent)));
        assert!(memory::read_to_end(&mut far).await.is_empty());
        let (near, _far) = duplex(PIPE);
        let options = ConnectOptions::default().handshake_timeout(*time);
        let connected = options.connect_over(near, "ws://a/").await;
        assert!(matches!(connected, Err(ConnectError::Timeout(Step::Handshake))));
        let took = since.elapsed();
        assert!(took >= *time * 2 && took <= *time * 2 + Duration::from_millis(4), "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn never_is_never() {
    for time in &DURATIONS[4..] {
        let (near, _far) = duplex(PIPE);
        let options = AcceptOptions::default().handshake_timeout(*time);
        assert!(timeout(100 * 365 * DAY, options.accept(near)).await.is_err(), "{time:?}");
        let (near, _far) = duplex(PIPE);
        let options = ConnectOptions::default().handshake_timeout(*time);
        let connected = timeout(100 * 365 * DAY, options.connect_over(near, "ws://a/")).await;
        assert!(connected.is_err(), "{time:?}");
    }
}
