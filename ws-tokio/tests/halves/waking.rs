//! Whoever waits is woken by what it waits for, by nothing much else, and is forgotten once it waits no more.

use std::future::{Future, poll_fn};
use std::io::ErrorKind;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use tokio::task::JoinHandle;
use ws_tokio::{
    CloseCode, EncodeError, Error, Message, MessageKind, PayloadWriter, PreparedMessage, RecvHalf,
    Role, SendHalf, Settings,
};

use crate::gated::{Gate, Gated, gated};
use crate::support::memory::over;
use crate::support::wire::{ROLES, frame, peer_of};
use crate::{payloads, settle};

/// Halves over a transport that takes and gives nothing, yet.
fn halves(us: Role, settings: Settings) -> (RecvHalf<Gated>, SendHalf<Gated>, Gate) {
    let (stream, gate) = gated();
    let (receiving, sending) = over(stream, us, settings).split();
    (receiving, sending, gate)
}

fn spawn_recv(mut half: RecvHalf<Gated>) -> JoinHandle<Result<Option<Message>, Error>> {
    tokio::spawn(async move { half.recv().await })
}

fn spawn_send(half: &SendHalf<Gated>, message: &'static str) -> JoinHandle<Result<(), Error>> {
    let half = half.clone();
    tokio::spawn(async move { half.send(message).await })
}

#[tokio::test]
async fn a_blocked_sender_and_a_parked_receiver_each_wake() {
    for us in ROLES {
        let (receiving, sending, gate) = halves(us, Settings::default());
        let received = spawn_recv(receiving);
        let sent = spawn_send(&sending, "out");
        settle().await;
        assert!(!received.is_finished() && !sent.is_finished());
        gate.take(usize::MAX);
        sent.await.unwrap().unwrap();
        settle().await;
        assert!(!received.is_finished());
        gate.give(&frame(peer_of(us), 0x81, b"in"));
        assert_eq!(received.await.unwrap().unwrap(), Some("in".into()));
    }
}

#[tokio::test]
async fn a_parked_receiver_wakes_while_a_sender_stays_blocked() {
    for us in ROLES {
        let (receiving, sending, gate) = halves(us, Settings::default());
        let sent = spawn_send(&sending, "out");
        let received = spawn_recv(receiving);
        settle().await;
        gate.give(&frame(peer_of(us), 0x81, b"in"));
        assert_eq!(received.await.unwrap().unwrap(), Some("in".into()));
        settle().await;
        assert!(!sent.is_finished());
        gate.take(usize::MAX);
        sent.await.unwrap().unwrap();
        assert_eq!(payloads(us, &gate.written()), [b"out"]);
    }
}

#[tokio::test]
async fn a_transport_that_must_write_in_order_to_read_displaces_no_waker() {
    for us in ROLES {
        let (receiving, sending, gate) = halves(us, Settings::default());
        let sent = spawn_send(&sending, "out");
        settle().await;
        let received = spawn_recv(receiving);
        gate.give_behind(40, &frame(peer_of(us), 0x81, b"in"));
        settle().await;
        assert!(!received.is_finished() && !sent.is_finished());
        gate.take(40 + frame(us, 0x81, b"out").len());
        assert_eq!(received.await.unwrap().unwrap(), Some("in".into()));
        sent.await.unwrap().unwrap();
    }
}

/// One task for each way to wait for the queue: the writer has the turn, the last waits for that.
fn spawn_waiting(sending: &SendHalf<Gated>) -> Vec<JoinHandle<Result<(), Error>>> {
    let [streams, flushes, waits, feeds] = [(); 4].map(|()| sending.clone());
    vec![
        tokio::spawn(async move { streams.writer(MessageKind::Text).await?.finish().await }),
        tokio::spawn(async move { flushes.flush().await }),
        tokio::spawn(async move { waits.ready(100).await }),
        tokio::spawn(async move { feeds.feed("more").await }),
    ]
}

