//! Many messages and many topics.

use std::sync::Arc;

use ws_tokio::{Bus, BusEvent};

use crate::nats_server::Engine;
use crate::node::{message, node, soon, subscribed};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_messages_come_in_order() {
    const MESSAGES: u32 = 100_000;
    let Some(engine) = Engine::start() else { return };
    let (one, other) = (node(&engine).await, subscribed(&engine, &["0", "1", "2"]).await);
    let publisher = tokio::spawn(async move {
        let numbers: Vec<_> = (0..MESSAGES).collect();
        for batch in numbers.chunks(1000) {
            let batch: Vec<_> =
                batch.iter().map(|n| message(&(n % 3).to_string(), n.to_string())).collect();
            one.publish(&batch).await.expect("it is published");
        }
    });
    let mut next = [0, 1, 2];
    for _ in 0..MESSAGES {
        let BusEvent::Message(message) = soon(other.event()).await else { panic!("a message") };
        let topic: usize = message.topic.parse().expect("a number");
        assert_eq!(message.payload, next[topic].to_string());
        next[topic] += 3;
    }
    soon(publisher).await.expect("it ends");
}

#[tokio::test]
async fn many_topics_come_and_go() {
    let Some(engine) = Engine::start() else { return };
    let (one, other) = (node(&engine).await, node(&engine).await);
    let topics: Vec<Arc<str>> = (0..10_000).map(|n| format!("topic {n}").into()).collect();
    for round in ["first", "second"] {
        soon(other.subscribe(&topics)).await.expect("it subscribes");
        let messages: Vec<_> = topics.iter().map(|topic| message(topic, round)).collect();
        soon(one.publish(&messages)).await.expect("it is published");
        let mut heard = Vec::new();
        while heard.len() < topics.len() {
            let BusEvent::Message(message) = soon(other.event()).await else { panic!("a message") };
            assert_eq!(message.payload, round);
            heard.push(message.topic);
        }
        heard.sort();
        heard.dedup();
        assert_eq!(heard.len(), topics.len());
        soon(other.unsubscribe(&topics)).await.expect("it unsubscribes");
        soon(one.publish(&messages)).await.expect("it is published");
    }
    soon(other.subscribe(&topics[..1])).await.expect("it subscribes");
    soon(one.publish(&[message(&topics[0], "last")])).await.expect("it is published");
    assert_eq!(soon(other.event()).await, BusEvent::Message(message(&topics[0], "last")));
}
