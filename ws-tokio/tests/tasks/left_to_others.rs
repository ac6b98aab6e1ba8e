//! What code that can't wait leaves in the queue is written by whoever waits to receive.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex};

use tokio::task::JoinHandle;
use ws_tokio::{CloseCode, RecvHalf, Role, SendHalf, Settings};

use crate::gated::{Gate, Gated, gated};
use crate::support::memory::over;
use crate::support::parse::frames;
use crate::support::wire::{ROLES, close, close_payload, frame, peer_of};
use crate::{ends, settle};

/// Ways to receive until the end.
#[derive(Clone, Copy, Debug)]
enum Way {
    Recv,
    Run,
}

fn receives(mut half: RecvHalf<Gated>, way: Way) -> JoinHandle<()> {
    tokio::spawn(async move {
        match way {
            Way::Recv => while half.recv().await.expect("a normal end").is_some() {},
            Way::Run => half.run(|_, _| ()).await.expect("a normal end"),
        }
    })
}

/// Does something with the sending half while another task waits to receive, and gives what was written of it.
async fn left(act: impl AsyncFn(Role, &SendHalf<Gated>, &Gate)) -> Vec<(Role, Vec<(u8, Vec<u8>)>)> {
    let mut written = Vec::new();
    for us in ROLES {
        for way in [Way::Recv, Way::Run] {
            let (stream, gate) = gated();
            gate.take(usize::MAX);
            let (receiving, sending) = over(stream, us, Settings::default()).split();
            let received = receives(receiving, way);
            settle().await;
            act(us, &sending, &gate).await;
            settle().await;
            written.push((us, frames(us, &gate.written())));
            assert_eq!(sending.queued(), 0);
            gate.give(&close(peer_of(us), 1000, ""));
            gate.end();
            ends(received).await.expect("no panic");
        }
    }
    written
}

#[tokio::test]
async fn a_ping_of_a_half_leaves_and_resolves() {
    let written = left(async |us, sending, gate| {
        let ping = sending.ping().unwrap();
        settle().await;
        let [(0x89, payload)] = &frames(us, &gate.written())[..] else { panic!("no ping") };
        gate.give(&frame(peer_of(us), 0x8a, payload));
        ends(ping).await.unwrap();
    });
    assert_eq!(written.await.len(), 4);
}

#[tokio::test]
async fn messages_of_an_outbox_leave() {
    let written = left(async |_, sending, _| {
        sending.outbox().send("one").unwrap();
        sending.outbox().send("two").unwrap();
    });
    for (_, written) in written.await {
        assert_eq!(written, [(0x81, b"one".to_vec()), (0x81, b"two".to_vec())]);
    }
}

#[tokio::test]
async fn what_was_fed_before_leaves_with_an_outboxs_message() {
    let written = left(async |_, sending, _| {
        sending.feed("one").await.unwrap();
        sending.outbox().send("two").unwrap();
    });
    for (_, written) in written.await {
        assert_eq!(written, [(0x81, b"one".to_vec()), (0x81, b"two".to_vec())]);
    }
}

#[tokio::test]
async fn the_close_of_an_outbox_leaves() {
    let written = left(async |_, sending, _| {
        sending.outbox().close(CloseCode::NORMAL, "bye").unwrap();
    });
    for (_, written) in written.await {
        assert_eq!(written, [(0x88, close_payload(1000, "bye"))]);
    }
}

#[tokio::test]
async fn who_fails_the_connection_by_its_receiving_half_needs_only_to_receive() {
    for us in ROLES {
        let (stream, gate) = gated();
        gate.take(usize::MAX);
        let (mut receiving, sending) = over(stream, us, Settings::default()).split();
        let closes = tokio::spawn(async move { sending.close(CloseCode::NORMAL, "").await });
        settle().await;
        receiving.fail(CloseCode::UNSUPPORTED, "").unwrap();
        gate.end();
        ends(receiving.recv()).await.unwrap_err();
        ends(closes).await.unwrap().unwrap_err();
    }
}

#[tokio::test]
async fn what_the_owner_of_a_whole_connection_queues_wakes_a_task_that_waits_on_it() {
    for us in ROLES {
        let (stream, gate) = gated();
        gate.take(usize::MAX);
        let connection = Arc::new(Mutex::new(over(stream, us, Settings::default())));
        let polls = connection.clone();
        // Locked for one poll alone, so that others get to the connection in between.
        let receives = tokio::spawn(poll_fn(move |cx| {
            let mut connection = polls.lock().unwrap();
            pin!(connection.recv()).poll(cx)
        }));
        settle().await;
        let ping = connection.lock().unwrap().ping().unwrap();
        settle().await;
        assert_eq!(frames(us, &gate.written()).len(), 1, "the ping");
        connection.lock().unwrap().outbox().send("two").unwrap();
        settle().await;
        assert_eq!(frames(us, &gate.written()).len(), 2, "and the message");
        connection.lock().unwrap().close_now();
        assert!(ends(receives).await.unwrap().is_err());
        ends(ping).await.unwrap_err();
    }
}
