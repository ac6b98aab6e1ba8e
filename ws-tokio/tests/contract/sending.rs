//! Sending: whole frames in order, written when they should be, and held back where the peer doesn't read.

use std::collections::HashSet;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufStream, ReadBuf, duplex};
use ws_tokio::{CloseCode, EncodeError, Error, Message, Role, Settings};

use crate::support::counted::Counted;
use crate::support::memory::{self, PIPE, read_some, waits};
use crate::support::parse::frames;
use crate::support::tcp;
use crate::support::wire::{ROLES, close, frame, peer_of};

#[tokio::test]
async fn lengths_are_written_in_their_shortest_form() {
    for us in ROLES {
        for len in [0, 125, 126, 65_535, 65_536] {
            let (mut connection, mut peer) = tcp::connection(us, Settings::default()).await;
            connection.send(vec![7; len]).await.unwrap();
            drop(connection);
            let read = tcp::read_to_end(&mut peer).await;
            assert_eq!(read.len(), frame(us, 0x82, &vec![7; len]).len());
            assert_eq!(frames(us, &read), [(0x82, vec![7; len])]);
        }
    }
}

#[tokio::test]
async fn a_callers_payload_is_never_changed() {
    for us in ROLES {
        let payload = Bytes::from(vec![7; 50_000]);
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        connection.send(payload.clone()).await.unwrap();
        assert_eq!(payload, vec![7; 50_000]);
        drop(connection);
        assert_eq!(frames(us, &memory::read_to_end(&mut peer).await), [(0x82, payload.to_vec())]);
    }
}

#[tokio::test]
async fn each_frame_of_a_client_has_a_key_of_its_own() {
    let (mut connection, mut peer) = memory::connection(Role::Client, Settings::default());
    for _ in 0..100 {
        connection.feed("").await.unwrap();
    }
    connection.flush().await.unwrap();
    let read = read_some(&mut peer).await;
    let keys: HashSet<_> = read.chunks(6).map(|frame| frame[2..].to_vec()).collect();
    assert_eq!(keys.len(), 100);
}

#[tokio::test]
async fn what_is_fed_is_written_when_recv_waits_and_in_one_write() {
    for us in ROLES {
        let (ours, mut peer) = duplex(PIPE);
        let mut connection = memory::over(Counted::new(ours), us, Settings::default());
        for _ in 0..10 {
            connection.feed("burst").await.unwrap();
        }
        assert_eq!(connection.get_ref().writes(), 0);
        assert_eq!(connection.queued(), 10 * frame(us, 0x81, b"burst").len());
        assert!(waits(connection.recv()).await);
        assert_eq!((connection.get_ref().writes(), connection.queued()), (1, 0));
        assert_eq!(frames(us, &read_some(&mut peer).await).len(), 10);
    }
}

#[tokio::test]
async fn feed_starts_to_write_at_the_high_water_mark() {
    for us in ROLES {
        let settings = Settings::default().high_water(100);
        let (mut connection, mut peer) = memory::connection(us, settings);
        connection.feed(vec![7; 90]).await.unwrap();
        assert!(waits(read_some(&mut peer)).await, "below the mark nothing is written");
        connection.feed(vec![8; 90]).await.unwrap();
        connection.feed(vec![9; 90]).await.unwrap();
        assert_eq!(
            frames(us, &read_some(&mut peer).await)[..],
            [(0x82, vec![7; 90]), (0x82, vec![8; 90])]
        );
    }
}

#[tokio::test]
async fn a_full_queue_makes_senders_wait_and_grows_no_more() {
    for us in ROLES {
        let settings = Settings::default().queue_limit(1000);
        let (mut connection, mut peer) = memory::connection(us, settings);
        let mut fed = 0;
        while !waits(connection.feed(vec![fed as u8; 300])).await {
            fed += 1;
            assert!(connection.queued() <= 1000);
        }
        assert!(fed > PIPE / 310, "the pipe is full");
        let next = async {
            connection.send("next").await.unwrap();
            drop(connection);
        };
        let ((), read) = tokio::join!(next, memory::read_to_end(&mut peer));
        let frames = frames(us, &read);
        assert_eq!(frames.len(), fed + 1, "what waited and was dropped was not queued");
        assert!((0..fed).all(|n| frames[n] == (0x82, vec![n as u8; 300])), "in order");
    }
}

#[tokio::test]
async fn a_message_larger_than_the_queue_limit_goes_alone_into_an_empty_queue() {
    for us in ROLES {
        for limit in [0, 100] {
            let settings = Settings::default().queue_limit(limit).high_water(usize::MAX);
            let (mut connection, mut peer) = memory::connection(us, settings);
            connection.feed(vec![7; 3 * PIPE]).await.unwrap();
            assert!(connection.queued() > 3 * PIPE);
            assert!(waits(connection.feed("x")).await, "the queue isn't empty");
            let next = async {
                connection.feed("x").await.unwrap();
                connection.flush().await.unwrap();
                drop(connection);
            };
            let ((), read) = tokio::join!(next, memory::read_to_end(&mut peer));
            assert_eq!(frames(us, &read), [(0x82, vec![7; 3 * PIPE]), (0x81, b"x".to_vec())]);
        }
    }
}

