//! Receiving: each message arrives exactly once and in order, whichever way it is received.

use ws_tokio::{Connection, Message, MessageKind, MessageRef, Settings};

use crate::support::parse::frames;
use crate::support::patience::Patience;
use crate::support::scripted::Scripted;
use crate::{Case, PORTIONS, after_every_poll, answers, conversation, messages};

/// All that `receive` gives of the conversation is what was said, and the peer got what it was owed.
pub(crate) async fn holds(
    case: Case,
    receive: impl AsyncFn(&mut Connection<Scripted>, &mut Patience) -> Vec<Message>,
) -> Patience {
    let mut connection = case.connection(Settings::default(), &conversation(case.role));
    let mut patience = case.patience;
    assert_eq!(receive(&mut connection, &mut patience).await, messages(), "{case:?}");
    assert_eq!(frames(case.role, connection.get_ref().written()), answers(), "{case:?}");
    patience
}

#[tokio::test(start_paused = true)]
async fn recv_that_is_dropped_loses_nothing() {
    after_every_poll(&PORTIONS, async |case| holds(case, recv).await).await;
}

async fn recv(connection: &mut Connection<Scripted>, patience: &mut Patience) -> Vec<Message> {
    let mut received = Vec::new();
    loop {
        match patience.with(connection.recv()).await {
            None => {}
            Some(Ok(Some(message))) => received.push(message),
            Some(Ok(None)) => return received,
            Some(Err(error)) => panic!("{error}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn recv_into_that_is_dropped_loses_nothing_and_leaves_the_buffer_as_it_was() {
    after_every_poll(&PORTIONS, async |case| holds(case, recv_into).await).await;
}

async fn recv_into(connection: &mut Connection<Scripted>, patience: &mut Patience) -> Vec<Message> {
    let (mut received, mut buffer) = (Vec::new(), Vec::new());
    loop {
        buffer.clear();
        buffer.extend_from_slice(b"before");
        match patience.with(connection.recv_into(&mut buffer)).await {
            None => assert_eq!(buffer, b"before"),
            Some(Ok(Some(kind))) => received.push(owned(kind, &buffer)),
            Some(Ok(None)) => return received,
            Some(Err(error)) => panic!("{error}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn recv_with_that_is_dropped_loses_nothing() {
    after_every_poll(&PORTIONS, async |case| holds(case, recv_with).await).await;
}

async fn recv_with(connection: &mut Connection<Scripted>, patience: &mut Patience) -> Vec<Message> {
    let mut received = Vec::new();
    loop {
        match patience.with(connection.recv_with(|message| message.to_message())).await {
            None => {}
            Some(Ok(Some(message))) => received.push(message),
            Some(Ok(None)) => return received,
            Some(Err(error)) => panic!("{error}"),
        }
    }
}

fn owned(kind: MessageKind, bytes: &[u8]) -> Message {
    match kind {
        MessageKind::Text => Message::text(std::str::from_utf8(bytes).expect("text is UTF-8")),
        MessageKind::Binary => Message::from(bytes.to_vec()),
    }
}

#[tokio::test(start_paused = true)]
async fn run_that_is_dropped_loses_nothing() {
    after_every_poll(&PORTIONS, async |case| holds(case, run).await).await;
}

async fn run(connection: &mut Connection<Scripted>, patience: &mut Patience) -> Vec<Message> {
    let mut received = Vec::new();
    loop {
        let handler = |message: MessageRef<'_>, _: &mut ws_tokio::Outbox<'_>| {
            received.push(message.to_message());
        };
        match patience.with(connection.run(handler)).await {
            None => {}
            Some(ended) => return ended.map(|()| received).expect("a normal end"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_dropped_run_answered_is_queued_once() {
    after_every_poll(&PORTIONS, async |case| {
        let mut connection = case.connection(Settings::default(), &conversation(case.role));
        let mut patience = case.patience;
        while patience.with(connection.run(|message, outbox| outbox.send(message))).await.is_none()
        {
        }
        let written = frames(case.role, connection.get_ref().written());
        let echoed = written.into_iter().filter(|(first, _)| first & 8 == 0);
        let echoed: Vec<_> = echoed.map(|(_, payload)| payload).collect();
        let sent: Vec<_> = messages().into_iter().map(|message| message.into_bytes()).collect();
        assert_eq!(echoed, sent, "{case:?}");
        patience
    })
    .await;
}
