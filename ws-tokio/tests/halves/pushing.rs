//! Many tasks push while one receives: messages never interleave, keep each task's order, and arrive exactly once.

use std::collections::HashMap;

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use ws_tokio::{CloseCode, Connection, RecvHalf, Role, SendHalf, Settings};

use crate::support::memory;
use crate::support::tcp;

const TASKS: u8 = 16;
const MESSAGES: u32 = 24;

/// A message that says whose it is and which of theirs: then as much of it again as shows a cut.
fn numbered(task: u8, number: u32) -> Vec<u8> {
    let len = 5 + [0, 120, 130, 7000][number as usize % 4];
    [&[task], &number.to_be_bytes()[..]].concat().into_iter().cycle().take(len).collect()
}

/// Sends this task's messages in order, by turns in each way that there is.
async fn push<S: AsyncWrite + Unpin>(half: SendHalf<S>, task: u8) {
    for number in 0..MESSAGES {
        let message = numbered(task, number);
        match number % 3 {
            0 => half.send(message).await.expect("an open connection"),
            1 => half.feed(message).await.expect("an open connection"),
            _ => {
                half.ready(message.len()).await.expect("an open connection");
                half.feed(message).await.expect("an open connection");
                drop(half.ping().expect("an open connection"));
                half.flush().await.expect("an open connection");
            }
        }
    }
    half.flush().await.expect("an open connection");
}

/// Receives the messages of `TASKS` tasks, and holds each task's to be all of them, whole and in order.
async fn receive_all<S: AsyncRead + AsyncWrite + Unpin>(half: &mut RecvHalf<S>) {
    let mut expected: HashMap<u8, u32> = HashMap::new();
    for _ in 0..u32::from(TASKS) * MESSAGES {
        let message = half.recv().await.expect("a message").expect("a message").into_bytes();
        let next = expected.entry(message[0]).or_default();
        assert_eq!(message, numbered(message[0], *next));
        *next += 1;
    }
    assert!(
        expected.values().all(|&next| next == MESSAGES) && expected.len() == usize::from(TASKS)
    );
}

/// Pushes from many tasks and receives what the other end pushes, until both are done.
async fn exchange<S>(connection: Connection<S>) -> (RecvHalf<S>, SendHalf<S>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut receiving, sending) = connection.split();
    let pushing: JoinSet<_> = (0..TASKS).map(|task| push(sending.clone(), task)).collect();
    tokio::join!(receive_all(&mut receiving), pushing.join_all());
    (receiving, sending)
}

/// Both ends do, and then one closes.
async fn both_push<S>(client: Connection<S>, server: Connection<S>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let client = async {
        let (mut receiving, sending) = exchange(client).await;
        let (end, closed) =
            tokio::join!(receiving.recv(), sending.close(CloseCode::NORMAL, "done"));
        assert_eq!(end.expect("a normal end"), None);
        closed.expect("a normal end");
    };
    let server = async {
        let (mut receiving, _sending) = exchange(server).await;
        assert_eq!(receiving.recv().await.expect("a normal end"), None);
        assert_eq!(receiving.close_frame().expect("a close frame").reason(), "done");
    };
    tokio::join!(client, server);
}

/// Both ends over a pipe that holds little.
fn pair(settings: Settings) -> (Connection<DuplexStream>, Connection<DuplexStream>) {
    let (ours, theirs) = tokio::io::duplex(4 << 10);
    let of = |stream, role| memory::over(stream, role, settings);
    (of(ours, Role::Client), of(theirs, Role::Server))
}

#[tokio::test]
async fn messages_of_many_tasks_never_interleave_and_arrive_once_and_in_each_tasks_order() {
    let (client, server) = pair(Settings::default());
    both_push(client, server).await;
}

#[tokio::test]
async fn messages_of_many_tasks_arrive_once_also_where_the_queue_is_always_full() {
    let (client, server) = pair(Settings::default().queue_limit(100).high_water(50));
    both_push(client, server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn messages_of_many_tasks_on_many_threads_arrive_once_and_in_each_tasks_order() {
    let settings = Settings::default().queue_limit(50_000).high_water(5000);
    let (client, server) = tcp::streams().await;
    let of = |stream, role| memory::over(stream, role, settings);
    both_push(of(client, Role::Client), of(server, Role::Server)).await;
}

/// Tasks push while the receiving half answers each message with itself; the peer gets all pushes and all answers.
async fn pushes_and_answers(ours: Connection<DuplexStream>, theirs: Connection<DuplexStream>) {
    let (mut receiving, sending) = ours.split();
    let pushing: JoinSet<_> = (1..TASKS).map(|task| push(sending.clone(), task)).collect();
    let running = receiving.run(|message, outbox| outbox.send(message));
    let (all_pushed, pushed) = oneshot::channel();
    let pushing = async {
        pushing.join_all().await;
        all_pushed.send(()).expect("a peer that waits");
    };
    let peer = async {
        let (mut receiving, sending) = theirs.split();
        tokio::join!(receive_all(&mut receiving), push(sending.clone(), 0));
        pushed.await.expect("no panic");
        let (end, closed) = tokio::join!(receiving.recv(), sending.close(CloseCode::NORMAL, ""));
        assert_eq!(end.expect("a normal end"), None);
        closed.expect("a normal end");
    };
    let (ran, (), ()) = tokio::join!(running, pushing, peer);
    ran.expect("a normal end");
}

#[tokio::test]
async fn a_handlers_answers_and_other_tasks_messages_never_interleave() {
    for settings in [Settings::default(), Settings::default().queue_limit(100).high_water(50)] {
        let (client, server) = pair(settings);
        pushes_and_answers(server, client).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_handlers_answers_and_messages_from_other_threads_never_interleave() {
    let (client, server) = pair(Settings::default().queue_limit(50_000).high_water(5000));
    let pushed = tokio::spawn(pushes_and_answers(client, server));
    pushed.await.unwrap();
}

#[test]
fn the_halves_go_to_any_thread() {
    fn goes<T: Send + Sync + Unpin>(_: &T) {}
    let (receiving, sending) = pair(Settings::default()).0.split();
    goes(&(&receiving, &sending));
    fn future_goes(_: &impl Send) {}
    future_goes(&sending.send("x"));
    future_goes(&sending.feed("x"));
    future_goes(&sending.close(CloseCode::NORMAL, ""));
    future_goes(&sending.writer(ws_tokio::MessageKind::Text));
}
