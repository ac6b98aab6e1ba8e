//! What went wrong in other libraries, as the rule that holds here; where another file holds it, it stands there.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufStream, DuplexStream, ReadBuf, duplex};
use tokio::runtime::Handle;
use tokio::time::sleep;
use ws_tokio::{AcceptError, CloseCode, DecodeError, Error, Settings};

use super::handshake_server::REQUEST;
use crate::support::memory::{self, PIPE, read_some, waits};
use crate::support::parse::frames;
use crate::support::tcp;
use crate::support::wire::{ROLES, close, frame, peer_of};

const TEXT: &str = "k\u{f6}\u{20ac}\u{1f600}";

#[tokio::test]
async fn text_is_the_same_however_it_is_fragmented_and_cut_across_reads() {
    for us in ROLES {
        for cut in 0..=TEXT.len() {
            let (start, end) = TEXT.as_bytes().split_at(cut);
            let fragments = [(0x01, start), (0x00, b""), (0x80, end)];
            let wire = fragments.map(|(first, part)| frame(peer_of(us), first, part)).concat();
            for portion in [1, 3, wire.len()] {
                let (mut connection, mut peer) = memory::connection(us, Settings::default());
                for part in wire.chunks(portion) {
                    assert!(waits(connection.recv()).await, "not whole yet");
                    peer.write_all(part).await.unwrap();
                }
                assert_eq!(connection.recv().await.unwrap(), Some(TEXT.into()));
            }
        }
    }
}

#[tokio::test]
async fn text_that_ends_inside_a_code_point_is_refused_whatever_frame_ends_it() {
    for us in ROLES {
        for cut in (0..TEXT.len()).filter(|cut| !TEXT.is_char_boundary(*cut)) {
            let start = frame(peer_of(us), 0x01, &TEXT.as_bytes()[..cut]);
            let empty_end = [start, frame(peer_of(us), 0x80, b"")].concat();
            for wire in [empty_end, frame(peer_of(us), 0x81, &TEXT.as_bytes()[..cut])] {
                let (mut connection, mut peer) = memory::connection(us, Settings::default());
                peer.write_all(&wire).await.unwrap();
                peer.shutdown().await.unwrap();
                let error = connection.recv().await.unwrap_err();
                assert!(matches!(error, Error::Protocol(DecodeError::InvalidUtf8)));
            }
        }
    }
}

