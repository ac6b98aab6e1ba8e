//! A peer that doesn't read makes senders wait and nothing grow; one that only writes is still read from.

use tokio::task::{JoinSet, yield_now};
use ws_tokio::{CloseCode, Connection, EncodeError, Error, RecvHalf, Role, SendHalf, Settings};

use crate::gated::gated;
use crate::support::memory::{over, waits};
use crate::support::tcp;
use crate::support::wire::{ROLES, frame, peer_of};
use crate::{payloads, settle};

/// Longest header of a frame (RFC 6455, 5.2).
const HEADER: usize = 14;

#[tokio::test]
async fn sixteen_senders_beside_a_peer_that_never_reads_queue_no_more_than_the_limit() {
    for us in ROLES {
        let (stream, gate) = gated();
        let (receiving, sending) = over(stream, us, Settings::default()).split();
        let mut senders = JoinSet::new();
        for task in 0..16 {
            let sending = sending.clone();
            senders.spawn(async move {
                for _ in 0..8 {
                    sending.feed(vec![task; 10_000]).await.unwrap();
                }
            });
        }
        settle().await;
        let queued = sending.queued();
        assert!(queued <= (1 << 20) + HEADER, "the default limit is 1 MiB: {queued}");
        assert!(queued > (1 << 20) - 10_000 - HEADER, "and is made use of: {queued}");
        assert_eq!(receiving.queued(), queued, "either half says");
        gate.take(usize::MAX);
        while let Some(done) = senders.join_next().await {
            done.unwrap();
        }
        sending.flush().await.unwrap();
        assert_eq!(payloads(us, &gate.written()).len(), 128);
    }
}

#[tokio::test]
async fn waiting_senders_get_their_turns_in_the_order_they_came() {
    let (stream, gate) = gated();
    let settings = Settings::default().queue_limit(10);
    let (_receiving, sending) = over(stream, Role::Server, settings).split();
    sending.feed(vec![0; 10]).await.unwrap();
    let mut senders = JoinSet::new();
    for task in 1..10 {
        let sending = sending.clone();
        senders.spawn(async move { sending.send(vec![task; 10]).await.unwrap() });
        settle().await;
    }
    gate.take(usize::MAX);
    senders.join_all().await;
    let order: Vec<_> = payloads(Role::Server, &gate.written()).iter().map(|it| it[0]).collect();
    assert_eq!(order, (0..10).collect::<Vec<_>>());
}

#[tokio::test]
async fn ready_waits_for_room_and_takes_none() {
    let (stream, gate) = gated();
    let settings = Settings::default().queue_limit(100);
    let (_receiving, sending) = over(stream, Role::Server, settings).split();
    sending.ready(1000).await.unwrap();
    sending.feed(vec![7; 60]).await.unwrap();
    let waiting = sending.clone();
    let waiting = tokio::spawn(async move { waiting.ready(50).await });
    settle().await;
    assert!(!waiting.is_finished());
    gate.take(usize::MAX);
    waiting.await.unwrap().unwrap();
    assert_eq!(sending.queued(), 0, "room was made by writing");
}

#[tokio::test]
async fn ready_of_a_whole_connection_waits_for_room_and_takes_none() {
    for us in ROLES {
        let (stream, gate) = gated();
        let mut connection = over(stream, us, Settings::default().queue_limit(100));
        connection.ready(1000).await.unwrap();
        connection.feed(vec![7; 60]).await.unwrap();
        let queued = connection.queued();
        assert!(waits(connection.ready(50)).await, "dropped, it changes nothing");
        assert!(waits(connection.ready(50)).await);
        assert_eq!(connection.queued(), queued);
        gate.take(usize::MAX);
        connection.ready(50).await.unwrap();
        assert_eq!(connection.queued(), 0, "room was made by writing");
        assert!(!waits(connection.feed(vec![8; 50])).await, "there is room");
        connection.flush().await.unwrap();
        assert_eq!(payloads(us, &gate.written()), [vec![7; 60], vec![8; 50]]);
    }
}

#[tokio::test]
async fn ready_fails_where_nothing_can_be_sent_any_more() {
    let (stream, _gate) = gated();
    let mut connection = over(stream, Role::Server, Settings::default());
    connection.outbox().close(CloseCode::NORMAL, "").unwrap();
    assert!(matches!(connection.ready(0).await, Err(Error::Send(EncodeError::Closed))));
}

