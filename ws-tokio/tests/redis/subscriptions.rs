//! Subscriptions: many, twice, and none any more; and the end of everything.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::node::{LONG, Node, message};
use crate::redis_server::Engine;

#[tokio::test]
async fn ten_thousand_topics_at_once() {
    let Some(engine) = Engine::start() else { return };
    let names: Vec<_> = (0..10_000).map(|n| format!("topic {n}")).collect();
    let topics: Vec<_> = names.iter().map(|name| &name[..]).collect();
    let node = Node::subscribed(&engine, &topics).await;
    node.subscribe(&topics).await.expect("once more changes nothing");
    assert_eq!(engine.command("PUBSUB CHANNELS ws:topic*"), "*10000");
    let messages: Vec<_> = topics.iter().map(|topic| message(topic, *topic)).collect();
    node.publish_all(&messages).await.expect("published");
    let mut left: HashSet<_> = topics.iter().copied().collect();
    while !left.is_empty() {
        let (topic, payload) = node.message().await;
        assert_eq!(topic.as_bytes(), payload);
        assert!(left.remove(&topic[..]), "{topic} came twice");
    }
    node.unsubscribe(&topics[1..]).await.expect("unsubscribed");
    node.unsubscribe(&topics[1..]).await.expect("once more changes nothing");
    assert_eq!(engine.command("PUBSUB CHANNELS ws:topic*"), "*1");
    node.publish_all(&[&messages[5..], &messages[..1]].concat()).await.expect("published");
    assert_eq!(node.message().await, ("topic 0".into(), b"topic 0".to_vec()));
}

#[tokio::test]
async fn dropping_it_ends_its_connections() {
    let Some(engine) = Engine::start() else { return };
    let node = Node::subscribed(&engine, &["a"]).await;
    let clients = || engine.command("CLIENT LIST").lines().count();
    // With that of the question.
    assert_eq!(clients(), 3);
    drop(node);
    let ended = async {
        while clients() > 1 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(LONG, ended).await.expect("the end of its connections");
}