#[tokio::test]
async fn large_and_small_payloads_keep_their_order_on_any_transport() {
    for us in ROLES {
        let payloads = [10, 20_000, 0, 16_384, 16_383, 70_000, 5].map(|len| vec![len as u8; len]);
        let messages = payloads.clone().map(Message::from);
        let expected = payloads.map(|payload| (0x82, payload));
        let (mut vectored, mut peer) = tcp::connection(us, Settings::default()).await;
        for message in messages.clone() {
            vectored.feed(message).await.unwrap();
        }
        vectored.flush().await.unwrap();
        drop(vectored);
        assert_eq!(frames(us, &tcp::read_to_end(&mut peer).await), expected);
        let (ours, mut peer) = duplex(8 * PIPE);
        let mut plain = memory::over(BufStream::new(ours), us, Settings::default());
        for message in messages {
            plain.feed(message).await.unwrap();
        }
        plain.flush().await.unwrap();
        drop(plain);
        assert_eq!(frames(us, &memory::read_to_end(&mut peer).await), expected);
    }
}

#[tokio::test]
async fn sending_after_a_close_frame_was_sent_is_the_callers_error_and_queues_nothing() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        assert!(waits(connection.close(CloseCode::NORMAL, "")).await);
        let queued = connection.queued();
        let error = connection.send("late").await.unwrap_err();
        assert!(matches!(error, Error::Send(EncodeError::Closed)), "{error:?}");
        assert_eq!(connection.queued(), queued);
        peer.write_all(&close(peer_of(us), 1000, "")).await.unwrap();
        peer.shutdown().await.unwrap();
        connection.recv().await.unwrap();
        let error = connection.feed("later").await.unwrap_err();
        assert!(matches!(error, Error::Send(EncodeError::Closed)), "after the end: {error:?}");
        let error = connection.ping().unwrap_err();
        assert!(matches!(error, Error::Send(EncodeError::Closed)), "after the end: {error:?}");
    }
}

#[tokio::test]
async fn sending_after_the_transport_failed_says_so() {
    for us in ROLES {
        let (mut connection, peer) = memory::connection(us, Settings::default());
        drop(peer);
        for _ in 0..2 {
            let error = connection.send("to nobody").await.unwrap_err();
            assert!(matches!(error, Error::Io(error) if error.kind() == ErrorKind::BrokenPipe));
            assert_eq!(connection.queued(), 0);
        }
    }
}

#[tokio::test]
async fn receiving_goes_on_after_writing_failed() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        let (ping, message) =
            (frame(peer_of(us), 0x89, b""), frame(peer_of(us), 0x81, b"last words"));
        let wire = [ping, message, close(peer_of(us), 4000, "gone")];
        peer.write_all(&wire.concat()).await.unwrap();
        drop(peer);
        connection.send("to nobody").await.unwrap_err();
        assert_eq!(connection.recv().await.unwrap(), Some("last words".into()));
        assert_eq!(connection.queued(), 0, "nobody would write a pong");
        assert!(
            matches!(connection.recv().await, Err(Error::Closed(frame)) if frame.reason() == "gone")
        );
    }
}

/// A transport that takes nothing and says so at once.
struct TakesNothing;

impl AsyncRead for TakesNothing {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for TakesNothing {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(0))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn a_transport_that_takes_0_bytes_is_an_error_and_no_loop() {
    for us in ROLES {
        let mut connection = memory::over(TakesNothing, us, Settings::default());
        let error = connection.send("x").await.unwrap_err();
        assert!(matches!(error, Error::Io(error) if error.kind() == ErrorKind::WriteZero));
    }
}

#[tokio::test]
async fn a_transport_that_buffers_is_flushed_by_whatever_writes() {
    for us in ROLES {
        let (ours, mut peer) = duplex(PIPE);
        let mut connection = memory::over(BufStream::new(ours), us, Settings::default());
        connection.send("sent").await.unwrap();
        assert_eq!(frames(us, &read_some(&mut peer).await), [(0x81, b"sent".to_vec())]);
        peer.write_all(&frame(peer_of(us), 0x89, b"ping")).await.unwrap();
        assert!(waits(connection.recv()).await);
        assert_eq!(frames(us, &read_some(&mut peer).await), [(0x8a, b"ping".to_vec())]);
        assert!(waits(connection.close(CloseCode::NORMAL, "")).await);
        assert_eq!(frames(us, &read_some(&mut peer).await), [(0x88, b"\x03\xe8".to_vec())]);
    }
}