/// Sends while others never stop feeding.
async fn send_beside_feeders(sending: &SendHalf<crate::gated::Gated>) {
    let mut feeders = JoinSet::new();
    for _ in 0..4 {
        let sending = sending.clone();
        feeders.spawn(async move {
            loop {
                sending.feed(vec![7; 90]).await.expect("an open connection");
                yield_now().await;
            }
        });
    }
    settle().await;
    sending.send("at last").await.expect("an open connection");
}

#[tokio::test]
async fn send_returns_once_its_own_message_is_written_although_others_never_stop_feeding() {
    let (stream, gate) = gated();
    let settings = Settings::default().queue_limit(1000).high_water(500);
    let (_receiving, sending) = over(stream, Role::Server, settings).split();
    let slowly = async {
        loop {
            gate.take(10);
            yield_now().await;
        }
    };
    tokio::select! {
        () = send_beside_feeders(&sending) => {}
        () = slowly => unreachable!(),
        () = async { for _ in 0..100_000 { yield_now().await } } => panic!("it never returns"),
    }
}

/// Writes 8 MiB while the other half reads as much.
async fn exchange<S>(receiving: &mut RecvHalf<S>, sending: &SendHalf<S>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let sends = async {
        for _ in 0..8 {
            sending.send(vec![7; 1 << 20]).await.expect("an open connection");
        }
    };
    let receives = async {
        for _ in 0..8 {
            assert_eq!(
                receiving.recv().await.expect("a message").expect("a message").as_bytes().len(),
                1 << 20
            );
        }
    };
    tokio::join!(sends, receives);
}

async fn both_exchange<S, Both>(ours: Connection<S>, theirs: Connection<S>, both: Both)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    Both: AsyncFn(&mut RecvHalf<S>, &SendHalf<S>),
{
    let (mut our_receiving, our_sending) = ours.split();
    let (mut their_receiving, their_sending) = theirs.split();
    tokio::join!(
        both(&mut our_receiving, &our_sending),
        both(&mut their_receiving, &their_sending),
    );
}

#[tokio::test]
async fn two_peers_that_both_write_8_mib_first_do_not_wait_for_each_other_for_ever() {
    let (ours, theirs) = tokio::io::duplex(1000);
    let of = |stream, role| over(stream, role, Settings::default());
    both_exchange(of(ours, Role::Client), of(theirs, Role::Server), exchange).await;
    let (ours, theirs) = tcp::streams().await;
    let of = |stream, role| over(stream, role, Settings::default());
    both_exchange(of(ours, Role::Client), of(theirs, Role::Server), exchange).await;
}

#[tokio::test]
async fn recv_reads_on_below_a_queue_that_the_peer_does_not_take() {
    for us in ROLES {
        let (stream, gate) = gated();
        let (mut receiving, sending) = over(stream, us, Settings::default()).split();
        sending.feed(vec![7; 2 << 20]).await.unwrap();
        gate.give(&frame(peer_of(us), 0x81, b"read"));
        assert_eq!(receiving.recv().await.unwrap(), Some("read".into()));
    }
}

#[tokio::test]
async fn run_reads_no_further_over_the_limit_and_goes_on_once_other_tasks_wrote() {
    let (stream, gate) = gated();
    let settings = Settings::default().queue_limit(100);
    let (mut receiving, sending) = over(stream, Role::Server, settings).split();
    let running = tokio::spawn(async move {
        let mut seen = 0;
        let ran = receiving.run(|message, outbox| {
            seen += 1;
            outbox.send(message)
        });
        (ran.await, seen)
    });
    gate.give(&frame(Role::Client, 0x82, &[7; 60]).repeat(10));
    settle().await;
    assert_eq!(sending.queued(), 2 * (2 + 60), "the overshoot is one call's output");
    gate.take(usize::MAX);
    sending.flush().await.unwrap();
    settle().await;
    assert_eq!(payloads(Role::Server, &gate.written()).len(), 10);
    sending.close_now();
    let (ran, seen) = running.await.unwrap();
    assert!(matches!(ran, Err(Error::Cut(_))));
    assert_eq!(seen, 10);
}
