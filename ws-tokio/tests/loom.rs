//! Every order in which tasks on several threads can come by one connection: none sleeps for ever.
//!
//! `RUSTFLAGS='--cfg ws_loom' cargo test --release -p ws-tokio --test loom`: loom runs each model once for each order of
//! what its threads do with locks and atomics, and fails where all of them wait.
#![cfg(ws_loom)]

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::BytesMut;
use loom::future::block_on;
use loom::model::Builder;
use loom::sync::{Arc, Mutex};
use loom::thread;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use ws_tokio::{CloseCode, Connection, Error, Negotiated, Role, Settings, Tracker};

/// The connection's end of a stream. It remembers one waker for each direction, as sockets do.
struct Stream(Arc<Mutex<State>>);

/// The peer, on whichever thread.
#[derive(Clone)]
struct Peer(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    incoming: Vec<u8>,
    ended: bool,
    takes: usize,
    written: usize,
    /// What the peer says, and then ends, once so many bytes were written.
    answer: Option<(usize, &'static [u8])>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// A server's messages, as a client sends them, masked with the key zero.
const MESSAGE: &[u8] = b"\x81\x82\0\0\0\0in";
const CLOSE: &[u8] = b"\x88\x80\0\0\0\0";
/// The pong to a connection's first ping.
const PONG: &[u8] = b"\x8a\x88\0\0\0\0\0\0\0\0\0\0\0\x01";

fn connection() -> (Connection<Stream>, Peer) {
    let state = Arc::new(Mutex::new(State::default()));
    let stream = Stream(state.clone());
    let (nothing, negotiated) = (BytesMut::new(), Negotiated::default());
    let settings = Settings::default();
    (Connection::from_upgraded(stream, Role::Server, nothing, negotiated, settings), Peer(state))
}

impl Peer {
    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.0.lock().expect("no panic");
        change(&mut state);
        let woken = [state.reader.take(), state.writer.take()];
        drop(state);
        woken.into_iter().flatten().for_each(Waker::wake);
    }

    fn says(&self, bytes: &[u8]) {
        self.change(|state| state.incoming.extend_from_slice(bytes));
    }

    fn takes(&self, bytes: usize) {
        self.change(|state| state.takes += bytes);
    }

    fn ends(&self) {
        self.change(|state| state.ended = true);
    }

    /// Says this and ends, once so many bytes came.
    fn answers(&self, behind: usize, bytes: &'static [u8]) {
        self.change(|state| {
            state.takes = usize::MAX;
            state.answer = Some((behind, bytes));
        });
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut state = self.0.lock().expect("no panic");
        if state.incoming.is_empty() && !state.ended {
            state.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        buf.put_slice(&std::mem::take(&mut state.incoming));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut state = self.0.lock().expect("no panic");
        let len = buf.len().min(state.takes);
        if len == 0 {
            state.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        state.takes -= len;
        state.written += len;
        let written = state.written;
        if let Some((_, answer)) = state.answer.take_if(|(behind, _)| written >= *behind) {
            state.incoming.extend_from_slice(answer);
            state.ended = true;
            let reader = state.reader.take();
            drop(state);
            // From within a write: whoever polls the stream may be woken by it.
            reader.into_iter().for_each(Waker::wake);
        }
        Poll::Ready(Ok(len))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Checks a model in each order with up to so many switches that no thread asked for.
fn check(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    // Deadlines need a runtime to be in; none passes here.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let _inside = runtime.enter();
    let mut builder = Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

/// Polls what two threads share, locked for one poll at a time, as `StreamExt::split` of the futures crates does.
fn by_polls<R>(
    shared: &Mutex<Connection<Stream>>,
    mut poll: impl FnMut(&mut Connection<Stream>, &mut Context<'_>) -> Poll<R>,
) -> R {
    block_on(poll_fn(|cx| poll(&mut shared.lock().expect("no panic"), cx)))
}

fn receives(shared: &Mutex<Connection<Stream>>) -> Result<Option<ws_tokio::Message>, Error> {
    by_polls(shared, |connection, cx| pin!(connection.recv()).poll(cx))
}

#[test]
fn a_whole_connection_is_polled_by_a_task_that_receives_and_one_that_writes() {
    check(2, || {
        let (mut connection, peer) = connection();
        connection.outbox().send("out").unwrap();
        let shared = Arc::new(Mutex::new(connection));
        let writes = shared.clone();
        let writing = thread::spawn(move || {
            by_polls(&writes, |connection, cx| pin!(connection.flush()).poll(cx)).unwrap();
        });
        let peer = thread::spawn(move || {
            peer.takes(5);
            peer.says(MESSAGE);
        });
        assert_eq!(receives(&shared).unwrap(), Some("in".into()));
        writing.join().unwrap();
        peer.join().unwrap();
    });
}

#[test]
fn a_whole_connection_is_closed_by_one_task_while_another_receives() {
    check(2, || {
        let (connection, peer) = connection();
        peer.answers(4, CLOSE);
        let shared = Arc::new(Mutex::new(connection));
        let closes = shared.clone();
        let closing = thread::spawn(move || {
            by_polls(&closes, |connection, cx| {
                pin!(connection.close(CloseCode::NORMAL, "")).poll(cx)
            })
            .unwrap();
        });
        assert_eq!(receives(&shared).unwrap(), None);
        closing.join().unwrap();
    });
}

#[test]
fn halves_receive_and_send() {
    check(2, || {
        let (connection, peer) = connection();
        let (mut receiving, sending) = connection.split();
        let sends = thread::spawn(move || block_on(sending.send("out")).unwrap());
        let peer = thread::spawn(move || {
            peer.says(MESSAGE);
            peer.takes(5);
        });
        assert_eq!(block_on(receiving.recv()).unwrap(), Some("in".into()));
        sends.join().unwrap();
        peer.join().unwrap();
    });
}

#[test]
fn two_halves_send_while_none_receives() {
    check(2, || {
        let (connection, peer) = connection();
        let (_receiving, sending) = connection.split();
        let other = sending.clone();
        let sends = thread::spawn(move || block_on(other.send("one")).unwrap());
        let takes = thread::spawn(move || {
            peer.takes(3);
            peer.takes(7);
        });
        block_on(sending.send("two")).unwrap();
        sends.join().unwrap();
        takes.join().unwrap();
    });
}

#[test]
fn a_ping_of_one_task_leaves_and_resolves_while_another_receives() {
    check(3, || {
        let (connection, peer) = connection();
        peer.answers(10, PONG);
        let (mut receiving, sending) = connection.split();
        let pings = thread::spawn(move || block_on(sending.ping().unwrap()).unwrap());
        assert!(matches!(block_on(receiving.recv()), Err(Error::Cut(None))));
        pings.join().unwrap();
    });
}

#[test]
fn what_an_outbox_takes_leaves_while_another_task_receives() {
    check(3, || {
        let (connection, peer) = connection();
        peer.answers(5, MESSAGE);
        let (mut receiving, sending) = connection.split();
        let leaves = thread::spawn(move || sending.outbox().send("out").unwrap());
        assert_eq!(block_on(receiving.recv()).unwrap(), Some("in".into()));
        leaves.join().unwrap();
    });
}

#[test]
fn a_half_closes_while_another_task_receives() {
    check(2, || {
        let (connection, peer) = connection();
        peer.answers(4, CLOSE);
        let (mut receiving, sending) = connection.split();
        let closes = thread::spawn(move || block_on(sending.close(CloseCode::NORMAL, "")).unwrap());
        assert_eq!(block_on(receiving.recv()).unwrap(), None);
        closes.join().unwrap();
    });
}

#[test]
fn a_half_closes_while_the_receiving_one_is_dropped() {
    check(2, || {
        let (connection, peer) = connection();
        peer.answers(4, CLOSE);
        let (receiving, sending) = connection.split();
        let drops = thread::spawn(move || drop(receiving));
        block_on(sending.close(CloseCode::NORMAL, "")).unwrap();
        drops.join().unwrap();
    });
}

#[test]
fn a_half_receives_while_the_sending_one_is_dropped() {
    check(2, || {
        let (connection, peer) = connection();
        let (mut receiving, sending) = connection.split();
        let drops = thread::spawn(move || {
            drop(sending);
            peer.says(MESSAGE);
            peer.ends();
        });
        assert_eq!(block_on(receiving.recv()).unwrap(), Some("in".into()));
        drops.join().unwrap();
        assert!(matches!(block_on(receiving.recv()), Err(Error::Cut(None))));
    });
}

/// Begins a tracker's shutdown, and doesn't wait for it.
fn begins_a_shutdown(tracker: &Tracker) {
    let mut nobody = Context::from_waker(Waker::noop());
    assert!(pin!(tracker.shutdown(Duration::MAX)).poll(&mut nobody).is_pending());
}

#[test]
fn a_tracker_shuts_down_while_a_task_receives() {
    check(3, || {
        let (mut connection, peer) = connection();
        peer.answers(4, CLOSE);
        let tracker = Tracker::new();
        connection.track(tracker.enter().expect("open"));
        let shuts_down = thread::spawn(move || begins_a_shutdown(&tracker));
        assert_eq!(block_on(connection.recv()).unwrap(), None);
        shuts_down.join().unwrap();
    });
}

#[test]
fn a_tracker_shuts_down_while_one_half_receives_and_another_sends() {
    check(2, || {
        let (mut connection, peer) = connection();
        let tracker = Tracker::new();
        connection.track(tracker.enter().expect("open"));
        let (mut receiving, sending) = connection.split();
        let sends = thread::spawn(move || _ = block_on(sending.send("out")));
        let shuts_down = thread::spawn(move || {
            begins_a_shutdown(&tracker);
            // Our close frame alone, or behind the message.
            peer.answers(4, CLOSE);
        });
        assert_eq!(block_on(receiving.recv()).unwrap(), None);
        sends.join().unwrap();
        shuts_down.join().unwrap();
    });
}

#[test]
fn close_now_ends_a_task_that_receives_and_one_that_writes() {
    check(2, || {
        let (connection, _peer) = connection();
        let (mut receiving, sending) = connection.split();
        let other = sending.clone();
        let writes = thread::spawn(move || block_on(other.send("out")).is_err());
        let ends = thread::spawn(move || sending.close_now());
        assert!(matches!(block_on(receiving.recv()), Err(Error::Cut(None))));
        assert!(writes.join().unwrap());
        ends.join().unwrap();
    });
}
