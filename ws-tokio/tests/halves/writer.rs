//! A message sent while it is written: one message whatever is written how, never with an end that nobody wrote.

use std::io::ErrorKind;

use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;
use ws_tokio::{CloseCode, EncodeError, Error, MessageKind, Role, Settings};

use crate::closing::halves;
use crate::gated::gated;
use crate::settle;
use crate::support::memory::{self, over, read_some, read_to_end, waits};
use crate::support::parse::{Frame, frames};
use crate::support::wire::{ROLES, close_payload, frame, peer_of};

/// Largest frame that a writer makes, in bytes.
const CHUNK: usize = 64 << 10;

/// The frames of one message: that all but the last say that more follows, and its kind and bytes.
fn message(frames: &[Frame]) -> (u8, Vec<u8>) {
    let (last, others) = frames.split_last().expect("a frame");
    assert!(others.iter().all(|it| it.0 & 0x80 == 0) && last.0 & 0x80 != 0, "one end");
    assert!(frames[1..].iter().all(|it| it.0 & 0x7f == 0), "one beginning");
    (frames[0].0 & 0x7f, frames.iter().flat_map(|it| it.1.clone()).collect())
}

#[tokio::test]
async fn several_writes_are_one_message_and_small_ones_one_frame() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        let mut writer = connection.writer(MessageKind::Text).unwrap();
        for part in ["one ", "", "message"] {
            writer.write_all(part.as_bytes()).await.unwrap();
        }
        writer.finish().await.unwrap();
        connection.writer(MessageKind::Binary).unwrap().finish().await.unwrap();
        connection.send("next").await.unwrap();
        let read = frames(us, &read_some(&mut peer).await);
        let expected: [(u8, &[u8]); 3] = [(0x81, b"one message"), (0x82, b""), (0x81, b"next")];
        assert_eq!(read, expected.map(|(first, payload)| (first, payload.to_vec())));
    }
}

#[tokio::test]
async fn a_long_message_goes_in_frames_of_64_kib_however_it_is_written() {
    for us in ROLES {
        for portion in [1000, CHUNK, CHUNK + 1, 400_000] {
            let payload: Vec<u8> = (0..400_000_u32).map(|n| (n / 7) as u8).collect();
            let (_receiving, sending, mut peer) = halves(us);
            let writing = async {
                let mut writer = sending.writer(MessageKind::Binary).await.unwrap();
                for part in payload.chunks(portion) {
                    writer.write_all(part).await.unwrap();
                }
                writer.shutdown().await.unwrap();
                writer.shutdown().await.unwrap();
                let after = writer.write(b"x").await.unwrap_err();
                assert_eq!(after.kind(), ErrorKind::BrokenPipe);
                drop(writer);
                sending.close_now();
            };
            let ((), wire) = tokio::join!(writing, read_to_end(&mut peer));
            let frames = frames(us, &wire);
            assert_eq!(frames.len(), payload.len().div_ceil(CHUNK));
            assert!(frames.iter().all(|(_, payload)| payload.len() <= CHUNK));
            assert!(message(&frames) == (2, payload));
        }
    }
}

#[tokio::test]
async fn flush_sends_what_was_written_as_a_frame() {
    for us in ROLES {
        let (_receiving, sending, mut peer) = halves(us);
        let mut writer = sending.writer(MessageKind::Text).await.unwrap();
        writer.flush().await.unwrap();
        writer.write_all(b"now").await.unwrap();
        writer.flush().await.unwrap();
        writer.flush().await.unwrap();
        assert_eq!(frames(us, &read_some(&mut peer).await), [(0x01, b"now".to_vec())]);
        writer.write_all(b"then").await.unwrap();
        writer.finish().await.unwrap();
        assert_eq!(frames(us, &read_some(&mut peer).await), [(0x80, b"then".to_vec())]);
    }
}

