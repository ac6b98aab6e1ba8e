//! Failing a connection for what the application's own protocol doesn't allow.

use tokio::io::AsyncWriteExt;
use ws_tokio::{CloseCode, EncodeError, Error, Settings};

use crate::support::memory::{self, read_some, waits};
use crate::support::parse::frames;
use crate::support::tcp;
use crate::support::wire::{ROLES, close, close_payload, frame, peer_of};

#[tokio::test]
async fn a_connection_that_is_failed_tells_the_peer_and_drops_what_it_still_sends() {
    for us in ROLES {
        let (mut connection, mut peer) = tcp::connection(us, Settings::default()).await;
        let says = async {
            for _ in 0..100 {
                peer.write_all(&frame(peer_of(us), 0x82, &[7; 80_000])).await.expect("we read");
            }
            peer.shutdown().await.expect("an open connection");
            tcp::read_to_end(&mut peer).await
        };
        let hears = async {
            connection.feed("queued").await.unwrap();
            connection.recv().await.unwrap();
            connection.fail(CloseCode::new(4000), "not ours").unwrap();
            for _ in 0..2 {
                let error = connection.recv().await.unwrap_err();
                assert!(matches!(error, Error::Failed(code) if code == CloseCode::new(4000)));
                assert_eq!(error.close_code(), None, "the peer sent none");
            }
            drop(connection);
        };
        let (told, ()) = tokio::join!(says, hears);
        let told = frames(us, &told);
        assert_eq!(told, [(0x81, b"queued".to_vec()), (0x88, close_payload(4000, "not ours"))]);
    }
}

#[tokio::test]
async fn a_receiving_half_that_fails_the_connection_ends_it_for_all_halves() {
    for us in ROLES {
        let (connection, mut peer) = memory::connection(us, Settings::default());
        let (mut receiving, sending) = connection.split();
        receiving.fail(CloseCode::INVALID_PAYLOAD, "").unwrap();
        let error = sending.send("late").await.unwrap_err();
        assert!(matches!(error, Error::Send(EncodeError::Closed)), "{error:?}");
        assert!(waits(receiving.recv()).await, "the peer's end is awaited");
        assert_eq!(frames(us, &read_some(&mut peer).await), [(0x88, close_payload(1007, ""))]);
        drop(peer);
        let (received, closed) =
            tokio::join!(receiving.recv(), sending.close(CloseCode::NORMAL, ""));
        for ended in [received.map(drop), closed] {
            assert!(matches!(ended, Err(Error::Failed(CloseCode::INVALID_PAYLOAD))));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_connection_leaves_a_peer_that_stays_after_a_quarter_of_a_second() {
    for us in ROLES {
        let (mut connection, _peer) = memory::connection(us, Settings::default());
        let since = tokio::time::Instant::now();
        connection.fail(CloseCode::UNSUPPORTED, "").unwrap();
        connection.recv().await.unwrap_err();
        assert_eq!(since.elapsed().as_millis(), 250);
    }
}

#[tokio::test]
async fn failing_with_a_bad_code_or_a_long_reason_does_nothing() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        let error = connection.fail(CloseCode::new(1005), "").unwrap_err();
        assert!(matches!(error, Error::Send(EncodeError::CloseCodeInvalid(1005))));
        let error = connection.fail(CloseCode::NORMAL, "x".repeat(124)).unwrap_err();
        assert!(matches!(error, Error::Send(EncodeError::ReasonTooLong(124))));
        peer.write_all(&frame(peer_of(us), 0x81, b"still open")).await.unwrap();
        assert_eq!(connection.recv().await.unwrap(), Some("still open".into()));
    }
}

#[tokio::test]
async fn a_connection_that_has_ended_can_be_failed_no_more() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        peer.write_all(&close(peer_of(us), 1000, "")).await.unwrap();
        peer.shutdown().await.unwrap();
        assert_eq!(connection.recv().await.unwrap(), None);
        connection.fail(CloseCode::POLICY_VIOLATION, "").unwrap();
        assert_eq!(connection.recv().await.unwrap(), None);
    }
}
