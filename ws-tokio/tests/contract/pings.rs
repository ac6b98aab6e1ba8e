//! Pings and pongs, which never reach the user.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::sleep;
use ws_tokio::{CloseCode, EncodeError, Error, Ping, PingReply, Role, Settings};

use crate::support::memory::{self, read_some, waits};
use crate::support::parse::frames;
use crate::support::wire::{ROLES, close, frame, peer_of};

#[tokio::test]
async fn pings_are_answered_in_order_each_with_its_payload() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        let payloads: Vec<_> = (0..20).map(|n| vec![n; usize::from(n) * 125 / 19]).collect();
        for payload in &payloads {
            peer.write_all(&frame(peer_of(us), 0x89, payload)).await.unwrap();
        }
        assert!(waits(connection.recv()).await);
        let pongs: Vec<_> = payloads.into_iter().map(|payload| (0x8a, payload)).collect();
        assert_eq!(frames(us, &read_some(&mut peer).await), pongs);
    }
}

/// Not only by the next call: there may be none.
#[tokio::test]
async fn a_ping_resolves_by_the_call_that_reads_its_pong_although_that_returns_a_message() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        let ping = connection.ping().unwrap();
        connection.flush().await.unwrap();
        let payload = ping_payload(&mut peer, us).await;
        let mut wire = frame(peer_of(us), 0x8a, &payload);
        wire.extend(frame(peer_of(us), 0x81, b"hi"));
        peer.write_all(&wire).await.unwrap();
        assert_eq!(connection.recv().await.unwrap(), Some("hi".into()));
        assert!(ping.now_or_never().is_some_and(|answered| answered.is_ok()));
    }
}

/// Sends pings with the numbers below `most`, then a message, and never reads.
async fn flood(peer: &mut (impl AsyncWriteExt + Unpin), role: Role, most: u32) {
    for thousand in (0..most).collect::<Vec<_>>().chunks(1000) {
        let pings = thousand.iter().flat_map(|n| frame(role, 0x89, &n.to_be_bytes()));
        peer.write_all(&pings.collect::<Vec<_>>()).await.expect("we read on");
    }
    peer.write_all(&frame(role, 0x81, b"done")).await.expect("we read on");
}

#[tokio::test]
async fn of_a_flood_of_pings_4_kib_of_pongs_are_owed_in_order_and_then_the_newest() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        let received = async { connection.recv().await.unwrap() };
        tokio::join!(received, flood(&mut peer, peer_of(us), 200_000));
        assert!(connection.queued() <= 4096 + 10, "{} bytes are queued", connection.queued());
        let flushed = async {
            connection.flush().await.unwrap();
            drop(connection);
        };
        let ((), read) = tokio::join!(flushed, memory::read_to_end(&mut peer));
        let numbers = frames(us, &read).into_iter().map(|(_, payload)| payload.try_into());
        let pongs: Vec<_> = numbers.map(|it| u32::from_be_bytes(it.unwrap())).collect();
        let in_order = 4096 / frame(us, 0x8a, &[0; 4]).len();
        assert!(pongs.iter().copied().take(in_order).eq(0..in_order as u32));
        assert!(pongs.is_sorted_by(|a, b| a < b), "none twice");
        assert_eq!(pongs.last(), Some(&199_999));
    }
}

/// The payload of the ping that the peer reads.
async fn ping_payload(peer: &mut tokio::io::DuplexStream, us: Role) -> Vec<u8> {
    let [(0x89, payload)] = &frames(us, &read_some(peer).await)[..] else { panic!("no ping") };
    payload.clone()
}

#[tokio::test(start_paused = true)]
async fn a_ping_resolves_with_the_time_until_its_pong_is_read() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        let ping = connection.ping().unwrap();
        let answered = async {
            let payload = ping_payload(&mut peer, us).await;
            sleep(Duration::from_secs(3)).await;
            peer.write_all(&frame(peer_of(us), 0x8a, &payload)).await.unwrap();
            ping.await.unwrap()
        };
        let round_trip = tokio::select! {
            round_trip = answered => round_trip,
            received = connection.recv() => panic!("{received:?}"),
        };
        assert_eq!(round_trip.as_secs(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_can_ping_and_the_time_is_known_while_it_runs_on() {
    for us in ROLES {
        let settings = Settings::default().counted();
        let (mut connection, mut peer) = memory::connection(us, settings);
        let (pings, mut pinged) = mpsc::unbounded_channel::<Ping>();
        peer.write_all(&frame(peer_of(us), 0x81, b"ping")).await.unwrap();
        let answered = async {
            let payload = ping_payload(&mut peer, us).await;
            sleep(Duration::from_secs(3)).await;
            peer.write_all(&frame(peer_of(us), 0x8a, &payload)).await.unwrap();
            pinged.recv().await.unwrap().await.unwrap()
        };
        let round_trip = tokio::select! {
            round_trip = answered => round_trip,
            ran = connection.run(|_, outbox| pings.send(outbox.ping().unwrap()).unwrap()) => {
                panic!("{ran:?}")
            }
        };
        assert_eq!(round_trip.as_secs(), 3);
        assert_eq!(connection.counters().unwrap().round_trip, Some(round_trip));
    }
}

#[tokio::test]
async fn pings_of_a_handler_and_of_the_connection_are_of_one_series() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        let first = connection.outbox().ping().unwrap();
        let second = connection.ping().unwrap();
        connection.flush().await.unwrap();
        let sent = frames(us, &read_some(&mut peer).await);
        assert_eq!(sent.len(), 2);
        peer.write_all(&frame(peer_of(us), 0x8a, &sent[1].1)).await.unwrap();
        assert!(waits(connection.recv()).await);
        first.await.unwrap();
        second.await.unwrap();
        let unanswered = connection.outbox().ping().unwrap();
        connection.outbox().close(CloseCode::NORMAL, "").unwrap();
        let refused = connection.outbox().ping();
        assert!(matches!(refused, Err(Error::Send(EncodeError::Closed))));
        connection.close_now();
        assert!(matches!(unanswered.await, Err(Error::Cut(_))));
    }
}

