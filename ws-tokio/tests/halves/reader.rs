//! A message read while it arrives: its bytes and no others, judged and bounded, and dropped whole if dropped early.

use std::io::{self, ErrorKind};

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use ws_tokio::{CloseCode, Connection, DecodeError, Error, Message, MessageKind, Role, Settings};

use crate::support::memory::{self, PIPE, read_some, waits};
use crate::support::parse::frames;
use crate::support::wire::{ROLES, close, close_payload, frame, peer_of};

/// A connection whose peer has said this, and stays.
async fn told(us: Role, wire: &[u8]) -> (Connection<DuplexStream>, DuplexStream) {
    let (connection, mut peer) = memory::connection(us, Settings::default());
    peer.write_all(wire).await.expect("an open stream");
    (connection, peer)
}

/// What a peer says: these parts as the fragments of a message, a ping behind each, and then a message of its own.
fn fragments(us: Role, first: u8, parts: &[&[u8]]) -> Vec<u8> {
    let peer = peer_of(us);
    let last = parts.len() - 1;
    let fragment = |(index, part): (usize, &&[u8])| {
        let opcode = if index == 0 { first } else { 0 };
        let fin = if index == last { 0x80 } else { 0 };
        [frame(peer, fin | opcode, part), frame(peer, 0x89, b"p")].concat()
    };
    let message: Vec<u8> = parts.iter().enumerate().flat_map(fragment).collect();
    [message, frame(peer, 0x81, b"next")].concat()
}

#[tokio::test]
async fn a_message_is_read_in_portions_of_any_size_and_no_byte_of_the_next() {
    for us in ROLES {
        for portion in [1, 3, 7, 1000] {
            let wire = fragments(us, 2, &[b"", b"first ", b"", b"second ", b"third"]);
            let (mut connection, _peer) = told(us, &wire).await;
            let mut reader = connection.reader().await.unwrap().unwrap();
            assert_eq!(reader.kind(), MessageKind::Binary);
            let (mut read, mut buffer) = (Vec::new(), vec![0; portion]);
            loop {
                let len = reader.read(&mut buffer).await.unwrap();
                if len == 0 {
                    break;
                }
                read.extend_from_slice(&buffer[..len]);
            }
            assert_eq!(read, b"first second third");
            assert_eq!(reader.read(&mut buffer).await.unwrap(), 0, "an end stays an end");
            drop(reader);
            assert_eq!(connection.recv().await.unwrap(), Some("next".into()));
        }
    }
}

#[tokio::test]
async fn a_halfs_reader_reads_one_message_after_the_other() {
    for us in ROLES {
        let wire = fragments(us, 1, &["za\u{17c}".as_bytes(), "\u{f3}\u{142}\u{107}".as_bytes()]);
        let (connection, mut peer) = told(us, &wire).await;
        peer.write_all(&close(peer_of(us), 1000, "")).await.unwrap();
        peer.shutdown().await.unwrap();
        let (mut receiving, _sending) = connection.split();
        let mut read = Vec::new();
        while let Some(mut reader) = receiving.reader().await.unwrap() {
            assert_eq!(reader.kind(), MessageKind::Text);
            let mut text = String::new();
            reader.read_to_string(&mut text).await.unwrap();
            read.push(text);
        }
        assert_eq!(read, ["za\u{17c}\u{f3}\u{142}\u{107}", "next"]);
    }
}

