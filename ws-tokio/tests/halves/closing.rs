//! Closing from any task, while anything else goes on: it ends in time, with one close frame, for everybody.

use std::io::ErrorKind;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use ws_tokio::{CloseCode, Error, RecvHalf, Role, SendHalf, Settings};

use crate::settle;
use crate::support::memory::{self, PIPE, read_some, read_to_end};
use crate::support::parse::frames;
use crate::support::wire::{ROLES, close, close_payload, frame, peer_of};

type Half = SendHalf<DuplexStream>;

pub(crate) fn halves(us: Role) -> (RecvHalf<DuplexStream>, Half, DuplexStream) {
    let (connection, peer) = memory::connection(us, Settings::default());
    let (receiving, sending) = connection.split();
    (receiving, sending, peer)
}

fn spawn_close(half: &Half, code: u16) -> JoinHandle<Result<(), Error>> {
    let half = half.clone();
    tokio::spawn(async move { half.close(CloseCode::new(code), "").await })
}

/// The peer answers with a close frame and leaves.
pub(crate) async fn answer(peer: &mut DuplexStream, us: Role) {
    peer.write_all(&close(peer_of(us), 1000, "")).await.expect("an open stream");
    peer.shutdown().await.expect("an open stream");
}

#[tokio::test]
async fn closing_during_a_blocked_read_ends_the_read() {
    for us in ROLES {
        let (mut receiving, sending, mut peer) = halves(us);
        let received = tokio::spawn(async move { receiving.recv().await });
        settle().await;
        let closing = spawn_close(&sending, 1000);
        assert_eq!(frames(us, &read_some(&mut peer).await), [(0x88, close_payload(1000, ""))]);
        answer(&mut peer, us).await;
        closing.await.unwrap().unwrap();
        assert_eq!(received.await.unwrap().unwrap(), None);
    }
}