/// What becomes of each of them, and of the receiver, after `happens`.
async fn after(
    happens: impl AsyncFnOnce(&SendHalf<Gated>, &Gate),
) -> (Result<Option<Message>, Error>, Vec<Result<(), Error>>) {
    let (receiving, sending, gate) = halves(Role::Server, Settings::default().queue_limit(10));
    sending.feed("0123456789").await.expect("an open connection");
    let (received, waiting) = (spawn_recv(receiving), spawn_waiting(&sending));
    settle().await;
    assert!(waiting.iter().all(|task| !task.is_finished()));
    happens(&sending, &gate).await;
    let mut results = Vec::new();
    for task in waiting {
        results.push(task.await.expect("no panic"));
    }
    (received.await.expect("no panic"), results)
}

fn all_io(results: &[Result<(), Error>], kind: ErrorKind) -> bool {
    results.iter().all(|it| matches!(it, Err(Error::Io(error)) if error.kind() == kind))
}

#[tokio::test]
async fn close_now_wakes_the_receiver_and_all_who_wait_to_send() {
    let (received, sent) = after(async |sending, _| sending.close_now()).await;
    assert!(matches!(received, Err(Error::Cut(_))));
    assert!(all_io(&sent, ErrorKind::NotConnected), "{sent:?}");
}

#[tokio::test]
async fn the_end_of_the_stream_wakes_all_who_wait_to_send() {
    let (received, sent) = after(async |_, gate| gate.end()).await;
    assert!(matches!(received, Err(Error::Cut(_))));
    assert!(all_io(&sent, ErrorKind::NotConnected), "{sent:?}");
}

#[tokio::test]
async fn a_failure_of_the_transport_wakes_everybody() {
    let (received, sent) = after(async |_, gate| gate.fail(ErrorKind::ConnectionReset)).await;
    let Err(Error::Cut(Some(error))) = received else { panic!("{received:?}") };
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert!(all_io(&sent, ErrorKind::ConnectionReset), "{sent:?}");
}

#[tokio::test(start_paused = true)]
async fn close_wakes_those_who_can_send_no_more_and_its_deadline_the_others() {
    let (received, sent) = after(async |sending, _| {
        let closed = sending.close(CloseCode::NORMAL, "").await;
        assert!(matches!(closed, Err(Error::CloseTimeout)));
    })
    .await;
    assert!(matches!(received, Err(Error::CloseTimeout)));
    let [streams, flushes, waits, feeds] = &sent[..] else { panic!("four tasks") };
    for closed in [streams, waits, feeds] {
        assert!(matches!(closed, Err(Error::Send(EncodeError::Closed))), "{closed:?}");
    }
    assert!(matches!(flushes, Err(Error::Io(_))), "{flushes:?}");
}

#[tokio::test(start_paused = true)]
async fn the_peers_close_wakes_those_who_can_send_no_more() {
    let closing = frame(Role::Client, 0x88, b"");
    let (received, sent) = after(async |_, gate| gate.give(&closing)).await;
    assert_eq!(received.unwrap(), None);
    let closed = |it: &Result<(), Error>| matches!(it, Err(Error::Send(EncodeError::Closed)));
    assert_eq!(sent.iter().filter(|it| closed(it)).count(), 3, "{sent:?}");
}

#[tokio::test(start_paused = true)]
async fn a_close_that_is_dropped_has_woken_the_receiver_whose_deadline_runs() {
    let (receiving, sending, _gate) = halves(Role::Server, Settings::default());
    let received = spawn_recv(receiving);
    settle().await;
    assert!(crate::support::memory::waits(sending.close(CloseCode::NORMAL, "")).await);
    assert!(matches!(received.await.unwrap(), Err(Error::CloseTimeout)));
}

/// Counts how often it is woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Polls once with this waker.
fn poll<F: Future>(future: F, woken: &Arc<Woken>) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(&Waker::from(woken.clone())))
}

#[test]
fn nothing_is_kept_of_a_task_that_gave_up_waiting() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _entered = runtime.enter();
    let (_receiving, sending, _gate) = halves(Role::Server, Settings::default().queue_limit(10));
    let woken = Arc::new(Woken::default());
    assert!(poll(sending.feed("0123456789"), &woken).is_ready());
    assert!(poll(sending.feed("more"), &woken).is_pending());
    assert!(poll(sending.flush(), &woken).is_pending());
    assert!(poll(sending.ready(100), &woken).is_pending());
    let finished = async { sending.writer(MessageKind::Text).await?.finish().await };
    assert!(poll(finished, &woken).is_pending());
    assert!(poll(sending.close(CloseCode::NORMAL, ""), &woken).is_pending());
    assert_eq!(Arc::strong_count(&woken), 1, "a waker is kept");
}

