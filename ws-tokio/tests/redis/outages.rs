//! Servers and connections that go, and come back: what a node notices, and that it is whole again after it.

use std::time::Duration;

use tokio::time::{sleep, timeout};
use ws_tokio::{BusEvent, BusResult, Redis};

use crate::node::{LONG, Node, message};
use crate::redis_server::Engine;

#[test]
fn a_bad_url_is_an_error_at_once() {
    for url in ["", "localhost", "http://localhost/", "redis://localhost:port/"] {
        assert!(Redis::new(url).is_err(), "{url}");
    }
}

#[tokio::test]
async fn a_node_may_be_there_before_the_server() {
    let Some(mut engine) = Engine::start() else { return };
    engine.kill();
    let node = Node(Redis::new(&engine.url()).expect("a valid URL"));
    node.publish("a", "").await.expect_err("there is no connection yet");
    node.subscribe(&["a"]).await.expect_err("there is no connection yet");
    node.unsubscribe(&["a"]).await.expect("nothing is to be done");
    engine.restart();
    assert_eq!(node.event().await, BusEvent::Connected);
    node.subscribe(&["a"]).await.expect("subscribed");
    node.publish("a", "now").await.expect("published");
    assert_eq!(node.message().await, ("a".into(), b"now".to_vec()));
}

