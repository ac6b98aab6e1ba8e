//! Any future may be dropped at any poll: a value is queued whole or not at all, and none is lost.
//!
//! Each test drops one future after n polls, n = 0, 1, 2, ..., over a pipe of one byte, until n is more than it takes.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use tokio::io::DuplexStream;
use ws_json::{Error, Json};
use ws_tokio::{AcceptOptions, CloseCode, ConnectOptions, Connection, Settings, pipe_with};

const DROPPED: &str = "the one that may be dropped";

type Raw = Connection<DuplexStream>;

/// A client with a queue that is soon full, and a server.
async fn pair() -> (Json<Raw>, Json<Raw>) {
    let connect =
        ConnectOptions::default().settings(Settings::default().queue_limit(20).high_water(10));
    let (client, server) =
        pipe_with(&connect, &AcceptOptions::default(), 1).await.expect("the defaults agree");
    (Json(client), Json(server))
}

/// Polls a future so often; `None` where it is dropped then.
async fn polled<F: Future>(polls: &mut usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        if *polls == 0 {
            return Poll::Ready(None);
        }
        *polls -= 1;
        future.as_mut().poll(cx).map(Some)
    })
    .await
}

/// Sends three values, the second so that it may be dropped; what arrives is whole. Returns whether it was sent.
async fn sends(
    mut polls: usize,
    send: impl AsyncFnOnce(Json<Raw>, &mut usize) -> (bool, Json<Raw>),
) -> bool {
    let (mut client, mut server) = pair().await;
    client.feed("before").await.expect("room");
    let receives = async {
        let mut received = Vec::new();
        while let Some(value) = server.recv::<String>().await.expect("whole values") {
            received.push(value);
        }
        received
    };
    let sends = async {
        let (sent, mut client) = send(client, &mut polls).await;
        client.send("after").await.expect("an open connection");
        client.0.close(CloseCode::NORMAL, "").await.expect("an answer");
        sent
    };
    let (sent, received) = tokio::join!(sends, receives);
    let (first, rest) = received.split_first().expect("one at least");
    let (last, between) = rest.split_last().expect("two at least");
    assert_eq!((&**first, &**last), ("before", "after"));
    assert!(between.is_empty() && !sent || between == [DROPPED]);
    sent
}

#[tokio::test]
async fn send_that_is_dropped_queued_its_value_whole_or_not_at_all() {
    let mut polls = 0;
    let send = async |mut client: Json<Raw>, polls: &mut usize| {
        (polled(polls, client.send(DROPPED)).await.is_some(), client)
    };
    while !sends(polls, send).await {
        polls += 1;
    }
}

#[tokio::test]
async fn send_of_a_half_that_is_dropped_queued_its_value_whole_or_not_at_all() {
    let mut polls = 0;
    let send = async |client: Json<Raw>, polls: &mut usize| {
        let (receiving, sending) = client.0.split();
        let sending = Json(sending);
        let sent = polled(polls, sending.send(DROPPED)).await.is_some();
        (sent, Json(receiving.reunite(sending.0).expect("these are all")))
    };
    while !sends(polls, send).await {
        polls += 1;
    }
}

#[tokio::test]
async fn recv_that_is_dropped_loses_no_value() {
    for polls in 0..200 {
        let (mut client, mut server) = pair().await;
        let sends = async {
            server.send("value").await.expect("an open connection");
            server.0.recv().await.expect("a normal end");
        };
        let receives = async {
            let mut left = polls;
            let value = match polled(&mut left, client.recv::<String>()).await {
                Some(value) => value,
                None => client.recv().await,
            };
            assert_eq!(value.expect("no error").as_deref(), Some("value"));
            client.0.close(CloseCode::NORMAL, "").await.expect("an answer");
        };
        tokio::join!(sends, receives);
    }
}

#[tokio::test]
async fn recv_that_is_dropped_while_the_peer_is_told_goes_on_with_that() {
    let mut polls = 0;
    loop {
        let (mut client, mut server) = pair().await;
        let told = async {
            server.0.send("oops").await.expect("an open connection");
            server.0.recv().await.expect_err("a close").close_code()
        };
        let receives = async {
            let mut left = polls;
            let first = polled(&mut left, client.recv::<u64>()).await;
            let whole = first.is_some();
            for end in first.into_iter().chain([client.recv().await]) {
                match end.expect_err("no number") {
                    Error::Syntax(_) | Error::Connection(ws_tokio::Error::Failed(_)) => {}
                    other => panic!("{other:?}"),
                }
            }
            whole
        };
        let (code, whole) = tokio::join!(told, receives);
        assert_eq!(code, Some(CloseCode::INVALID_PAYLOAD));
        if whole {
            return;
        }
        polls += 1;
    }
}
