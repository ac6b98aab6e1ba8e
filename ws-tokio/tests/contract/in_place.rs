//! Messages that are read where they arrived, and written where they leave from.

use std::io::Write;

use tokio::io::AsyncWriteExt;
use ws_tokio::{CloseCode, EncodeError, Error, MessageKind, MessageRef, Settings};

use crate::support::memory::{self, read_some, waits};
use crate::support::parse::frames;
use crate::support::wire::{ROLES, close, frame, peer_of};

#[tokio::test]
async fn a_message_can_be_read_in_the_buffer_that_it_arrived_in() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        let wire = [
            frame(peer_of(us), 0x81, b"text"),
            frame(peer_of(us), 0x02, b"frag"),
            frame(peer_of(us), 0x80, b"ments"),
        ];
        peer.write_all(&wire.concat()).await.unwrap();
        let is_text = connection.recv_with(|message| message == MessageRef::Text("text")).await;
        assert_eq!(is_text.unwrap(), Some(true));
        let (mut receiving, _sending) = connection.split();
        let len = receiving.recv_with(|message| message.as_bytes().len()).await;
        assert_eq!(len.unwrap(), Some(9));
        assert!(waits(receiving.recv_with(|_| ())).await);
        peer.write_all(&close(peer_of(us), 1000, "")).await.unwrap();
        peer.shutdown().await.unwrap();
        assert_eq!(receiving.recv_with(|_| ()).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_payload_is_written_straight_into_the_queue_at_every_length() {
    for us in ROLES {
        for len in [0, 125, 126, 50_000] {
            let (mut connection, mut peer) = memory::connection(us, Settings::default());
            let fill = async |kind, connection: &mut ws_tokio::Connection<_>| {
                let payload = vec![b'7'; len];
                connection.feed_with(kind, |it| Ok::<_, Error>(it.write_all(&payload)?)).await
            };
            fill(MessageKind::Text, &mut connection).await.unwrap();
            connection.flush().await.unwrap();
            let written = frames(us, &read_some(&mut peer).await);
            assert_eq!(written, [(0x81, vec![b'7'; len])]);
            let (_receiving, sending) = connection.split();
            let half = sending.feed_with(MessageKind::Binary, |payload| {
                payload.extend_from_slice(&vec![b'7'; len]);
                Ok::<_, Error>(())
            });
            half.await.unwrap();
            sending.flush().await.unwrap();
            let written = frames(us, &read_some(&mut peer).await);
            assert_eq!(written, [(0x82, vec![b'7'; len])]);
        }
    }
}

#[tokio::test]
async fn a_payload_that_fails_leaves_nothing_in_the_queue() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        let fails = |payload: &mut ws_tokio::PayloadWriter<'_>| {
            payload.extend_from_slice(b"half");
            Err(Error::UnexpectedMessage)
        };
        let error = connection.feed_with(MessageKind::Text, fails).await.unwrap_err();
        assert!(matches!(error, Error::UnexpectedMessage), "it is the caller's own");
        assert_eq!(connection.queued(), 0);
        let (_receiving, sending) = connection.split();
        sending.feed_with(MessageKind::Text, fails).await.unwrap_err();
        assert_eq!(sending.queued(), 0);
        sending.send("whole").await.unwrap();
        assert_eq!(frames(us, &read_some(&mut peer).await), [(0x81, b"whole".to_vec())]);
    }
}

#[tokio::test]
async fn a_payload_is_not_asked_for_after_a_close_frame() {
    for us in ROLES {
        let (mut connection, _peer) = memory::connection(us, Settings::default());
        assert!(waits(connection.close(CloseCode::NORMAL, "")).await);
        let fill = |_: &mut ws_tokio::PayloadWriter<'_>| -> Result<(), Error> { panic!("asked") };
        let error = connection.feed_with(MessageKind::Text, fill).await.unwrap_err();
        assert!(matches!(error, Error::Send(EncodeError::Closed)));
    }
}

#[tokio::test]
async fn the_queue_of_a_split_connection_is_not_locked_while_a_payload_is_written() {
    for us in ROLES {
        let (connection, _peer) = memory::connection(us, Settings::default());
        let (_receiving, sending) = connection.split();
        sending.feed("before").await.unwrap();
        let queued = sending.feed_with(MessageKind::Text, |payload| {
            Ok::<_, Error>(write!(payload, "{}", sending.queued())?)
        });
        queued.await.unwrap();
        assert!(sending.queued() > 8);
    }
}

#[tokio::test]
async fn an_outbox_queues_at_once_whatever_the_limit() {
    for us in ROLES {
        let (mut connection, mut peer) =
            memory::connection(us, Settings::default().queue_limit(10));
        for word in ["over", "the", "limit"] {
            connection.outbox().send(word).unwrap();
        }
        connection.flush().await.unwrap();
        assert_eq!(frames(us, &read_some(&mut peer).await).len(), 3);
        let (_receiving, sending) = connection.split();
        sending.outbox().send("from a half").unwrap();
        sending.flush().await.unwrap();
        assert_eq!(frames(us, &read_some(&mut peer).await), [(0x81, b"from a half".to_vec())]);
    }
}
