//! What is too large, too much at once, or over.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::sleep;
use ws_tokio::async_nats::{self, ConnectOptions};
use ws_tokio::{Bus, BusEvent, BusMessage};

use crate::nats_server::Engine;
use crate::node::{message, names, node, node_with, soon, subscribed, text};

#[tokio::test]
async fn a_payload_that_is_too_large_takes_no_other_message_with_it() {
    let Some(engine) = Engine::start() else { return };
    let (one, other) = (node(&engine).await, subscribed(&engine, &["t"]).await);
    let large = BusMessage::new("t", vec![0; 1024 * 1024 + 1]);
    let messages = [message("t", "1"), large, message("t", "2")];
    assert!(soon(one.publish(&messages)).await.is_err());
    assert_eq!((text(&other).await, text(&other).await), ("1".into(), "2".into()));
    soon(one.publish(&[message("t", "3")])).await.expect("it is published");
    assert_eq!(text(&other).await, "3");
}

#[tokio::test]
async fn a_name_that_is_too_long_takes_no_other_topic_with_it() {
    let Some(engine) = Engine::start() else { return };
    let (one, other) = (node(&engine).await, node(&engine).await);
    let long = "\n".repeat(4000);
    assert!(soon(other.subscribe(&names(&["a", &long, "b"]))).await.is_err());
    let messages = [message("a", "1"), message(&long, "2"), message("b", "3")];
    assert!(soon(one.publish(&messages)).await.is_err());
    assert_eq!((text(&other).await, text(&other).await), ("1".into(), "3".into()));
}

#[tokio::test]
async fn messages_that_come_faster_than_they_are_taken_are_told_as_missed() {
    let Some(engine) = Engine::start() else { return };
    let one = node(&engine).await;
    let slow = node_with(&engine, ConnectOptions::new().subscription_capacity(16)).await;
    soon(slow.subscribe(&names(&["a", "b", "c"]))).await.expect("it subscribes");
    let mut messages: Vec<_> = (0..100).map(|number| message("b", number.to_string())).collect();
    messages.push(message("a", "whole"));
    messages.push(message("c", "whole"));
    soon(one.publish(&messages)).await.expect("it is published");
    // All of it has arrived when what was sent behind it has.
    soon(slow.publish(&[message("t", "")])).await.expect("it is published");
    sleep(Duration::from_millis(100)).await;
    let mut events = Vec::new();
    while !events.contains(&BusEvent::Missed("b".into())) {
        events.push(soon(slow.event()).await);
    }
    let of_b = |event: &&BusEvent| matches!(event, BusEvent::Message(m) if &*m.topic == "b");
    let kept = messages[..16].iter().cloned().map(BusEvent::Message);
    assert!(events.iter().filter(of_b).cloned().eq(kept), "{events:?}");
    assert!(!events.contains(&BusEvent::Missed("a".into())));
    assert!(!events.contains(&BusEvent::Missed("c".into())));
    soon(one.publish(&[message("b", "after")])).await.expect("it is published");
    while soon(slow.event()).await != BusEvent::Message(message("b", "after")) {}
}

#[tokio::test]
async fn nothing_to_do_is_done() {
    let Some(engine) = Engine::start() else { return };
    let one = node(&engine).await;
    soon(one.publish(&[])).await.expect("nothing");
    soon(one.subscribe(&[])).await.expect("nothing");
    soon(one.unsubscribe(&[])).await.expect("nothing");
}

/// A subscriber's end is seen by the server: nobody hears what is said there any more.
#[tokio::test]
async fn dropping_a_node_ends_its_connection() {
    let Some(engine) = Engine::start() else { return };
    let topics: Vec<_> = (0..5000).map(|number| number.to_string()).collect();
    let topics: Vec<_> = topics.iter().map(|topic| &**topic).collect();
    let one = subscribed(&engine, &topics).await;
    // A question that still reaches the node gets no answer.
    let options = ConnectOptions::new().request_timeout(Some(Duration::from_millis(100)));
    let client = options.connect(engine.url()).await.expect("it connects");
    let ask = || client.request("ws.1", Bytes::new());
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    drop(one);
    soon(async {
        loop {
            let asked = ask().await.map_err(|error| error.kind());
            if asked.is_err_and(|error| error == async_nats::RequestErrorKind::NoResponders) {
                return;
            }
        }
    })
    .await;
    soon(async {
        // The client's two, and two of ours.
        while tasks() != before - 4 {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}