#[test]
fn nothing_is_kept_of_tasks_that_received_but_of_the_last() {
    let (mut receiving, _sending, _gate) = halves(Role::Server, Settings::default());
    let tasks = [(); 100].map(|()| Arc::new(Woken::default()));
    for task in &tasks {
        assert!(poll(receiving.recv(), task).is_pending());
    }
    let kept = tasks.iter().filter(|task| Arc::strong_count(task) > 1).count();
    assert_eq!(kept, 1);
    drop(receiving);
    assert!(tasks.iter().all(|task| Arc::strong_count(task) == 1));
}

#[tokio::test]
async fn one_of_two_operations_in_a_task_can_be_dropped_and_the_other_still_wakes() {
    let (_receiving, sending, gate) = halves(Role::Server, Settings::default());
    sending.feed("0123456789").await.unwrap();
    let both = tokio::spawn(async move {
        let mut kept = pin!(sending.flush());
        {
            let mut dropped = pin!(sending.flush());
            poll_fn(|cx| {
                assert!(kept.as_mut().poll(cx).is_pending());
                assert!(dropped.as_mut().poll(cx).is_pending());
                Poll::Ready(())
            })
            .await;
        }
        kept.await
    });
    settle().await;
    gate.take(usize::MAX);
    both.await.unwrap().unwrap();
}

#[tokio::test]
async fn waiting_tasks_are_not_polled_while_nothing_happens_and_little_when_something_does() {
    let (receiving, sending, gate) = halves(Role::Server, Settings::default().queue_limit(10));
    sending.feed("0123456789").await.unwrap();
    let (_received, _waiting) = (spawn_recv(receiving), spawn_waiting(&sending));
    settle().await;
    let before = gate.reads();
    settle().await;
    assert_eq!(gate.reads(), before, "somebody spins");
    for _ in 0..5 {
        gate.take(1);
        settle().await;
    }
    let reads = gate.reads() - before;
    assert!(reads <= 5 * 2, "{reads} reads after 5 events");
}

#[tokio::test]
async fn a_parked_receiver_is_not_woken_for_what_is_fed_but_for_what_is_left_to_it() {
    let (mut receiving, sending, _gate) = halves(Role::Server, Settings::default());
    let receiver = Arc::new(Woken::default());
    let woken = || receiver.0.swap(0, Ordering::Relaxed);
    assert!(poll(receiving.recv(), &receiver).is_pending());
    sending.feed("fed").await.unwrap();
    sending.feed_prepared(&PreparedMessage::new("fed")).await.unwrap();
    let fill = |payload: &mut PayloadWriter<'_>| {
        payload.extend_from_slice(b"fed");
        Ok::<_, Error>(())
    };
    sending.feed_with(MessageKind::Text, fill).await.unwrap();
    assert_eq!((woken(), sending.queued()), (0, 15), "each is flushed by who fed it");
    sending.outbox().send_with(MessageKind::Text, fill).unwrap();
    assert_eq!((woken(), sending.queued()), (1, 20));
}

#[tokio::test]
async fn a_parked_receiver_is_woken_once_for_each_event() {
    let (mut receiving, sending, gate) = halves(Role::Server, Settings::default());
    let (receiver, sender) = (Arc::new(Woken::default()), Arc::new(Woken::default()));
    assert!(poll(receiving.recv(), &receiver).is_pending());
    let mut sent = Box::pin(sending.send("hi"));
    let mut poll_sent = || sent.as_mut().poll(&mut Context::from_waker(&sender.clone().into()));
    assert!(poll_sent().is_pending());
    assert!(poll_sent().is_pending());
    gate.take(1);
    assert!(poll_sent().is_pending());
    gate.take(usize::MAX);
    assert!(poll_sent().is_ready());
    let counts = [receiver, sender].map(|woken| woken.0.load(Ordering::Relaxed));
    assert_eq!(counts, [1, 2], "who is not polled again is not woken again");
}