#[tokio::test]
async fn a_payload_that_looks_like_frames_is_never_read_as_frames() {
    for us in ROLES {
        let injected = frame(peer_of(us), 0x81, b"injected").repeat(20);
        let outer = frame(peer_of(us), 0x82, &injected);
        let next = frame(peer_of(us), 0x81, b"next");
        for arrived in (0..outer.len()).step_by(7) {
            let (mut connection, mut peer) = memory::connection(us, Settings::default());
            peer.write_all(&outer[..arrived]).await.unwrap();
            assert!(waits(connection.recv()).await);
            assert!(waits(connection.recv_into(&mut Vec::new())).await);
            peer.write_all(&[&outer[arrived..], &next].concat()).await.unwrap();
            assert_eq!(connection.recv().await.unwrap(), Some(injected.clone().into()));
            assert_eq!(connection.recv().await.unwrap(), Some("next".into()));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_waits_in_recv_writes_on_when_the_peer_reads_again() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        connection.feed(vec![7; 3 * PIPE]).await.unwrap();
        let reads_late = async {
            sleep(Duration::from_secs(20)).await;
            let mut read = 0;
            while read < 3 * PIPE {
                read += read_some(&mut peer).await.len();
            }
        };
        tokio::select! {
            received = connection.recv() => panic!("{received:?}"),
            () = reads_late => {}
        }
        assert!(connection.queued() <= 14, "all but what the pipe took last");
    }
}

#[tokio::test]
async fn two_peers_that_write_before_they_read_both_get_on() {
    let (left, right) = tcp::streams().await;
    let talk = async |stream, us| {
        let mut connection = memory::over(stream, us, Settings::default().queue_limit(32 << 20));
        for _ in 0..20 {
            connection.feed(vec![7; 1 << 20]).await.unwrap();
        }
        for _ in 0..20 {
            assert_eq!(connection.recv().await.unwrap().unwrap().as_bytes().len(), 1 << 20);
        }
        connection.close(CloseCode::NORMAL, "").await.unwrap();
    };
    tokio::join!(talk(left, ROLES[0]), talk(right, ROLES[1]));
}

#[tokio::test]
async fn a_transport_that_buffers_is_flushed_by_a_handshake_and_by_its_refusal() {
    let (mut client, server) = duplex(PIPE);
    client.write_all(REQUEST.as_bytes()).await.unwrap();
    let _connection = ws_tokio::accept(BufStream::new(server)).await.unwrap();
    assert!(read_some(&mut client).await.ends_with(b"\r\n\r\n"));
    let (mut client, server) = duplex(PIPE);
    client.write_all(b"nonsense\r\n\r\n").await.unwrap();
    client.shutdown().await.unwrap();
    let refused = ws_tokio::accept(BufStream::new(server)).await;
    assert!(matches!(refused, Err(AcceptError::Refused(_))));
    assert!(memory::read_to_end(&mut client).await.starts_with(b"HTTP/1.1 400 "));
}

#[tokio::test]
async fn a_close_that_crosses_a_ping_and_a_message_loses_neither_close_frame() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        let ping = connection.ping().unwrap();
        connection.feed("last").await.unwrap();
        assert!(waits(connection.recv()).await);
        assert!(waits(connection.close(CloseCode::GOING_AWAY, "")).await);
        let crossing = [frame(peer_of(us), 0x89, b""), close(peer_of(us), 4000, "mine")].concat();
        peer.write_all(&crossing).await.unwrap();
        peer.shutdown().await.unwrap();
        connection.close(CloseCode::NORMAL, "").await.unwrap();
        assert_eq!(connection.close_frame().map(|it| it.code().get()), Some(4000));
        assert!(matches!(ping.await, Err(Error::Cut(_))));
        drop(connection);
        let read = frames(us, &memory::read_to_end(&mut peer).await);
        let firsts: Vec<_> = read.iter().map(|(first, _)| *first).collect();
        assert_eq!(firsts, [0x89, 0x81, 0x88]);
    }
}

/// A stream whose reader must not write into the memory that it reads into.
struct Untouched(DuplexStream);

impl AsyncRead for Untouched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        assert!(buf.initialized().is_empty(), "{} bytes were filled", buf.initialized().len());
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Untouched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[tokio::test]
async fn no_read_buffer_is_filled_before_it_is_read_into() {
    for us in ROLES {
        let (stream, mut peer) = duplex(PIPE);
        let mut connection = memory::over(Untouched(stream), us, Settings::default());
        for len in [0, 20, 3000, 60_000] {
            peer.write_all(&frame(peer_of(us), 0x82, &vec![7; len])).await.unwrap();
            assert_eq!(connection.recv().await.unwrap(), Some(vec![7; len].into()));
        }
        peer.write_all(&close(peer_of(us), 1000, "")).await.unwrap();
        peer.shutdown().await.unwrap();
        assert_eq!(connection.recv().await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_connection_has_no_task_of_its_own_not_even_in_halves() {
    let (client, server) = ws_tokio::pipe().await;
    let ((mut receiving, sending), mut client) = (server.split(), client);
    client.feed("ask").await.unwrap();
    client.flush().await.unwrap();
    assert_eq!(receiving.recv().await.unwrap(), Some("ask".into()));
    sending.send("answer").await.unwrap();
    assert_eq!(client.recv().await.unwrap(), Some("answer".into()));
    assert_eq!(Handle::current().metrics().num_alive_tasks(), 0);
}