#[tokio::test]
async fn a_wrong_password_is_told_and_a_right_one_connects() {
    let Some(engine) = Engine::start() else { return };
    assert_eq!(engine.command("ACL SETUSER node on >secret +@all allchannels"), "+OK");
    let url = |password: &str| engine.url().replace("//", &format!("//node:{password}@"));
    let wrong = Node(Redis::new(&url("wrong")).expect("a valid URL"));
    let told = async {
        while !refusal(&wrong).await.contains("WRONGPASS") {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(LONG, told).await.expect("the server's answer");
    let right = Node(Redis::new(&url("secret")).expect("a valid URL"));
    assert_eq!(right.event().await, BusEvent::Connected);
    assert!(!format!("{:?}", right.0).contains("secret"));
}

#[tokio::test]
async fn a_server_that_is_killed_and_starts_again() {
    let Some(mut engine) = Engine::start() else { return };
    let from = Node::start(&engine).await;
    let to = Node::subscribed(&engine, &["a", "gone"]).await;
    let mut numbers = Numbers::default();
    numbers.publish(&from, 100).await.expect("published");
    // The publisher may be answered before the subscriber is sent anything.
    numbers.check_to_last(&to).await;
    engine.kill();
    assert_eq!(numbers.check_to_news(&to).await, BusEvent::Disconnected);
    // The first may find the connection's end, the second finds none.
    numbers.publish(&from, 1).await.expect_err("there is no server");
    numbers.publish(&from, 1).await.expect_err("there is no server");
    to.unsubscribe(&["gone"]).await.expect("it won't be subscribed again");
    engine.restart();
    assert_eq!(numbers.check_to_news(&to).await, BusEvent::Connected);
    assert_eq!(engine.command("PUBSUB CHANNELS"), "*1");
    assert_eq!(from.news().await, BusEvent::Disconnected);
    assert_eq!(from.news().await, BusEvent::Connected);
    numbers.publish(&from, 100).await.expect("published");
    numbers.check_to_last(&to).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_under_load() {
    let Some(mut engine) = Engine::start() else { return };
    let from = Node::start(&engine).await;
    let to = Node::subscribed(&engine, &["a"]).await;
    let mut numbers = Numbers::default();
    for _ in 0..3 {
        let last = numbers.next;
        let outage = async {
            sleep(Duration::from_millis(50)).await;
            engine.kill();
            engine.restart();
        };
        let publish = async { while numbers.publish(&from, 50).await.is_ok() {} };
        tokio::join!(outage, publish);
        assert!(numbers.next > last);
        assert_eq!(numbers.check_to_news(&to).await, BusEvent::Disconnected);
        assert_eq!(numbers.check_to_news(&to).await, BusEvent::Connected);
        assert_eq!(from.news().await, BusEvent::Disconnected);
        assert_eq!(from.news().await, BusEvent::Connected);
        numbers.publish(&from, 1).await.expect("published");
        numbers.check_to_last(&to).await;
    }
}

#[tokio::test]
async fn a_server_that_is_paused_counts_as_lost() {
    let Some(engine) = Engine::start() else { return };
    let from = Node::start(&engine).await;
    let to = Node::subscribed(&engine, &["a"]).await;
    let mut numbers = Numbers::default();
    numbers.publish(&from, 10).await.expect("published");
    engine.pause();
    numbers.publish(&from, 10).await.expect_err("no answer comes");
    from.subscribe(&["a"]).await.expect_err("there is no connection");
    // It notices by itself.
    assert_eq!(numbers.check_to_news(&to).await, BusEvent::Disconnected);
    assert_eq!(from.news().await, BusEvent::Disconnected);
    engine.resume();
    assert_eq!(numbers.check_to_news(&to).await, BusEvent::Connected);
    assert_eq!(from.news().await, BusEvent::Connected);
    numbers.publish(&from, 10).await.expect("published");
    numbers.check_to_last(&to).await;
}

#[tokio::test]
async fn a_subscription_that_is_not_confirmed_can_be_tried_again() {
    let Some(engine) = Engine::start() else { return };
    let node = Node::subscribed(&engine, &["a"]).await;
    engine.pause();
    node.subscribe(&["a", "b"]).await.expect_err("no answer comes");
    assert_eq!(node.event().await, BusEvent::Disconnected);
    engine.resume();
    assert_eq!(node.event().await, BusEvent::Connected);
    node.publish("a", "it was there before").await.expect("published");
    assert_eq!(node.message().await.0, "a");
    node.subscribe(&["a", "b"]).await.expect("subscribed");
    node.publish("b", "").await.expect("published");
    assert_eq!(node.message().await.0, "b");
}

#[tokio::test]
async fn connections_that_the_server_ends() {
    let Some(engine) = Engine::start() else { return };
    let node = Node::subscribed(&engine, &["a"]).await;
    for kind in ["pubsub", "normal"] {
        assert_eq!(engine.command(&format!("CLIENT KILL TYPE {kind}")), ":1");
        assert_eq!(node.event().await, BusEvent::Disconnected);
        assert_eq!(node.event().await, BusEvent::Connected);
        node.publish("a", kind).await.expect("published");
        assert_eq!(node.message().await, ("a".into(), kind.into()));
    }
}

#[tokio::test]
async fn a_slow_consumer_is_thrown_out_and_comes_back() {
    let Some(engine) = Engine::start() else { return };
    let from = Node::start(&engine).await;
    let to = Node::subscribed(&engine, &["a"]).await;
    let limit = "CONFIG SET client-output-buffer-limit \"pubsub 65536 0 0\"";
    assert_eq!(engine.command(limit), "+OK");
    from.publish("a", vec![0; 1024 * 1024]).await.expect("published");
    assert_eq!(to.news().await, BusEvent::Disconnected);
    assert_eq!(to.event().await, BusEvent::Connected);
    from.publish("a", "small").await.expect("published");
    assert_eq!(to.message().await, ("a".into(), b"small".to_vec()));
}

/// Why nothing can be published.
async fn refusal(node: &Node) -> String {
    node.publish("a", "").await.expect_err("there is no connection").to_string()
}

/// Numbered messages of the topic `a`: each number comes once at most, and they come in order.
#[derive(Default)]
struct Numbers {
    next: u64,
    /// The number after the last that came.
    received: u64,
}

impl Numbers {
    async fn publish(&mut self, from: &Node, count: u64) -> BusResult {
        let numbers = self.next..self.next + count;
        self.next += count;
        let messages: Vec<_> = numbers.map(|n| message("a", n.to_be_bytes())).collect();
        from.publish_all(&messages).await
    }

    /// Passes over messages to the next event of another kind.
    async fn check_to_news(&mut self, to: &Node) -> BusEvent {
        loop {
            let event = to.event().await;
            let BusEvent::Message(message) = event else { return event };
            self.check(&message.payload);
        }
    }

    /// Takes messages until the last has come.
    async fn check_to_last(&mut self, to: &Node) {
        while self.received < self.next {
            self.check(&to.message().await.1);
        }
    }

    fn check(&mut self, payload: &[u8]) {
        let number = u64::from_be_bytes(payload.try_into().expect("a number"));
        assert!(number >= self.received, "{number} after {}", self.received - 1);
        self.received = number + 1;
    }
}