#[tokio::test]
async fn a_writer_dropped_with_nothing_queued_does_no_harm() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        drop(connection.writer(MessageKind::Text).unwrap());
        connection.writer(MessageKind::Text).unwrap().write_all(b"forgotten").await.unwrap();
        let (_receiving, sending) = connection.split();
        drop(sending.writer(MessageKind::Binary).await.unwrap());
        assert!(!waits(sending.writer(MessageKind::Binary)).await);
        sending.send("fine").await.unwrap();
        assert_eq!(frames(us, &read_some(&mut peer).await), [(0x81, b"fine".to_vec())]);
    }
}

fn under_way<T>(result: Result<T, Error>) -> bool {
    matches!(result, Err(Error::Send(EncodeError::MessageUnderWay)))
}

#[tokio::test]
async fn after_a_writer_that_was_dropped_unfinished_data_is_an_error_and_control_frames_pass() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        let mut writer = connection.writer(MessageKind::Text).unwrap();
        writer.write_all(b"no end").await.unwrap();
        writer.flush().await.unwrap();
        drop(writer);
        assert!(under_way(connection.send("x").await));
        assert!(under_way(connection.feed(vec![7; 100_000]).await));
        assert!(under_way(connection.writer(MessageKind::Text)));
        let (mut receiving, sending) = connection.split();
        assert!(under_way(sending.send("x").await));
        assert!(under_way(sending.writer(MessageKind::Text).await));
        let handled = receiving.run(|message, outbox| outbox.send(message));
        peer.write_all(&[frame(peer_of(us), 0x89, b"p"), frame(peer_of(us), 0x81, b"x")].concat())
            .await
            .unwrap();
        assert!(under_way(handled.await));
        drop(sending.ping().unwrap());
        assert!(waits(sending.close(CloseCode::new(4000), "")).await);
        let read = frames(us, &read_some(&mut peer).await);
        let kinds: Vec<_> = read.iter().map(|it| it.0).collect();
        assert_eq!(kinds, [0x01, 0x8a, 0x89, 0x88], "no end that nobody wrote");
        assert_eq!(read[3].1, close_payload(4000, ""));
    }
}

#[tokio::test]
async fn pings_and_pongs_pass_between_the_frames_of_a_message() {
    for us in ROLES {
        let (mut receiving, sending, mut peer) = halves(us);
        let mut writer = sending.writer(MessageKind::Text).await.unwrap();
        writer.write_all(b"one ").await.unwrap();
        writer.flush().await.unwrap();
        let ping = sending.ping().unwrap();
        peer.write_all(&frame(peer_of(us), 0x89, b"theirs")).await.unwrap();
        assert!(waits(receiving.recv()).await);
        writer.write_all(b"message").await.unwrap();
        writer.finish().await.unwrap();
        let read = frames(us, &read_some(&mut peer).await);
        let kinds: Vec<_> = read.iter().map(|it| it.0).collect();
        assert_eq!(kinds, [0x01, 0x89, 0x8a, 0x80]);
        peer.write_all(&frame(peer_of(us), 0x8a, &read[1].1)).await.unwrap();
        assert!(waits(receiving.recv()).await);
        ping.await.unwrap();
    }
}

#[tokio::test]
async fn a_handler_pings_although_another_half_streams_a_message() {
    for us in ROLES {
        let (mut receiving, sending, mut peer) = halves(us);
        let mut writer = sending.writer(MessageKind::Text).await.unwrap();
        writer.write_all(b"streamed").await.unwrap();
        writer.flush().await.unwrap();
        peer.write_all(&frame(peer_of(us), 0x81, b"now")).await.unwrap();
        let mut pings = Vec::new();
        let run = receiving.run(|_, outbox| {
            assert!(matches!(outbox.send("no turn"), Err(Error::Send(_))));
            pings.push(outbox.ping().expect("an open connection"));
        });
        assert!(waits(run).await);
        writer.finish().await.unwrap();
        let read = frames(us, &read_some(&mut peer).await);
        let kinds: Vec<_> = read.iter().map(|it| it.0).collect();
        assert_eq!(kinds, [0x01, 0x89, 0x80]);
        peer.write_all(&frame(peer_of(us), 0x8a, &read[1].1)).await.unwrap();
        assert!(waits(receiving.recv()).await);
        pings.pop().expect("the handler was called").await.unwrap();
    }
}

