//! Defaults that a user relies on without naming them, and bounds that no setting moves.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::timeout;
use ws_tokio::{AcceptError, AcceptOptions, DecodeError, Error, Role, Settings, accept};

use crate::gated::gated;
use crate::support::memory::{self, over, read_some};
use crate::support::tcp;
use crate::support::wire::{ROLES, frame, peer_of};

/// A request as a client of the protocol sends it, with these header lines besides.
fn request(lines: &str) -> String {
    format!(
        "GET / HTTP/1.1\r\n{lines}Host: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
}

#[tokio::test]
async fn feed_begins_to_write_at_64_kib() {
    for us in ROLES {
        let (stream, gate) = gated();
        gate.take(usize::MAX);
        let mut connection = over(stream, us, Settings::default());
        for _ in 0..62 {
            connection.feed(vec![7; 1 << 10]).await.unwrap();
        }
        connection.feed(vec![7; 1000]).await.unwrap();
        assert!(connection.queued() < 64 << 10);
        assert!(gate.written().is_empty());
        connection.feed(vec![7; 1000]).await.unwrap();
        connection.feed("more").await.unwrap();
        assert!(gate.written().len() >= 64 << 10);
    }
}

#[tokio::test]
async fn a_message_of_1_mib_is_received_and_one_byte_more_is_not() {
    for us in ROLES {
        for (over, first) in [(0, 0x82), (1, 0x82), (1, 0x02)] {
            let wire = frame(peer_of(us), first, &vec![b'x'; (1 << 20) + over]);
            let (stream, mut peer) = tokio::io::duplex(2 << 20);
            peer.write_all(&wire).await.unwrap();
            peer.shutdown().await.unwrap();
            match memory::over(stream, us, Settings::default()).recv().await {
                Ok(Some(message)) => assert_eq!((message.as_bytes().len(), over), (1 << 20, 0)),
                Err(Error::Protocol(error)) => {
                    assert_eq!((error, over), (DecodeError::MessageTooBig { limit: 1 << 20 }, 1));
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_neither_asked_nor_given_up_unless_that_is_wanted() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        let waited = timeout(Duration::from_secs(30 * 24 * 60 * 60), connection.recv()).await;
        assert!(waited.is_err(), "{waited:?}");
        drop(connection);
        assert_eq!(memory::read_to_end(&mut peer).await, b"");
    }
}

#[tokio::test]
async fn connections_of_one_client_mask_with_different_keys() {
    let mut keys = HashSet::new();
    for _ in 0..10 {
        let (mut client, mut peer) = memory::connection(Role::Client, Settings::default());
        client.send("").await.unwrap();
        keys.insert(read_some(&mut peer).await[2..6].to_vec());
    }
    assert!(keys.len() > 5, "{keys:?}");
}

#[tokio::test(start_paused = true)]
async fn lingering_reads_no_more_than_64_mib() {
    for us in ROLES {
        let (stream, mut peer) = tokio::io::duplex(1 << 20);
        let mut connection = over(stream, us, Settings::default());
        let endless = async move {
            peer.write_all(&frame(peer_of(us), 0x83, b"")).await.unwrap();
            let (zeros, mut taken) = (vec![0; 1 << 20], 0);
            while peer.write_all(&zeros).await.is_ok() {
                taken += 1;
            }
            taken
        };
        let refused = async move {
            let ended = connection.recv().await;
            assert!(matches!(ended, Err(Error::Protocol(DecodeError::ReservedOpcode(3)))));
        };
        let (taken, ()) = tokio::join!(endless, refused);
        assert!((64..=66).contains(&taken), "{taken} MiB");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_the_client_does_not_take_is_given_up_at_the_deadline() {
    let (server, mut client) = tokio::io::duplex(16);
    let options = AcceptOptions::default();
    let request = request("");
    let (accepted, asked) =
        tokio::join!(options.accept(server), client.write_all(request.as_bytes()));
    asked.unwrap();
    let error = accepted.unwrap_err();
    assert!(matches!(error, AcceptError::Io(error) if error.kind() == ErrorKind::TimedOut));
}

/// The head that a default server answers with.
async fn answer(request: String) -> String {
    let (mut client, server) = tcp::streams().await;
    let serving = tokio::spawn(async move { accept(server).await.map(drop) });
    client.write_all(request.as_bytes()).await.expect("an open stream");
    client.shutdown().await.expect("an open stream");
    let read = tcp::read_to_end(&mut client).await;
    _ = serving.await.expect("no panic");
    String::from_utf8(read).expect("text")
}

#[tokio::test]
async fn extensions_that_are_offered_are_not_agreed_to_by_default_and_do_not_matter() {
    for offer in
        ["permessage-deflate", "permessage-deflate; client_max_window_bits", "a, b;c=\"d\"", "=;,"]
    {
        let answer = answer(request(&format!("Sec-WebSocket-Extensions: {offer}\r\n"))).await;
        assert!(answer.starts_with("HTTP/1.1 101 "), "{offer}: {answer}");
        assert!(!answer.to_ascii_lowercase().contains("extensions"), "{answer}");
    }
}

#[tokio::test]
async fn white_space_between_the_request_line_and_the_first_header_is_a_400() {
    for space in [" ", "\t", " X: y\r\n "] {
        let answer = answer(request(space)).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{space:?}: {answer}");
    }
}
