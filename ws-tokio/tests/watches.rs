//! Heartbeat, idleness and stalled writes, on a paused clock.

use std::io::ErrorKind;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::{Instant, sleep};
use ws_tokio::{CloseCode, Connection, Error, Negotiated, Role, Settings};

const SECOND: Duration = Duration::from_secs(1);
/// A pong of a client, masked with the key zero.
const PONG: [u8; 6] = *b"\x8a\x80\0\0\0\0";

/// A server, and the raw end of its peer.
fn server(settings: Settings) -> (Connection<DuplexStream>, DuplexStream) {
    server_over(1024, settings)
}

/// The same, over a transport that holds so many bytes itself.
fn server_over(holds: usize, settings: Settings) -> (Connection<DuplexStream>, DuplexStream) {
    let (stream, peer) = duplex(holds);
    let negotiated = Negotiated::default();
    (Connection::from_upgraded(stream, Role::Server, BytesMut::new(), negotiated, settings), peer)
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_asked_and_then_given_up() {
    let (mut server, mut peer) = server(Settings::default().heartbeat(10 * SECOND, 3 * SECOND));
    let begin = Instant::now();
    assert!(matches!(server.recv().await, Err(Error::HeartbeatTimeout)));
    // The first ping comes at any time within the interval.
    assert!((3..=13).contains(&begin.elapsed().as_secs()), "{:?}", begin.elapsed());
    let mut sent = [0; 2];
    peer.read_exact(&mut sent).await.unwrap();
    assert_eq!(sent, *b"\x89\0", "one ping");
    assert!(matches!(server.recv().await, Err(Error::HeartbeatTimeout)), "and it says so again");
    assert!(matches!(server.send("late").await, Err(Error::Io(_))));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_answers_its_pings_stays() {
    let (mut server, mut peer) = server(Settings::default().heartbeat(10 * SECOND, 3 * SECOND));
    let answering = tokio::spawn(async move {
        for _ in 0..20 {
            let mut ping = [0; 2];
            peer.read_exact(&mut ping).await.unwrap();
            peer.write_all(&PONG).await.unwrap();
        }
        peer
    });
    let begin = Instant::now();
    assert!(matches!(server.recv().await, Err(Error::HeartbeatTimeout)));
    assert!(begin.elapsed() > 200 * SECOND);
    answering.await.unwrap();
}

/// When each of many connections pings, so many times each: all were opened at once, and their peers answer at once.
async fn pings_of_many(settings: Settings, times: usize) -> Vec<Vec<Duration>> {
    let begin = Instant::now();
    let pings_of_one = |_| {
        let (mut server, mut peer) = server(settings);
        tokio::spawn(async move { while server.recv().await.is_ok() {} });
        tokio::spawn(async move {
            let mut pings = Vec::new();
            while pings.len() < times {
                peer.read_exact(&mut [0; 2]).await.expect("a ping");
                pings.push(begin.elapsed());
                peer.write_all(&PONG).await.expect("an open pipe");
            }
            pings
        })
    };
    let all: Vec<_> = (0..1000).map(pings_of_one).collect();
    let mut pings = Vec::new();
    for one in all {
        pings.push(one.await.expect("no panic"));
    }
    pings
}

#[tokio::test(start_paused = true)]
async fn connections_that_open_at_once_do_not_ping_at_once() {
    let pings = pings_of_many(Settings::default().heartbeat(10 * SECOND, 3 * SECOND), 5).await;
    for times in &pings {
        assert!(times[0] <= 10 * SECOND + Duration::from_millis(1), "{:?}", times[0]);
        for pair in times.windows(2) {
            let pause = pair[1] - pair[0];
            // The answer counts as a sign of life: the next look is after the deadline, and the next ping an interval later.
            let usual = Duration::from_millis(8_750 + 3_000)..Duration::from_millis(13_010);
            assert!(usual.contains(&pause), "{pause:?}");
        }
    }
    for second in 0..40 {
        let is_in = |time: &&Duration| time.as_secs() == second;
        let count = pings.iter().flatten().filter(is_in).count();
        // 100 in each of the first ten on average; never all.
        assert!(count < 200, "{count} pings in second {second}");
    }
}

#[tokio::test(start_paused = true)]
async fn connections_that_were_held_up_at_once_drift_apart_again() {
    let begin = Instant::now();
    let pings =
        tokio::spawn(pings_of_many(Settings::default().heartbeat(10 * SECOND, 3 * SECOND), 9));
    tokio::task::yield_now().await;
    // The whole process stands still, so that all timers are due.
    tokio::time::advance(100 * SECOND).await;
    let pings = pings.await.unwrap();
    assert!(pings.iter().all(|times| times[0] >= 100 * SECOND), "{:?}", begin.elapsed());
    let most_in_a_second = |number: usize| {
        let second = |times: &Vec<Duration>| times[number].as_secs();
        let count = |at| pings.iter().filter(|times| second(times) == at).count();
        pings.iter().map(second).map(count).max()
    };
    assert_eq!(most_in_a_second(0), Some(1000));
    // Each round adds an eighth of the interval.
    assert!(most_in_a_second(8) < Some(200), "{:?}", most_in_a_second(8));
}

#[tokio::test(start_paused = true)]
async fn pings_keep_their_interval_behind_a_large_message() {
    // More than the transport may still hold when the ping has left; so the answer may take longer.
    let (mut server, mut peer) =
        server_over(1 << 20, Settings::default().heartbeat(SECOND, SECOND));
    server.feed(vec![7; 200_000]).await.unwrap();
    let peer = async move {
        let mut message = vec![0; 10 + 200_000];
        peer.read_exact(&mut message).await.unwrap();
        let begin = Instant::now();
        for _ in 0..10 {
            let mut ping = [0; 2];
            peer.read_exact(&mut ping).await.unwrap();
            peer.write_all(&PONG).await.unwrap();
        }
        begin.elapsed()
    };
    tokio::select! {
        received = server.recv() => panic!("it stays: {received:?}"),
        took = peer => assert!(took <= 21 * SECOND, "a front would think it idle: {took:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn no_ping_is_sent_while_anything_else_arrives() {
    let (mut server, mut peer) = server(Settings::default().heartbeat(10 * SECOND, 3 * SECOND));
    let talking = tokio::spawn(async move {
        for _ in 0..100 {
            peer.write_all(b"\x82\x80\0\0\0\0").await.unwrap();
            sleep(4 * SECOND).await;
        }
        peer
    });
    for _ in 0..100 {
        assert!(server.recv().await.unwrap().is_some());
    }
    drop(server);
    let mut sent = Vec::new();
    talking.await.unwrap().read_to_end(&mut sent).await.unwrap();
    assert_eq!(sent, b"");
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_with_1001() {
    let settings = Settings::default().idle_timeout(60 * SECOND).close_timeout(2 * SECOND);
    let (mut server, mut peer) = server(settings);
    let begin = Instant::now();
    let ended = tokio::spawn(async move { server.recv().await });
    let mut close = [0; 8];
    peer.read_exact(&mut close).await.unwrap();
    assert_eq!((close, begin.elapsed().as_secs()), (*b"\x88\x06\x03\xe9idle", 60));
    peer.write_all(b"\x88\x82\0\0\0\0\x03\xe9").await.unwrap();
    drop(peer);
    assert_eq!(ended.await.unwrap().unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_message_does_not_wind_the_timer_so_that_silence_may_last_up_to_two_periods() {
    let (mut server, mut peer) = server(Settings::default().idle_timeout(10 * SECOND));
    let begin = Instant::now();
    let ended = tokio::spawn(async move { while server.recv().await.unwrap().is_some() {} });
    for _ in 0..4 {
        sleep(SECOND).await;
        peer.write_all(b"\x82\x80\0\0\0\0").await.unwrap();
    }
    let mut close = [0; 8];
    peer.read_exact(&mut close).await.unwrap();
    assert_eq!((close, begin.elapsed().as_secs()), (*b"\x88\x06\x03\xe9idle", 20));
    peer.write_all(b"\x88\x82\0\0\0\0\x03\xe9").await.unwrap();
    drop(peer);
    ended.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_nothing_fails_the_sender_after_the_write_timeout() {
    let (mut server, _peer) = server(Settings::default().write_timeout(30 * SECOND));
    let begin = Instant::now();
    let failed = server.send(vec![7; 1 << 16]).await.unwrap_err();
    assert!(matches!(&failed, Error::Io(error) if error.kind() == ErrorKind::TimedOut), "{failed}");
    assert_eq!(begin.elapsed().as_secs(), 30);
    assert_eq!(server.queued(), 0, "its memory is given back");
    assert!(matches!(server.recv().await, Err(Error::Io(_))));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_slowly_does_not_stall() {
    let (mut server, mut peer) = server(Settings::default().write_timeout(30 * SECOND));
    let reading = tokio::spawn(async move {
        let mut read = 0;
        while read < (1 << 16) + 10 {
            sleep(29 * SECOND).await;
            read += peer.read(&mut [0; 4096]).await.unwrap();
        }
    });
    server.send(vec![7; 1 << 16]).await.unwrap();
    reading.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_stalled_write_is_noticed_by_whoever_receives() {
    let (mut server, _peer) = server(Settings::default().write_timeout(30 * SECOND));
    server.feed(vec![7; 1 << 15]).await.unwrap();
    let begin = Instant::now();
    let failed = server.recv().await.unwrap_err();
    assert!(matches!(&failed, Error::Io(error) if error.kind() == ErrorKind::TimedOut), "{failed}");
    assert_eq!(begin.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn halves_share_their_watches() {
    let (server, mut peer) = server(Settings::default().heartbeat(10 * SECOND, 3 * SECOND));
    let (mut receiving, sending) = server.split();
    let received = tokio::spawn(async move { receiving.recv().await });
    let mut ping = [0; 2];
    peer.read_exact(&mut ping).await.unwrap();
    assert!(matches!(received.await.unwrap(), Err(Error::HeartbeatTimeout)));
    assert!(sending.close(CloseCode::NORMAL, "").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn who_waits_to_write_takes_no_one_for_silent() {
    for settings in [
        Settings::default().heartbeat(10 * SECOND, 5 * SECOND),
        Settings::default().idle_timeout(10 * SECOND),
    ] {
        let (mut server, mut peer) = server(settings);
        server.send(vec![7; 1000]).await.unwrap();
        let reading = tokio::spawn(async move {
            let mut read = 0;
            while read < 2008 {
                sleep(SECOND).await;
                read += peer.read(&mut [0; 10]).await.unwrap();
            }
            peer
        });
        server.send(vec![7; 1000]).await.unwrap();
        reading.await.unwrap();
    }
}

/// Reads a mebibyte a second, and answers each ping once it comes to it, until so many bytes were read.
async fn reads_slowly(mut peer: DuplexStream, len: usize) -> DuplexStream {
    const STEP: usize = 64 << 10;
    let mut read = Vec::new();
    while read.len() < len {
        sleep(SECOND / 16).await;
        let before = read.len();
        let mut step = (&mut peer).take(STEP as u64);
        step.read_buf(&mut read).await.expect("an open pipe");
        if read[before..].windows(2).any(|it| it == b"\x89\0") {
            peer.write_all(&PONG).await.expect("an open pipe");
        }
    }
    peer
}

/// A transfer of 6 MiB that takes 6 s, under a heartbeat of a second, over a transport that holds so much itself.
async fn transfer(holds: usize, transfer: impl AsyncFnOnce(Connection<DuplexStream>)) {
    let settings = Settings::default().heartbeat(SECOND, SECOND);
    let (server, mut peer) = server_over(holds, settings);
    peer.write_all(b"\x82\x80\0\0\0\0").await.expect("an open pipe");
    let begin = Instant::now();
    let reading = tokio::spawn(reads_slowly(peer, LARGE + 10));
    transfer(server).await;
    reading.await.expect("no panic");
    assert!(begin.elapsed() > 5 * SECOND);
}

const LARGE: usize = 6 << 20;

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_bytes_is_alive_although_the_ping_is_behind_them() {
    for holds in [1 << 10, 1 << 18, 5 << 19, 1 << 23] {
        transfer(holds, async |server| {
            let (mut receiving, sending) = server.split();
            let received = tokio::spawn(async move {
                while receiving.recv().await?.is_some() {}
                Ok::<_, Error>(())
            });
            sending.send(vec![7; LARGE]).await.unwrap();
            // What the transport holds the peer takes later.
            sleep(4 * SECOND).await;
            assert!(matches!(
                received.await.unwrap(),
                Err(Error::HeartbeatTimeout | Error::Cut(_))
            ));
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_what_run_sends_slowly_is_alive() {
    for holds in [1 << 10, 1 << 18, 5 << 19] {
        transfer(holds, async |mut server| {
            let ran = server.run(|_, outbox| outbox.send(&vec![7; LARGE][..])).await;
            assert!(matches!(ran, Err(Error::HeartbeatTimeout | Error::Cut(_))), "{ran:?}");
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_slowly_is_not_idle() {
    let settings = Settings::default().idle_timeout(SECOND);
    let (mut server, peer) = server_over(1 << 10, settings);
    server.outbox().send(&vec![7; LARGE][..]).unwrap();
    let reading = tokio::spawn(reads_slowly(peer, LARGE + 10));
    let ended = tokio::spawn(async move { server.recv().await });
    reading.await.unwrap();
    assert!(ended.await.unwrap().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_nothing_any_more_is_given_up_however_much_it_took() {
    let settings = Settings::default().heartbeat(SECOND, SECOND);
    let (mut server, peer) = server_over(1 << 16, settings);
    server.outbox().send(&vec![7; LARGE][..]).unwrap();
    let reading = tokio::spawn(reads_slowly(peer, LARGE / 2));
    let begin = Instant::now();
    let ended = server.recv().await;
    assert!(
        matches!(&ended, Err(Error::Io(error)) if error.kind() == ErrorKind::TimedOut),
        "{ended:?}"
    );
    assert!((30..=70).contains(&begin.elapsed().as_secs()), "{:?}", begin.elapsed());
    drop(reading);
}

/// From nothing to never, and all that overflows somewhere between.
fn any_durations() -> impl Iterator<Item = Duration> {
    let secs = [0, 1, 60 * 60 * 24 * 50, 1 << 33, 1 << 40, i64::MAX as u64, u64::MAX];
    let nanos = [0, 1, 999_999_999];
    secs.into_iter().flat_map(move |secs| nanos.map(|nanos| Duration::new(secs, nanos)))
}

/// Only what was written since the peer was last heard may be in front of a ping.
#[tokio::test(start_paused = true)]
async fn a_peer_that_took_much_and_was_heard_since_is_given_up_after_the_deadline() {
    let settings = Settings::default().heartbeat(10 * SECOND, 3 * SECOND);
    let (mut server, mut peer) = server_over(1 << 20, settings);
    server.send(vec![0; 200_000]).await.unwrap();
    peer.read_exact(&mut vec![0; 200_010]).await.unwrap();
    let heard = tokio::spawn(async move {
        // In two periods: the first one's answer may be older than what was written in it.
        for _ in 0..2 {
            peer.write_all(b"\x82\x80\0\0\0\0").await.unwrap();
            sleep(11 * SECOND).await;
        }
        peer
    });
    server.recv().await.unwrap();
    server.recv().await.unwrap();
    let _peer = heard.await.unwrap();
    let begin = Instant::now();
    assert!(matches!(server.recv().await, Err(Error::HeartbeatTimeout)));
    assert!(begin.elapsed() < 30 * SECOND, "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn any_duration_is_fine_everywhere() {
    for any in any_durations() {
        let settings = Settings::default()
            .heartbeat(any, any)
            .idle_timeout(any)
            .write_timeout(any)
            .close_timeout(any);
        for settings in [settings, settings.heartbeat(SECOND, any), settings.heartbeat(any, SECOND)]
        {
            let (mut server, mut peer) = server(settings);
            server.feed(vec![7; 2000]).await.unwrap();
            peer.write_all(b"\x82\x80\0\0\0\0").await.unwrap();
            _ = server.recv().await;
            _ = tokio::time::timeout(Duration::from_millis(1), server.recv()).await;
            let closed = server.close(CloseCode::NORMAL, "");
            _ = tokio::time::timeout(Duration::from_secs(100), closed).await;
        }
        let tracker = ws_tokio::Tracker::new();
        let ticket = tracker.enter();
        _ = tokio::time::timeout(Duration::from_millis(1), tracker.shutdown(any)).await;
        drop(ticket);
        let accept = ws_tokio::AcceptOptions::default().handshake_timeout(any);
        let connect = ws_tokio::ConnectOptions::default().handshake_timeout(any);
        _ = ws_tokio::pipe_with(&connect, &accept, 1024).await;
    }
}

#[tokio::test(start_paused = true)]
async fn never_is_never() {
    let settings = Settings::default()
        .heartbeat(Duration::MAX, Duration::MAX)
        .idle_timeout(Duration::MAX)
        .write_timeout(Duration::MAX)
        .close_timeout(Duration::MAX);
    let (mut server, _peer) = server(settings);
    server.feed(vec![7; 2000]).await.unwrap();
    let years = Duration::from_secs(60 * 60 * 24 * 365 * 2);
    assert!(tokio::time::timeout(years, server.recv()).await.is_err());
    let closed = server.close(CloseCode::NORMAL, "");
    assert!(tokio::time::timeout(years, closed).await.is_err());
}
