//! What a half does at once: a message that was read is received without the lock, and one that has room is queued unless others
//! wait.

use std::io;
use std::pin::Pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use ws_tokio::{CloseCode, Error, Role, Settings};

use crate::gated::{Gated, gated};
use crate::support::memory::over;
use crate::support::wire::{ROLES, frame, peer_of};
use crate::{payloads, settle};

/// A stream that says when it is written to, and is until it is told to go on.
struct Held {
    stream: Gated,
    entered: Sender<()>,
    go_on: Receiver<()>,
}

impl AsyncRead for Held {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Held {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.entered.send(()).expect("the test waits for it");
        let told = self.go_on.recv_timeout(Duration::from_secs(60));
        told.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[tokio::test]
async fn what_was_read_is_received_while_another_thread_is_inside_a_write() {
    for us in ROLES {
        let (stream, gate) = gated();
        let ((entered, has_entered), (tell, go_on)) = (channel(), channel());
        let held = Held { stream, entered, go_on };
        let (mut receiving, sending) = over(held, us, Settings::default()).split();
        gate.take(usize::MAX);
        gate.give(&frame(peer_of(us), 0x82, b"message").repeat(3));
        assert!(receiving.recv().await.expect("the first").is_some());
        let writing = thread::spawn(move || {
            let runtime = Builder::new_current_thread().build().expect("a runtime");
            runtime.block_on(sending.send("ours"))
        });
        has_entered.recv().expect("a write");
        for _ in 0..2 {
            let received = receiving.recv().now_or_never().expect("it is there");
            assert_eq!(received.expect("a message").expect("one").as_bytes(), &b"message"[..]);
        }
        tell.send(()).expect("it still waits");
        writing.join().expect("no panic").expect("it was let go on in time");
        assert_eq!(payloads(us, &gate.written()), [b"ours"]);
    }
}

#[tokio::test]
async fn a_message_that_was_read_is_not_received_after_the_end() {
    for us in ROLES {
        let (stream, gate) = gated();
        let (mut receiving, sending) = over(stream, us, Settings::default()).split();
        gate.give(&frame(peer_of(us), 0x82, b"message").repeat(2));
        assert!(receiving.recv().await.expect("the first").is_some());
        sending.close_now();
        assert!(matches!(receiving.recv().await, Err(Error::Cut(None))));

        let (stream, gate) = gated();
        gate.take(usize::MAX);
        let (mut receiving, _sending) = over(stream, us, Settings::default()).split();
        gate.give(&frame(peer_of(us), 0x82, b"message").repeat(2));
        assert!(receiving.recv().await.expect("the first").is_some());
        receiving.fail(CloseCode::POLICY_VIOLATION, "").expect("a frame");
        gate.end();
        assert!(matches!(receiving.recv().await, Err(Error::Failed(CloseCode::POLICY_VIOLATION))));
    }
}

#[tokio::test]
async fn a_message_that_has_room_waits_behind_one_that_has_not() {
    let (stream, gate) = gated();
    let settings = Settings::default().queue_limit(100);
    let (_receiving, sending) = over(stream, Role::Server, settings).split();
    sending.feed(vec![0; 50]).await.expect("an empty queue");
    let mut senders = JoinSet::new();
    for (task, len) in [(1, 90), (2, 1), (3, 1)] {
        let sending = sending.clone();
        senders.spawn(async move { sending.feed(vec![task; len]).await });
        settle().await;
    }
    assert_eq!(sending.queued(), 52, "the small ones have room, but it isn't their turn");
    gate.take(usize::MAX);
    for fed in senders.join_all().await {
        fed.expect("an open connection");
    }
    sending.flush().await.expect("an open connection");
    let order: Vec<_> = payloads(Role::Server, &gate.written()).iter().map(|it| it[0]).collect();
    assert_eq!(order, [0, 1, 2, 3]);
}