#[tokio::test]
async fn other_tasks_messages_wait_for_a_streamed_one_and_then_come_in_the_order_they_waited() {
    for us in ROLES {
        let (_receiving, sending, mut peer) = halves(us);
        let mut writer = sending.writer(MessageKind::Text).await.unwrap();
        let mut waiting = JoinSet::new();
        for task in 0..6_u8 {
            let sending = sending.clone();
            waiting.spawn(async move {
                if task == 3 {
                    let mut writer = sending.writer(MessageKind::Binary).await.unwrap();
                    writer.write_all(&[task]).await.unwrap();
                    writer.finish().await.unwrap();
                } else {
                    sending.send(vec![task]).await.unwrap();
                }
            });
            settle().await;
        }
        assert_eq!(sending.queued(), 0, "all wait");
        writer.write_all(b"streamed").await.unwrap();
        writer.finish().await.unwrap();
        waiting.join_all().await;
        let read = frames(us, &read_some(&mut peer).await);
        assert_eq!(read[0], (0x81, b"streamed".to_vec()));
        assert!(read[1..].iter().map(|it| it.1[0]).eq(0..6));
    }
}

#[tokio::test]
async fn a_writer_that_is_dropped_or_never_comes_gives_its_turn_to_the_next() {
    let (_receiving, sending, mut peer) = halves(Role::Server);
    let writer = sending.writer(MessageKind::Text).await.unwrap();
    let gives_up = sending.clone();
    let gives_up = tokio::spawn(async move { gives_up.send("never").await });
    settle().await;
    let next = sending.clone();
    let next = tokio::spawn(async move { next.send("next").await });
    settle().await;
    gives_up.abort();
    drop(writer);
    next.await.unwrap().unwrap();
    assert_eq!(read_some(&mut peer).await, b"\x81\x04next");
}

#[tokio::test]
async fn a_writer_waits_for_room_and_queues_no_more_than_the_limit() {
    for us in ROLES {
        let (stream, gate) = gated();
        let settings = Settings::default().queue_limit(2 * CHUNK);
        let (_receiving, sending) = over(stream, us, settings).split();
        let writes = sending.clone();
        let writing = tokio::spawn(async move {
            let mut writer = writes.writer(MessageKind::Binary).await.unwrap();
            writer.write_all(&vec![7; 10 * CHUNK]).await.unwrap();
            writer.finish().await.unwrap();
        });
        settle().await;
        assert!(!writing.is_finished());
        assert!((CHUNK..=2 * CHUNK + 14).contains(&sending.queued()), "{}", sending.queued());
        gate.take(usize::MAX);
        writing.await.unwrap();
        assert!(message(&frames(us, &gate.written())) == (2, vec![7; 10 * CHUNK]));
    }
}

#[tokio::test]
async fn a_writer_of_a_connection_that_closes_says_so() {
    let (_receiving, sending, _peer) = halves(Role::Server);
    let mut writer = sending.writer(MessageKind::Text).await.unwrap();
    writer.write_all(b"begun").await.unwrap();
    assert!(waits(sending.close(CloseCode::NORMAL, "")).await);
    assert_eq!(writer.flush().await.unwrap_err().kind(), ErrorKind::Other);
    let finished = writer.finish().await;
    assert!(matches!(finished, Err(Error::Send(EncodeError::Closed))));
    let again = sending.writer(MessageKind::Text).await;
    assert!(matches!(again, Err(Error::Send(EncodeError::Closed))));
    sending.close_now();
}
