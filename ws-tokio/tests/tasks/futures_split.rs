//! `StreamExt::split` of the futures crates: one task has the stream and another the sink of one connection.

use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite, duplex};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;
use ws_tokio::{Connection, Error, Message, Role, Settings};

use crate::gated::{Gate, gated};
use crate::support::memory::over;
use crate::support::tcp;
use crate::support::wire::{ROLES, close, frame, peer_of};
use crate::{ends, settle};

const MESSAGES: usize = 40;
const LEN: usize = 300 << 10;

/// As most programs do: not by the connection's own `split`.
fn split<S: AsyncRead + AsyncWrite + Unpin>(
    connection: Connection<S>,
) -> (SplitSink<Connection<S>, Message>, SplitStream<Connection<S>>) {
    StreamExt::split(connection)
}

/// One task sends and another receives, each to its end.
fn talks<S>(connection: Connection<S>, tasks: &mut JoinSet<()>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sink, mut stream) = split(connection);
    tasks.spawn(async move {
        for _ in 0..MESSAGES {
            sink.send(vec![7; LEN].into()).await.expect("an open connection");
        }
    });
    tasks.spawn(async move {
        for _ in 0..MESSAGES {
            let message = stream.next().await.expect("a message").expect("a message");
            assert_eq!(message.as_bytes().len(), LEN);
        }
    });
}

async fn both_ends_talk_over_tcp() {
    let (client, server) = tcp::streams().await;
    let mut tasks = JoinSet::new();
    talks(over(client, Role::Client, Settings::default()), &mut tasks);
    talks(over(server, Role::Server, Settings::default()), &mut tasks);
    ends(tasks.join_all()).await;
}

#[tokio::test]
async fn both_ends_send_and_receive_large_messages_at_once_on_one_thread() {
    both_ends_talk_over_tcp().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn both_ends_send_and_receive_large_messages_at_once_on_several_threads() {
    both_ends_talk_over_tcp().await;
}

#[tokio::test]
async fn a_message_goes_through_a_stream_of_64_bytes() {
    for us in ROLES {
        let (near, far) = duplex(64);
        let near = over(near, us, Settings::default());
        let far = over(far, peer_of(us), Settings::default());
        let ((mut near, mut answers), (_kept, mut far)) = (split(near), split(far));
        let waits = tokio::spawn(async move { answers.next().await.map(drop) });
        let sent = tokio::spawn(async move {
            near.send(vec![7; 20_000].into()).await.expect("an open connection");
            near
        });
        let message = ends(far.next()).await.expect("a message").expect("a message");
        assert_eq!(message.as_bytes().len(), 20_000);
        drop(ends(sent).await);
        waits.abort();
    }
}

/// A task in `next`, and another that closes meanwhile.
async fn one_waits_and_another_closes(
    us: Role,
) -> (Gate, JoinHandle<Option<Result<Message, Error>>>, JoinHandle<Result<(), Error>>) {
    let (stream, gate) = gated();
    gate.take(usize::MAX);
    let (mut sink, mut stream) = split(over(stream, us, Settings::default()));
    let waits = tokio::spawn(async move { stream.next().await });
    settle().await;
    let closes = tokio::spawn(async move { sink.close().await });
    (gate, waits, closes)
}

#[tokio::test]
async fn a_task_in_next_hears_the_end_when_another_closes() {
    for us in ROLES {
        let (gate, waits, closes) = one_waits_and_another_closes(us).await;
        settle().await;
        assert!(!waits.is_finished() && !closes.is_finished());
        gate.give(&close(peer_of(us), 1000, ""));
        gate.end();
        ends(closes).await.unwrap().unwrap();
        assert!(ends(waits).await.unwrap().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_in_next_hears_that_the_peer_did_not_answer_a_close() {
    for us in ROLES {
        let (_gate, waits, closes) = one_waits_and_another_closes(us).await;
        assert!(matches!(closes.await.unwrap(), Err(Error::CloseTimeout)));
        assert!(matches!(waits.await.unwrap(), Some(Err(Error::CloseTimeout))));
    }
}

#[tokio::test]
async fn a_task_that_waits_for_room_hears_of_the_peers_close() {
    for us in ROLES {
        let (stream, gate) = gated();
        let settings = Settings::default().queue_limit(10);
        let (mut sink, mut stream) = split(over(stream, us, settings));
        // One for the queue, and one that the sink of the split keeps.
        sink.feed("0123456789".into()).await.unwrap();
        sink.feed("0123456789".into()).await.unwrap();
        let sends = tokio::spawn(async move { sink.feed("more".into()).await });
        settle().await;
        let waits = tokio::spawn(async move { stream.next().await });
        settle().await;
        assert!(!sends.is_finished() && !waits.is_finished());
        gate.give(&close(peer_of(us), 1000, ""));
        // The transport still takes nothing.
        assert!(matches!(ends(sends).await.unwrap(), Err(Error::Send(_))));
        gate.take(usize::MAX);
        gate.end();
        assert!(ends(waits).await.unwrap().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_writes_keeps_no_other_from_its_heartbeat() {
    let (stream, gate) = gated();
    let second = Duration::from_secs(1);
    let settings = Settings::default().heartbeat(second, second).write_timeout(Duration::MAX);
    let (mut sink, mut stream) = split(over(stream, Role::Server, settings));
    let waits = tokio::spawn(async move { stream.next().await });
    settle().await;
    let sends = tokio::spawn(async move { sink.send("late".into()).await });
    sleep(3 * second).await;
    gate.take(usize::MAX);
    sends.await.unwrap().unwrap();
    assert!(matches!(waits.await.unwrap(), Some(Err(Error::HeartbeatTimeout))));
    let written = gate.written();
    assert!(written.ends_with(b"\x89\0"), "the ping left behind the message: {written:?}");
}

#[tokio::test]
async fn a_task_that_joins_both_is_woken_for_each() {
    for us in ROLES {
        let (stream, gate) = gated();
        gate.take(usize::MAX);
        let (mut sink, mut stream) = split(over(stream, us, Settings::default()));
        let both = tokio::spawn(async move {
            futures_util::join!(stream.next(), async {
                settle().await;
                sink.close().await
            })
        });
        settle().await;
        gate.give(&frame(peer_of(us), 0x81, b"in"));
        settle().await;
        gate.give(&close(peer_of(us), 1000, ""));
        gate.end();
        let (first, closed) = ends(both).await.unwrap();
        closed.unwrap();
        assert!(first.is_none_or(|message| message.unwrap() == "in".into()));
    }
}
