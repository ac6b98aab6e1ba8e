//! Where a client begins, and what it is told that isn't a message.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use ws_tokio::http::StatusCode;
use ws_tokio::{ConnectError, connect};

use crate::client::{Client, durable, serve};

/// Less than the time after which the log is asked in any case.
const SOON: Duration = Duration::from_secs(7);

#[tokio::test]
async fn a_client_gets_the_last_hundred_or_all_after_a_number() {
    let Some(engine) = durable() else { return };
    let (_node, url) = serve(&engine).await;
    let mut early = Client::enter(&format!("{url}/tea")).await;
    for number in 1..=250 {
        early.say(&format!("message\n{number}")).await;
        assert_eq!(early.message(number).await, format!("message\n{number}"));
    }
    let (_other, url) = serve(&engine).await;
    for (asked, first) in [("", 151), ("?after=0", 1), ("?after=17", 18), ("?after=250", 251)] {
        let mut client = Client::enter(&format!("{url}/tea{asked}")).await;
        for number in first..=250 {
            assert_eq!(client.message(number).await, format!("message\n{number}"), "{asked}");
        }
    }
    let mut coffee = Client::enter(&format!("{url}/coffee?after=0")).await;
    coffee.say("black").await;
    assert_eq!(coffee.reply().await, Some(1), "a topic of its own");
}

#[tokio::test]
async fn what_is_no_longer_kept_and_what_never_was_are_told() {
    let Some(engine) = durable() else { return };
    let (_node, url) = serve(&engine).await;
    let mut early = Client::enter(&format!("{url}/tea")).await;
    for number in 1..=50 {
        early.say("message").await;
        early.message(number).await;
    }
    assert_eq!(engine.command("XTRIM history:/tea MAXLEN 10"), ":40");
    let mut late = Client::enter(&format!("{url}/tea?after=5")).await;
    assert_eq!(late.hear().await, r#"{"lost":[6,40]}"#);
    late.message(41).await;
    for after in ["51", "18446744073709551615"] {
        let mut ahead = Client::enter(&format!("{url}/tea?after={after}")).await;
        assert_eq!(ahead.hear().await, r#"{"rewound":50}"#);
    }
    let mut ahead = Client::enter(&format!("{url}/coffee?after=1")).await;
    assert_eq!(ahead.hear().await, r#"{"rewound":0}"#);
    ahead.say("black").await;
    ahead.message(1).await;
}

#[tokio::test]
async fn what_is_said_while_redis_is_away_fails() {
    let Some(mut engine) = durable() else { return };
    let (_node, url) = serve(&engine).await;
    let mut client = Client::enter(&format!("{url}/tea")).await;
    client.say("before").await;
    assert_eq!(client.reply().await, Some(1));
    engine.kill();
    client.say("lost").await;
    assert_eq!(client.reply().await, None);
    // Its history waits for Redis; its messages don't.
    let mut new = Client::enter(&format!("{url}/tea")).await;
    new.say("lost").await;
    assert_eq!(new.hear().await, r#"{"failed":true}"#);
    engine.restart();
    assert_eq!(new.message(1).await, "before");
    while {
        client.say("after").await;
        client.reply().await.is_none()
    } {
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(new.message(2).await, "after");
}

#[tokio::test]
async fn a_message_that_the_hub_never_got_comes_nevertheless() {
    let Some(engine) = durable() else { return };
    let (node, url) = serve(&engine).await;
    let mut client = Client::enter(&format!("{url}/tea?after=0")).await;
    client.say("1").await;
    client.message(1).await;
    let silent = |message| engine.command(&format!("XADD history:/tea 0-* message {message}"));
    let begin = Instant::now();
    silent(2);
    // A message without a number is ignored.
    node.hub.publish("/tea", "17");
    assert_eq!(client.message(2).await, "2");
    assert!(begin.elapsed() > SOON, "by looking into the log now and then");
    let begin = Instant::now();
    silent(3);
    client.say("4").await;
    assert_eq!(client.message(3).await, "3");
    assert_eq!(client.message(4).await, "4");
    assert!(begin.elapsed() < SOON, "by the next message");
    let begin = Instant::now();
    silent(5);
    engine.command("CLIENT KILL TYPE pubsub");
    assert_eq!(client.message(5).await, "5");
    assert!(begin.elapsed() < SOON, "by the hub's gap");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_is_bounded_and_then_gets_everything() {
    let Some(engine) = durable() else { return };
    let (node, url) = serve(&engine).await;
    let mut slow = Client::enter(&format!("{url}/tea?after=0")).await;
    let mut talker = Client::enter(&format!("{url}/tea?after=0")).await;
    let large = "x".repeat(16_000);
    let mut said = 0;
    // More than the sockets take, and then more than the queue.
    while node.hub.dropped("/tea") < 100 {
        talker.say(&large).await;
        said += 1;
        assert_eq!(talker.message(said).await, large);
        assert!(said < 9_000, "nothing is dropped");
    }
    for number in 1..=said {
        assert_eq!(slow.message(number).await, large);
    }
    talker.say("the last").await;
    assert_eq!(slow.message(said + 1).await, "the last");
}

#[tokio::test]
async fn a_request_that_is_not_understood_is_refused() {
    let Some(engine) = durable() else { return };
    let (_node, url) = serve(&engine).await;
    let long = "x".repeat(200);
    for asked in ["tea?after=", "tea?after=-1", "tea?before=1", &long] {
        let refused = connect(&format!("{url}/{asked}")).await.expect_err("no topic");
        let ConnectError::Refused(response) = &refused else { panic!("{refused}") };
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{asked}");
    }
}