#[tokio::test]
async fn a_fragment_is_read_before_the_next_has_come_and_pings_are_answered_meanwhile() {
    for us in ROLES {
        let (mut connection, mut peer) = told(us, &frame(peer_of(us), 0x02, b"early")).await;
        let mut reader = connection.reader().await.unwrap().unwrap();
        let mut buffer = [0; 100];
        assert_eq!(reader.read(&mut buffer).await.unwrap(), 5);
        assert!(waits(reader.read(&mut buffer)).await);
        peer.write_all(&frame(peer_of(us), 0x89, b"p")).await.unwrap();
        assert!(waits(reader.read(&mut buffer)).await);
        assert_eq!(frames(us, &read_some(&mut peer).await), [(0x8a, b"p".to_vec())]);
        peer.write_all(&frame(peer_of(us), 0x80, b"late")).await.unwrap();
        assert_eq!(reader.read(&mut buffer).await.unwrap(), 4);
        assert_eq!(reader.read(&mut buffer).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn an_empty_message_is_read_as_an_end() {
    for us in ROLES {
        let wire = [frame(peer_of(us), 0x81, b""), fragments(us, 2, &[b"", b""])].concat();
        let (mut connection, _peer) = told(us, &wire).await;
        for kind in [MessageKind::Text, MessageKind::Binary] {
            let mut reader = connection.reader().await.unwrap().unwrap();
            assert_eq!(reader.kind(), kind);
            assert_eq!(reader.read(&mut [0; 10]).await.unwrap(), 0);
        }
        assert_eq!(connection.recv().await.unwrap(), Some("next".into()));
    }
}

/// A connection whose reader of a message was dropped after so many bytes.
async fn read_partly(
    us: Role,
    wire: &[u8],
    bytes: usize,
) -> (Connection<DuplexStream>, DuplexStream) {
    let (mut connection, peer) = told(us, wire).await;
    let mut reader = connection.reader().await.expect("a message").expect("a message");
    reader.read_exact(&mut vec![0; bytes]).await.expect("an open stream");
    drop(reader);
    (connection, peer)
}

#[tokio::test]
async fn a_reader_that_is_dropped_early_leaves_exactly_the_next_message_to_whatever_receives() {
    for us in ROLES {
        for bytes in 0..=9 {
            // What looks like frames inside the payload is none.
            let wire =
                fragments(us, 2, &[b"abc", b"", &frame(peer_of(us), 0x81, b"")[..2], b"defg"]);
            let (mut connection, _peer) = read_partly(us, &wire, bytes).await;
            assert_eq!(connection.recv().await.unwrap(), Some("next".into()));

            let (mut connection, _peer) = read_partly(us, &wire, bytes).await;
            let mut buffer = Vec::new();
            let kind = connection.recv_into(&mut buffer).await.unwrap();
            assert_eq!((kind, &buffer[..]), (Some(MessageKind::Text), &b"next"[..]));

            let (mut connection, _peer) = read_partly(us, &wire, bytes).await;
            let first = |message: ws_tokio::MessageRef<'_>, _: &mut ws_tokio::Outbox<'_>| {
                std::ops::ControlFlow::Break(message.to_message())
            };
            assert_eq!(connection.run(first).await.unwrap(), Some("next".into()));

            let (mut connection, _peer) = read_partly(us, &wire, bytes).await;
            let mut reader = connection.reader().await.unwrap().unwrap();
            let mut read = String::new();
            reader.read_to_string(&mut read).await.unwrap();
            assert_eq!(read, "next");

            let (connection, _peer) = read_partly(us, &wire, bytes).await;
            assert_eq!(connection.split().0.recv().await.unwrap(), Some("next".into()));
        }
    }
}

#[tokio::test]
async fn the_rest_of_a_dropped_message_is_still_judged() {
    for us in ROLES {
        let wire = fragments(us, 1, &[b"fine", b"\xff not fine"]);
        let (mut connection, mut peer) = read_partly(us, &wire, 1).await;
        peer.shutdown().await.unwrap();
        let error = connection.recv().await.unwrap_err();
        assert!(matches!(error, Error::Protocol(DecodeError::InvalidUtf8)));
    }
}

#[tokio::test]
async fn reader_that_is_dropped_before_its_first_piece_leaves_the_whole_message() {
    for us in ROLES {
        for first in [0x01, 0x81] {
            let frames =
                [frame(peer_of(us), first, b"whole"), frame(peer_of(us), 0x80, b" message")];
            let wire = if first & 0x80 == 0 { frames.concat() } else { frames[0].clone() };
            let message = if first & 0x80 == 0 { "whole message" } else { "whole" };
            for cut in 1..frames[0].len() {
                let (mut connection, mut peer) = told(us, &wire[..cut]).await;
                assert!(waits(connection.reader()).await);
                peer.write_all(&wire[cut..]).await.unwrap();
                assert_eq!(connection.recv().await.unwrap(), Some(message.into()));

                let (mut connection, mut peer) = told(us, &wire[..cut]).await;
                assert!(waits(connection.recv()).await);
                assert!(waits(connection.reader()).await);
                peer.write_all(&wire[cut..]).await.unwrap();
                let mut read = String::new();
                let mut reader = connection.reader().await.unwrap().unwrap();
                reader.read_to_string(&mut read).await.unwrap();
                assert_eq!(read, message);
            }
        }
    }
}

/// Reads the only message, and says what went wrong behind it.
async fn fails(mut connection: Connection<DuplexStream>) -> (Vec<u8>, io::Error, Error) {
    let mut reader = connection.reader().await.expect("a message").expect("a message");
    let mut read = Vec::new();
    let error = reader.read_to_end(&mut read).await.expect_err("a failure");
    drop(reader);
    (read, error, connection.recv().await.expect_err("a failure"))
}

#[tokio::test]
async fn text_that_is_not_utf8_in_the_middle_fails_there_and_closes_1007() {
    for us in ROLES {
        let wire = fragments(us, 1, &[b"fine \xc5", b"\xbc", b"not \xff fine"]);
        let (connection, mut peer) = told(us, &wire).await;
        peer.shutdown().await.unwrap();
        let (read, error, ended) = fails(connection).await;
        assert_eq!(read, "fine \u{17c}".as_bytes());
        assert_eq!(error.to_string(), Error::Protocol(DecodeError::InvalidUtf8).to_string());
        assert!(matches!(ended, Error::Protocol(DecodeError::InvalidUtf8)));
        let last = frames(us, &read_some(&mut peer).await).pop();
        assert_eq!(last, Some((0x88, close_payload(1007, ""))));
    }
}

#[tokio::test]
async fn a_message_over_the_limit_fails_at_the_header_that_says_so() {
    for us in ROLES {
        let (mut connection, mut peer) = told(us, &fragments(us, 2, &[b"12345", b"678901"])).await;
        connection.set_max_message(10);
        peer.shutdown().await.unwrap();
        let (read, _, ended) = fails(connection).await;
        assert_eq!(read, b"12345");
        assert!(matches!(ended, Error::Protocol(DecodeError::MessageTooBig { limit: 10 })));
    }
}

#[tokio::test]
async fn a_close_in_the_middle_of_a_message_ends_its_reader() {
    for us in ROLES {
        for (code, kind) in [(1000, ErrorKind::UnexpectedEof), (4000, ErrorKind::Other)] {
            let begun = frame(peer_of(us), 0x02, b"begun");
            let wire = [begun, close(peer_of(us), code, "")].concat();
            let (mut connection, mut peer) = told(us, &wire).await;
            peer.shutdown().await.unwrap();
            let mut reader = connection.reader().await.unwrap().unwrap();
            let mut read = Vec::new();
            let error = reader.read_to_end(&mut read).await.unwrap_err();
            assert_eq!((&read[..], error.kind()), (&b"begun"[..], kind));
            drop(reader);
            assert_eq!(connection.recv().await.is_ok(), code == 1000);
            assert!(connection.reader().await.map_or(true, |reader| reader.is_none()));
            assert_eq!(connection.close_frame().unwrap().code(), CloseCode::new(code));
        }
    }
}

#[tokio::test]
async fn a_cut_in_the_middle_of_a_message_is_an_error() {
    for us in ROLES {
        let wire = [frame(peer_of(us), 0x02, b"begun"), vec![0x80]].concat();
        let (connection, mut peer) = told(us, &wire).await;
        peer.shutdown().await.unwrap();
        let (read, error, ended) = fails(connection).await;
        assert_eq!((&read[..], error.kind()), (&b"begun"[..], ErrorKind::UnexpectedEof));
        assert!(matches!(ended, Error::Cut(None)));
    }
}

#[tokio::test]
async fn a_large_frame_comes_in_chunks_before_all_of_it_has_arrived() {
    for us in ROLES {
        let payload: Vec<u8> = (0..300_000_u32).map(|n| n as u8).collect();
        let wire = frame(peer_of(us), 0x82, &payload);
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        let writing = tokio::spawn(async move {
            let (early, late) = wire.split_at(2 * PIPE);
            peer.write_all(early).await.unwrap();
            (peer, late.to_vec())
        });
        let mut reader = connection.reader().await.unwrap().unwrap();
        let mut read = vec![0; 64 << 10];
        reader.read_exact(&mut read).await.unwrap();
        let (mut peer, late) = writing.await.unwrap();
        let writing = tokio::spawn(async move { peer.write_all(&late).await.map(|()| peer) });
        reader.read_to_end(&mut read).await.unwrap();
        assert!(read == payload);
        drop(reader);
        let _peer = writing.await.unwrap().unwrap();
        assert!(waits(connection.recv()).await);
    }
}

#[tokio::test]
async fn reader_of_a_connection_that_has_ended_is_none_or_says_how() {
    let (mut connection, mut peer) = told(Role::Server, &close(Role::Client, 1001, "")).await;
    peer.shutdown().await.unwrap();
    assert!(connection.reader().await.unwrap().is_none());
    let (mut connection, peer) = told(Role::Server, b"").await;
    drop(peer);
    assert!(matches!(connection.reader().await, Err(Error::Cut(_))));
    assert!(matches!(connection.recv().await, Err::<Option<Message>, _>(Error::Cut(_))));
}
