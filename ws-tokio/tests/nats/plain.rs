//! A server that works: messages go to the other nodes that are subscribed, and nowhere else.

use ws_tokio::async_nats::ConnectOptions;
use ws_tokio::{Bus, BusEvent, BusMessage, Nats};

use crate::nats_server::Engine;
use crate::node::{message, names, node, node_with, soon, subscribed, text};

/// Text that NATS would take for more than a name.
fn nasty() -> Vec<String> {
    let mut names: Vec<_> =
        ["", "plain", "with space", ".", "..", "a.b.c", "*", ">", "a.>", "%", "%25", "%%", "$SYS"]
            .map(String::from)
            .into();
    names.extend(["\r\n", "PUB x 0\r\n", "\0", "tab\t", "größe", "日本", "🦀"].map(String::from));
    names.extend(["x".repeat(255), "ä".repeat(127), "\u{1}".repeat(255)]);
    names
}

#[tokio::test]
async fn any_text_is_a_topic_and_each_topic_another() {
    let Some(engine) = Engine::start() else { return };
    let topics = nasty();
    let topics: Vec<_> = topics.iter().map(|topic| &**topic).collect();
    let (one, other) = (node(&engine).await, subscribed(&engine, &topics).await);
    for topic in &topics {
        let published = message(topic, *topic);
        soon(one.publish(std::slice::from_ref(&published))).await.expect("it is published");
        assert_eq!(soon(other.event()).await, BusEvent::Message(published));
    }
}

#[tokio::test]
async fn payloads_are_any_bytes() {
    let Some(engine) = Engine::start() else { return };
    let (one, other) = (node(&engine).await, subscribed(&engine, &["bytes"]).await);
    let payloads: [&[u8]; 3] = [b"", b"\r\n\0\xff", &[7; 1024 * 1024]];
    let messages = payloads.map(|bytes| BusMessage::new("bytes", bytes.to_vec()));
    soon(one.publish(&messages)).await.expect("it is published");
    for published in messages {
        assert_eq!(soon(other.event()).await, BusEvent::Message(published));
    }
}

#[tokio::test]
async fn a_node_gets_nothing_of_its_own() {
    let Some(engine) = Engine::start() else { return };
    let (one, other) = (subscribed(&engine, &["t"]).await, subscribed(&engine, &["t"]).await);
    soon(one.publish(&[message("t", "of one")])).await.expect("it is published");
    assert_eq!(text(&other).await, "of one");
    soon(other.publish(&[message("t", "of the other")])).await.expect("it is published");
    assert_eq!(text(&one).await, "of the other");
}

#[tokio::test]
async fn prefixes_keep_nodes_apart() {
    let Some(engine) = Engine::start() else { return };
    let here = subscribed(&engine, &["t"]).await;
    let there = Nats::new(&engine.url()).expect("an address").prefix("there");
    assert_eq!(soon(there.event()).await, BusEvent::Connected);
    let third = node(&engine).await;
    soon(there.publish(&[message("t", "there")])).await.expect("it is published");
    soon(third.publish(&[message("t", "here")])).await.expect("it is published");
    assert_eq!(text(&here).await, "here");
}

#[tokio::test]
async fn a_topic_subscribed_twice_is_subscribed_once() {
    let Some(engine) = Engine::start() else { return };
    let (one, other) = (node(&engine).await, subscribed(&engine, &["t", "t"]).await);
    soon(other.subscribe(&names(&["t"]))).await.expect("it subscribes");
    soon(one.publish(&[message("t", "1"), message("t", "2")])).await.expect("it is published");
    assert_eq!((text(&other).await, text(&other).await), ("1".into(), "2".into()));
}

#[tokio::test]
async fn a_topic_left_is_left_and_can_be_taken_up_again() {
    let Some(engine) = Engine::start() else { return };
    let (one, other) = (node(&engine).await, subscribed(&engine, &["a", "b"]).await);
    soon(other.unsubscribe(&names(&["a", "unknown"]))).await.expect("it unsubscribes");
    soon(one.publish(&[message("a", "1"), message("b", "2")])).await.expect("it is published");
    assert_eq!(text(&other).await, "2");
    soon(other.subscribe(&names(&["a"]))).await.expect("it subscribes");
    soon(one.publish(&[message("a", "3")])).await.expect("it is published");
    assert_eq!(text(&other).await, "3");
}

#[tokio::test]
async fn somebody_who_listens_to_all_subjects_is_no_hindrance() {
    let Some(engine) = Engine::start() else { return };
    let client = ws_tokio::async_nats::connect(engine.url()).await.expect("it connects");
    let spy = client.subscribe(">").await.expect("it subscribes");
    client.flush().await.expect("it is there");
    let (one, other) = (node(&engine).await, subscribed(&engine, &["t"]).await);
    for number in ["1", "2", "3"] {
        soon(one.publish(&[message("t", number)])).await.expect("it is published");
        assert_eq!(text(&other).await, number);
    }
    drop(spy);
    soon(one.publish(&[message("t", "4")])).await.expect("it is published");
    assert_eq!(text(&other).await, "4");
}

#[tokio::test]
async fn permission_for_the_prefix_is_enough() {
    let config = std::env::temp_dir().join(format!("ws-nats-{}.conf", std::process::id()));
    let users = r#"authorization { users = [
        { user: u, password: "p:@", permissions: { publish: "app.>", subscribe: "app.>" } }
    ] }"#;
    std::fs::write(&config, users).expect("it is written");
    let started = Engine::start_with(&["--config", &config.to_string_lossy()]);
    std::fs::remove_file(&config).expect("it was there");
    let Some(engine) = started else { return };
    let address = engine.url().replace("//", "//u:p%3A%40@");
    let one = Nats::new(&address).expect("an address").prefix("app");
    let options = ConnectOptions::with_user_and_password("u".into(), "p:@".into());
    let other = Nats::with(&engine.url(), options).expect("an address").prefix("app");
    for node in [&one, &other] {
        assert_eq!(soon(node.event()).await, BusEvent::Connected);
    }
    soon(other.subscribe(&names(&["t"]))).await.expect("it subscribes");
    soon(one.publish(&[message("t", "1")])).await.expect("it is published");
    assert_eq!(text(&other).await, "1");
}

#[tokio::test]
async fn the_options_of_the_caller_are_used() {
    let Some(engine) = Engine::start_with(&["--auth", "secret"]) else { return };
    let one = node_with(&engine, ConnectOptions::with_token("secret".into())).await;
    let address = engine.url().replace("//", "//secret@");
    let other = Nats::new(&address).expect("an address");
    assert_eq!(soon(other.event()).await, BusEvent::Connected);
    soon(one.subscribe(&names(&["t"]))).await.expect("it subscribes");
    soon(other.publish(&[message("t", "1")])).await.expect("it is published");
    assert_eq!(text(&one).await, "1");
}

#[test]
fn an_address_that_is_none_is_an_error_at_once() {
    for bad in ["", "nats://", "http://127.0.0.1", "ws://127.0.0.1", "nats://a b", "nats://a,,b"] {
        assert!(Nats::new(bad).is_err(), "{bad}");
    }
    for good in ["localhost", "nats://127.0.0.1:4222", "nats://a:1, tls://b:2", "nats://[::1]"] {
        assert!(Nats::new(good).is_ok(), "{good}");
    }
}
