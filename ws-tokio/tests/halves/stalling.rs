//! Peers that stall, never answer, or reset: closing ends in time, and only what stands still is given up.

use std::io::ErrorKind;
use std::time::Duration;

use tokio::io::{AsyncWriteExt, DuplexStream};
use tokio::time::{Instant, sleep, timeout};
use ws_tokio::{CloseCode, Error, Role, Settings};

use crate::closing::{answer, halves};
use crate::gated::gated;
use crate::settle;
use crate::support::memory::over;
use crate::support::tcp;
use crate::support::wire::{ROLES, close, frame, peer_of};

/// How closing ends, and after how many seconds, beside a peer that did this.
async fn ends(
    us: Role,
    receives: bool,
    peer: impl AsyncFnOnce(&mut DuplexStream),
) -> (Result<(), Error>, u64) {
    let (receiving, sending, mut stream) = halves(us);
    peer(&mut stream).await;
    let receiving = receives.then_some(receiving);
    let received = receiving
        .map(|mut half| tokio::spawn(async move { while let Ok(Some(_)) = half.recv().await {} }));
    settle().await;
    let since = Instant::now();
    let closed = sending.close(CloseCode::NORMAL, "").await;
    if let Some(received) = received {
        received.await.expect("no panic");
    }
    (closed, since.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_stalls_in_a_frame_or_never_answers_holds_close_for_5_seconds() {
    for us in ROLES {
        for receives in [true, false] {
            let silent = async |_: &mut DuplexStream| {};
            let stalls = async |stream: &mut DuplexStream| {
                stream.write_all(&frame(peer_of(us), 0x82, &[7; 1000])[..500]).await.unwrap();
            };
            let stalls_in_header = async |stream: &mut DuplexStream| {
                stream.write_all(&frame(peer_of(us), 0x82, &[7; 1000])[..3]).await.unwrap();
            };
            for (closed, took) in [
                ends(us, receives, silent).await,
                ends(us, receives, stalls).await,
                ends(us, receives, stalls_in_header).await,
            ] {
                assert!(matches!(closed, Err(Error::CloseTimeout)), "{closed:?}");
                assert_eq!(took, 5);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn close_ends_in_time_also_where_the_receiving_half_is_kept_and_never_polled() {
    let (_receiving, sending, mut peer) = halves(Role::Server);
    answer(&mut peer, Role::Server).await;
    let since = Instant::now();
    let closed = sending.close(CloseCode::NORMAL, "").await;
    assert!(matches!(closed, Err(Error::CloseTimeout)));
    assert_eq!(since.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_is_the_first_closes_however_many_follow() {
    let (mut receiving, sending, _peer) = halves(Role::Client);
    let since = Instant::now();
    for _ in 0..3 {
        let close = sending.close(CloseCode::NORMAL, "");
        assert!(timeout(Duration::from_secs(1), close).await.is_err());
    }
    assert!(matches!(receiving.recv().await, Err(Error::CloseTimeout)));
    assert_eq!(since.elapsed().as_secs(), 5);
}

#[tokio::test]
async fn a_peer_that_resets_ends_close_for_everybody() {
    for us in ROLES {
        for receives in [true, false] {
            let (connection, peer) = tcp::connection(us, Settings::default()).await;
            let (receiving, sending) = connection.split();
            let receiving = receives.then_some(receiving);
            let received = receiving.map(|mut half| tokio::spawn(async move { half.recv().await }));
            let closes = sending.clone();
            let closing = tokio::spawn(async move { closes.close(CloseCode::NORMAL, "").await });
            settle().await;
            peer.set_zero_linger().unwrap();
            drop(peer);
            let closed = closing.await.unwrap();
            assert!(matches!(closed, Err(Error::Cut(Some(_)))), "{closed:?}");
            if let Some(received) = received {
                assert!(matches!(received.await.unwrap(), Err(Error::Cut(Some(_)))));
            }
            assert!(matches!(sending.close(CloseCode::NORMAL, "").await, Err(Error::Cut(Some(_)))));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_goes_on_is_not_stalled_however_long_ago_another_one_waited() {
    let (stream, gate) = gated();
    let settings = Settings::default().queue_limit(100).high_water(1000);
    let mut connection = over(stream, Role::Server, settings);
    for _ in 0..5 {
        connection.feed(vec![7; 90]).await.unwrap();
        // It waits, and gets room: the queue is never empty.
        let (fed, ()) = tokio::join!(connection.feed(vec![7; 60]), async { gate.take(70) });
        fed.unwrap();
        sleep(Duration::from_secs(100)).await;
        let waits = timeout(Duration::from_secs(20), connection.feed(vec![7; 90])).await;
        assert!(waits.is_err(), "it waits for 20 seconds only: {waits:?}");
        gate.take(usize::MAX);
        connection.flush().await.unwrap();
        gate.take_no_more();
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_stands_still_ends_the_connection_after_30_seconds_for_all_halves() {
    for us in ROLES {
        let (stream, gate) = gated();
        let (mut receiving, sending) = over(stream, us, Settings::default()).split();
        let received = tokio::spawn(async move { receiving.recv().await });
        let since = Instant::now();
        let sends = sending.clone();
        let sent = tokio::spawn(async move { sends.send("stuck").await });
        sleep(Duration::from_secs(20)).await;
        gate.take(1);
        let stuck =
            |ended: Error| matches!(ended, Error::Io(it) if it.kind() == ErrorKind::TimedOut);
        assert!(stuck(sent.await.unwrap().unwrap_err()));
        assert!(stuck(received.await.unwrap().unwrap_err()));
        assert_eq!(since.elapsed().as_secs(), 60, "a byte went in the first 30 seconds");
        assert!(stuck(sending.send("x").await.unwrap_err()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_failed_is_not_taken_for_one_that_stands_still() {
    // Who notices: a flush, or a message to a queue that is high.
    for (us, notices) in ROLES.into_iter().flat_map(|us| [(us, "flush"), (us, "feed")]) {
        let (stream, gate) = gated();
        let mut connection = over(stream, us, Settings::default().high_water(1));
        gate.take(1);
        assert!(timeout(Duration::from_secs(1), connection.send("cut")).await.is_err());
        gate.fail_writes(ErrorKind::BrokenPipe);
        let noticed = match notices {
            "flush" => connection.flush().await,
            _ => connection.feed("next").await,
        };
        let broken = noticed.unwrap_err();
        assert!(matches!(broken, Error::Io(it) if it.kind() == ErrorKind::BrokenPipe));
        let waits = timeout(Duration::from_secs(100), connection.recv()).await;
        assert!(waits.is_err(), "the peer may still say why: {waits:?}");
        gate.give(&close(peer_of(us), 1011, "out of memory"));
        let closed = connection.recv().await.unwrap_err();
        assert!(matches!(closed, Error::Closed(frame) if frame.reason() == "out of memory"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_was_there_is_neither_idle_nor_lost_because_nobody_looked_for_long() {
    let seconds = Duration::from_secs;
    for settings in [
        Settings::default().idle_timeout(seconds(10)),
        Settings::default().heartbeat(seconds(10), seconds(5)),
    ] {
        let (stream, gate) = gated();
        let mut connection = over(stream, Role::Server, settings);
        gate.take(usize::MAX);
        assert!(timeout(seconds(1), connection.recv()).await.is_err());
        gate.give(&frame(Role::Client, 0x81, b"here"));
        sleep(seconds(1000)).await;
        assert_eq!(connection.recv().await.unwrap(), Some("here".into()));
        let waits = timeout(seconds(8), connection.recv()).await;
        assert!(waits.is_err(), "something was heard less than 10 seconds ago: {waits:?}");
    }
}