#[tokio::test]
async fn closing_during_a_blocked_write_sends_its_frame_behind_it() {
    for us in ROLES {
        let (mut receiving, sending, mut peer) = halves(us);
        let writes = sending.clone();
        let writing = tokio::spawn(async move { writes.send(vec![7; 2 * PIPE]).await });
        let received = tokio::spawn(async move { receiving.recv().await });
        settle().await;
        let closing = spawn_close(&sending, 1000);
        settle().await;
        answer(&mut peer, us).await;
        let read = frames(us, &read_to_end(&mut peer).await);
        assert_eq!(read, [(0x82, vec![7; 2 * PIPE]), (0x88, close_payload(1000, ""))]);
        closing.await.unwrap().unwrap();
        assert_eq!(received.await.unwrap().unwrap(), None);
        writing.await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn closing_during_a_blocked_write_that_the_peer_never_takes_ends_in_5_seconds() {
    for us in ROLES {
        let (mut receiving, sending, _peer) = halves(us);
        let writes = sending.clone();
        let writing = tokio::spawn(async move { writes.send(vec![7; 2 * PIPE]).await });
        let received = tokio::spawn(async move { receiving.recv().await });
        settle().await;
        let since = Instant::now();
        let closed = sending.close(CloseCode::NORMAL, "").await;
        assert!(matches!(closed, Err(Error::CloseTimeout)));
        assert!(matches!(received.await.unwrap(), Err(Error::CloseTimeout)));
        assert!(matches!(writing.await.unwrap(), Err(Error::Io(_))));
        assert_eq!(since.elapsed().as_secs(), 5);
        assert_eq!(sending.queued(), 0);
    }
}

#[tokio::test]
async fn closing_during_a_ping_ends_the_ping() {
    for us in ROLES {
        let (mut receiving, sending, mut peer) = halves(us);
        let ping = sending.ping().unwrap();
        let closing = spawn_close(&sending, 1000);
        let received = tokio::spawn(async move { receiving.recv().await });
        let read = frames(us, &read_some(&mut peer).await);
        assert_eq!(read.iter().map(|it| it.0).collect::<Vec<_>>(), [0x89, 0x88]);
        answer(&mut peer, us).await;
        closing.await.unwrap().unwrap();
        assert!(matches!(ping.await, Err(Error::Cut(_))));
        assert!(matches!(sending.ping(), Err(Error::Send(_))));
        assert_eq!(received.await.unwrap().unwrap(), None);
    }
}

#[tokio::test]
async fn closing_while_a_message_is_half_read_lets_its_reader_read_on() {
    for us in ROLES {
        let (mut receiving, sending, mut peer) = halves(us);
        peer.write_all(&frame(peer_of(us), 0x01, b"first")).await.unwrap();
        let mut reader = receiving.reader().await.unwrap().unwrap();
        let closing = spawn_close(&sending, 1000);
        settle().await;
        peer.write_all(&frame(peer_of(us), 0x80, b" and last")).await.unwrap();
        answer(&mut peer, us).await;
        let mut read = String::new();
        reader.read_to_string(&mut read).await.unwrap();
        assert_eq!(read, "first and last");
        drop(reader);
        assert_eq!(receiving.recv().await.unwrap(), None);
        closing.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn closing_while_a_half_read_message_is_cut_by_the_peers_close_ends_the_reader() {
    for us in ROLES {
        let (mut receiving, sending, mut peer) = halves(us);
        peer.write_all(&frame(peer_of(us), 0x01, b"first")).await.unwrap();
        let mut reader = receiving.reader().await.unwrap().unwrap();
        let closing = spawn_close(&sending, 1000);
        settle().await;
        answer(&mut peer, us).await;
        let error = reader.read_to_end(&mut Vec::new()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        closing.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn two_tasks_that_close_at_once_send_one_frame_and_both_see_the_end() {
    for us in ROLES {
        for receives in [true, false] {
            let (receiving, sending, mut peer) = halves(us);
            let receiving = receives.then_some(receiving);
            let closing = [spawn_close(&sending, 1000), spawn_close(&sending, 4000)];
            let received = receiving.map(|mut half| tokio::spawn(async move { half.recv().await }));
            settle().await;
            answer(&mut peer, us).await;
            let read = frames(us, &read_to_end(&mut peer).await);
            assert_eq!(read, [(0x88, close_payload(1000, ""))], "the first one's");
            for closing in closing {
                closing.await.unwrap().unwrap();
            }
            if let Some(received) = received {
                assert_eq!(received.await.unwrap().unwrap(), None);
            }
            sending.close(CloseCode::NORMAL, "again").await.unwrap();
        }
    }
}

#[tokio::test]
async fn of_two_tasks_that_close_the_one_that_drained_can_give_up() {
    for us in ROLES {
        let (receiving, sending, mut peer) = halves(us);
        drop(receiving);
        let closing = [spawn_close(&sending, 1000), spawn_close(&sending, 1000)];
        settle().await;
        peer.write_all(&frame(peer_of(us), 0x82, &[7; 1000])[..500]).await.unwrap();
        settle().await;
        let [first, second] = closing;
        first.abort();
        settle().await;
        peer.write_all(&frame(peer_of(us), 0x82, &[7; 1000])[500..]).await.unwrap();
        answer(&mut peer, us).await;
        second.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn where_the_receiving_half_is_gone_close_drains_what_still_comes() {
    for us in ROLES {
        let (receiving, sending, mut peer) = halves(us);
        let wire = [frame(peer_of(us), 0x81, b"late"), frame(peer_of(us), 0x01, b"cut")].concat();
        peer.write_all(&wire).await.unwrap();
        let closing = spawn_close(&sending, 1000);
        settle().await;
        drop(receiving);
        answer(&mut peer, us).await;
        closing.await.unwrap().unwrap();
        let read = frames(us, &read_to_end(&mut peer).await);
        assert_eq!(read, [(0x88, close_payload(1000, ""))]);
    }
}

#[tokio::test]
async fn close_now_and_close_are_safe_in_any_order_from_any_half() {
    let (mut receiving, sending, mut peer) = halves(Role::Server);
    let closing = spawn_close(&sending, 1000);
    settle().await;
    sending.close_now();
    sending.clone().close_now();
    assert!(matches!(closing.await.unwrap(), Err(Error::Cut(_))));
    assert!(matches!(receiving.recv().await, Err(Error::Cut(_))));
    assert!(matches!(sending.close(CloseCode::NORMAL, "").await, Err(Error::Cut(_))));
    assert_eq!(frames(Role::Server, &read_to_end(&mut peer).await).len(), 1);
    drop(receiving);
    assert!(matches!(sending.close(CloseCode::NORMAL, "").await, Err(Error::Cut(_))));
}

#[tokio::test]
async fn a_bad_code_or_a_long_reason_sends_nothing_and_the_halves_go_on() {
    let (_receiving, sending, mut peer) = halves(Role::Server);
    assert!(matches!(sending.close(CloseCode::new(1005), "").await, Err(Error::Send(_))));
    let long = sending.close(CloseCode::NORMAL, "x".repeat(124)).await;
    assert!(matches!(long, Err(Error::Send(_))));
    sending.send("open").await.unwrap();
    assert_eq!(read_some(&mut peer).await, b"\x81\x04open");
}

#[tokio::test(start_paused = true)]
async fn a_receiving_half_that_is_there_and_that_nobody_polls_costs_closing_its_whole_deadline() {
    for us in ROLES {
        let (_receiving, sending, mut peer) = halves(us);
        let since = Instant::now();
        answer(&mut peer, us).await;
        let closed = sending.close(CloseCode::NORMAL, "").await;
        assert!(matches!(closed, Err(Error::CloseTimeout)), "{closed:?}");
        assert_eq!(since.elapsed().as_secs(), 5);
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_with_both_halves_closes_at_once_by_dropping_one_or_reuniting_them() {
    for us in ROLES {
        let since = Instant::now();
        let (receiving, sending, mut peer) = halves(us);
        answer(&mut peer, us).await;
        drop(receiving);
        sending.close(CloseCode::NORMAL, "").await.unwrap();
        let (receiving, sending, mut peer) = halves(us);
        answer(&mut peer, us).await;
        let mut connection = receiving.reunite(sending).unwrap();
        connection.close(CloseCode::NORMAL, "").await.unwrap();
        assert!(since.elapsed().as_secs() < 1, "{:?}", since.elapsed());
    }
}
