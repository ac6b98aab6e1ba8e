//! Halves become one connection again, where they are one connection's and all of it.

use tokio::io::AsyncWriteExt;
use ws_tokio::{CloseCode, Error, MessageKind, Role, Settings};

use crate::closing::halves;
use crate::support::memory::{self, read_some};
use crate::support::parse::frames;
use crate::support::wire::{ROLES, close, frame, peer_of};

#[tokio::test]
async fn reunited_halves_go_on_where_they_were() {
    for us in ROLES {
        let (mut receiving, sending, mut peer) = halves(us);
        let wire = [frame(peer_of(us), 0x81, b"one"), frame(peer_of(us), 0x81, b"two")].concat();
        peer.write_all(&[&wire, &close(peer_of(us), 1000, "bye")[..]].concat()).await.unwrap();
        peer.shutdown().await.unwrap();
        assert_eq!(receiving.recv().await.unwrap(), Some("one".into()));
        sending.feed("queued").await.unwrap();
        let mut connection = receiving.reunite(sending).unwrap();
        connection.send("sent").await.unwrap();
        let read = frames(us, &read_some(&mut peer).await);
        assert_eq!(read, [(0x81, b"queued".to_vec()), (0x81, b"sent".to_vec())]);
        assert_eq!(connection.recv().await.unwrap(), Some("two".into()));
        assert_eq!(connection.recv().await.unwrap(), None);
        assert_eq!(connection.close_frame().unwrap().reason(), "bye");
    }
}

#[tokio::test]
async fn halves_of_different_connections_are_given_back() {
    let (receiving, sending, _peer) = halves(Role::Client);
    let (other_receiving, other_sending, mut other_peer) = halves(Role::Client);
    let error = receiving.reunite(other_sending).unwrap_err();
    assert_eq!(error.to_string(), "these are not the only halves of one connection");
    assert_eq!(format!("{error:?}"), "ReuniteError");
    error.1.send("still good").await.unwrap();
    assert_eq!(read_some(&mut other_peer).await.len(), 2 + 4 + 10);
    other_receiving.reunite(error.1).unwrap();
    error.0.reunite(sending).unwrap();
}

#[tokio::test]
async fn halves_reunite_once_no_clone_is_left() {
    let (receiving, sending, _peer) = halves(Role::Server);
    let clone = sending.clone();
    let error = receiving.reunite(sending).unwrap_err();
    drop(clone);
    error.0.reunite(error.1).unwrap();
}

#[tokio::test]
async fn a_split_connection_can_be_reunited_and_split_again_while_closing() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        for _ in 0..10 {
            let (receiving, sending) = connection.split();
            assert!(memory::waits(sending.close(CloseCode::NORMAL, "")).await);
            connection = receiving.reunite(sending).unwrap();
        }
        peer.write_all(&close(peer_of(us), 1000, "")).await.unwrap();
        peer.shutdown().await.unwrap();
        connection.close(CloseCode::NORMAL, "").await.unwrap();
        assert_eq!(frames(us, &read_some(&mut peer).await).len(), 1, "one close frame");
    }
}

#[tokio::test]
async fn an_unfinished_message_stays_unfinished_through_reunite_and_split() {
    let (receiving, sending, _peer) = halves(Role::Server);
    let mut writer = sending.writer(MessageKind::Text).await.unwrap();
    writer.write_all(b"never ended").await.unwrap();
    writer.flush().await.unwrap();
    drop(writer);
    let mut connection = receiving.reunite(sending).unwrap();
    assert!(matches!(connection.send("x").await, Err(Error::Send(_))));
    let (_receiving, sending) = connection.split();
    assert!(matches!(sending.send("x").await, Err(Error::Send(_))));
    assert!(matches!(sending.writer(MessageKind::Text).await, Err(Error::Send(_))));
}