#[tokio::test]
async fn a_pong_answers_the_pings_before_its_own_and_a_foreign_one_none() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        let mut first = connection.ping().unwrap();
        connection.flush().await.unwrap();
        ping_payload(&mut peer, us).await;
        let second = connection.ping().unwrap();
        connection.flush().await.unwrap();
        let newest = ping_payload(&mut peer, us).await;
        let mut third = connection.ping().unwrap();
        for foreign in [&b"unasked"[..], b"", &[0; 8], &[0xff; 8]] {
            peer.write_all(&frame(peer_of(us), 0x8a, foreign)).await.unwrap();
        }
        assert!(waits(connection.recv()).await && waits(&mut first).await);
        peer.write_all(&frame(peer_of(us), 0x8a, &newest)).await.unwrap();
        assert!(waits(connection.recv()).await);
        first.await.unwrap();
        second.await.unwrap();
        assert!(waits(&mut third).await);
    }
}

#[tokio::test]
async fn a_ping_that_is_dropped_is_forgotten_and_the_next_one_resolves() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        drop(connection.ping().unwrap());
        connection.flush().await.unwrap();
        let forgotten = ping_payload(&mut peer, us).await;
        let ping = connection.ping().unwrap();
        connection.flush().await.unwrap();
        let payload = ping_payload(&mut peer, us).await;
        for pong in [forgotten, payload] {
            peer.write_all(&frame(peer_of(us), 0x8a, &pong)).await.unwrap();
        }
        assert!(waits(connection.recv()).await);
        ping.await.unwrap();
    }
}

#[tokio::test]
async fn a_ping_without_a_pong_fails_when_the_connection_ends() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        let ping = connection.ping().unwrap();
        peer.write_all(&close(peer_of(us), 1000, "")).await.unwrap();
        peer.shutdown().await.unwrap();
        assert_eq!(connection.recv().await.unwrap(), None);
        assert!(matches!(ping.await, Err(Error::Cut(_))));
    }
}

#[tokio::test]
async fn no_pong_follows_a_close_frame() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        assert!(waits(connection.close(CloseCode::NORMAL, "")).await);
        peer.write_all(&frame(peer_of(us), 0x89, b"late")).await.unwrap();
        assert!(waits(connection.recv()).await);
        drop(connection);
        let mut read = Vec::new();
        peer.read_to_end(&mut read).await.unwrap();
        assert_eq!(frames(us, &read), [(0x88, b"\x03\xe8".to_vec())]);
    }
}

/// Payloads, as a callback was told of them.
type Told = Arc<Mutex<Vec<Vec<u8>>>>;

#[tokio::test]
async fn a_callback_hears_of_every_ping_and_may_withhold_its_pong() {
    for us in ROLES {
        let told = Told::default();
        let heard = told.clone();
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        connection.on_ping(move |payload| {
            heard.lock().unwrap().push(payload.to_vec());
            if payload == b"secret" { PingReply::Withheld } else { PingReply::Pong }
        });
        for payload in [&b"one"[..], b"secret", b""] {
            peer.write_all(&frame(peer_of(us), 0x89, payload)).await.unwrap();
        }
        assert!(waits(connection.recv()).await);
        assert_eq!(*told.lock().unwrap(), [&b"one"[..], b"secret", b""]);
        let pongs = [(0x8a, b"one".to_vec()), (0x8a, Vec::new())];
        assert_eq!(frames(us, &read_some(&mut peer).await), pongs);
    }
}

#[tokio::test]
async fn a_callback_hears_of_every_pong_asked_for_or_not() {
    for us in ROLES {
        let told = Told::default();
        let heard = told.clone();
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        connection.on_pong(move |payload| heard.lock().unwrap().push(payload.into()));
        let ping = connection.ping().unwrap();
        connection.flush().await.unwrap();
        let asked = ping_payload(&mut peer, us).await;
        for payload in [&b"unasked"[..], &asked] {
            peer.write_all(&frame(peer_of(us), 0x8a, payload)).await.unwrap();
        }
        assert!(waits(connection.recv()).await);
        ping.await.unwrap();
        assert_eq!(*told.lock().unwrap(), [b"unasked".to_vec(), asked]);
    }
}

#[tokio::test]
async fn callbacks_hear_of_no_close_frame_and_change_nothing_about_it() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        connection.on_ping(|payload| panic!("no ping: {payload:?}"));
        connection.on_pong(|payload| panic!("no pong: {payload:?}"));
        peer.write_all(&close(peer_of(us), 1000, "bye")).await.unwrap();
        peer.shutdown().await.unwrap();
        assert_eq!(connection.recv().await.unwrap(), None);
        assert_eq!(frames(us, &read_some(&mut peer).await), [(0x88, b"\x03\xe8".to_vec())]);
    }
}
