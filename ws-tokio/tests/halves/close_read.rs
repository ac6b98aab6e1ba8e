//! A connection that takes no messages any more: it sends, answers pings, and tells how it ended.

use tokio::io::{AsyncWriteExt, DuplexStream};
use tokio::task::JoinHandle;
use ws_tokio::{CloseCode, Error, Role, SendHalf, Settings};

use crate::settle;
use crate::support::memory::{self, PIPE, read_some, read_to_end};
use crate::support::parse::frames;
use crate::support::wire::{ROLES, close, close_payload, frame, peer_of};

/// A half that only sends, the end in a task of its own, and the peer's end of the pipe.
fn only_sending(us: Role) -> (SendHalf<DuplexStream>, JoinHandle<Result<(), Error>>, DuplexStream) {
    let (connection, peer) = memory::connection(us, Settings::default());
    let (sending, end) = connection.close_read();
    (sending, tokio::spawn(end), peer)
}

#[tokio::test]
async fn sending_goes_on_and_pings_are_answered_and_timed() {
    for us in ROLES {
        let (sending, _end, mut peer) = only_sending(us);
        peer.write_all(&frame(peer_of(us), 0x89, b"are you there")).await.unwrap();
        assert_eq!(frames(us, &read_some(&mut peer).await), [(0x8a, b"are you there".to_vec())]);
        let ping = sending.ping().unwrap();
        sending.send("still sending").await.unwrap();
        let read = frames(us, &read_some(&mut peer).await);
        let [(0x89, payload), (0x81, message)] = &read[..] else { panic!("{read:?}") };
        assert_eq!(message, b"still sending");
        peer.write_all(&frame(peer_of(us), 0x8a, payload)).await.unwrap();
        ping.await.unwrap();
    }
}

#[tokio::test]
async fn a_data_message_closes_1008_and_is_an_error() {
    for us in ROLES {
        for message in [frame(peer_of(us), 0x81, b"x"), frame(peer_of(us), 0x82, &[7; 100_000])] {
            let (sending, end, mut peer) = only_sending(us);
            sending.feed("before").await.unwrap();
            peer.write_all(&message).await.unwrap();
            let read = frames(us, &read_to_end(&mut peer).await);
            let refused = (0x88, close_payload(1008, ""));
            assert_eq!(read, [(0x81, b"before".to_vec()), refused]);
            drop(peer);
            assert!(matches!(end.await.unwrap(), Err(Error::UnexpectedMessage)));
            assert!(matches!(sending.send("after").await, Err(Error::Send(_))));
            let closed = sending.close(CloseCode::NORMAL, "").await;
            assert!(matches!(closed, Err(Error::UnexpectedMessage)));
        }
    }
}

#[tokio::test]
async fn a_normal_close_of_the_peer_is_no_error_and_another_one_is() {
    for us in ROLES {
        for (code, normal) in [(1000, true), (1001, true), (1011, false), (4000, false)] {
            let (sending, end, mut peer) = only_sending(us);
            peer.write_all(&close(peer_of(us), code, "why")).await.unwrap();
            peer.shutdown().await.unwrap();
            match end.await.unwrap() {
                Ok(()) => assert!(normal, "{code}"),
                Err(error) => assert_eq!(error.close_code(), Some(CloseCode::new(code))),
            }
            assert!(matches!(sending.send("after").await, Err(Error::Send(_))));
        }
    }
}

#[tokio::test]
async fn a_connection_that_is_cut_says_so() {
    let (_sending, end, peer) = only_sending(Role::Server);
    drop(peer);
    assert!(matches!(end.await.unwrap(), Err(Error::Cut(_))));
}

#[tokio::test]
async fn closing_drops_what_the_peer_had_sent_before_it_knew() {
    for us in ROLES {
        let (sending, end, mut peer) = only_sending(us);
        let closing =
            tokio::spawn(async move { sending.close(CloseCode::GOING_AWAY, "later").await });
        let read = frames(us, &read_some(&mut peer).await);
        assert_eq!(read, [(0x88, close_payload(1001, "later"))]);
        peer.write_all(&frame(peer_of(us), 0x81, b"on its way")).await.unwrap();
        settle().await;
        assert!(!end.is_finished() && !closing.is_finished(), "the peer's close is awaited");
        peer.write_all(&close(peer_of(us), 1001, "")).await.unwrap();
        peer.shutdown().await.unwrap();
        closing.await.unwrap().unwrap();
        end.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn the_end_that_is_dropped_is_brought_about_by_close() {
    let (connection, mut peer) = memory::connection(Role::Server, Settings::default());
    let (sending, end) = connection.close_read();
    drop(end);
    peer.write_all(&frame(Role::Client, 0x82, &[7; PIPE / 2])).await.unwrap();
    peer.write_all(&close(Role::Client, 1000, "")).await.unwrap();
    peer.shutdown().await.unwrap();
    sending.close(CloseCode::NORMAL, "").await.unwrap();
}
