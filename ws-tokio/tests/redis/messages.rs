//! What comes through: any name, any payload, in order, to every node.

use tokio::task::yield_now;
use ws_tokio::{Bus, BusEvent, BusMessage};

use crate::node::{Node, message};
use crate::redis_server::Engine;

#[tokio::test]
async fn any_name_and_any_payload_come_through() {
    let Some(engine) = Engine::start() else { return };
    let longest = "ü".repeat(127) + "x";
    let topics = ["", " ", "two words", "line\r\nline", "*", "a?[b]\\", "ws:", "日本", &longest];
    let node = Node::subscribed(&engine, &topics).await;
    for payload in [&b""[..], b"\r\n", b"\0\xff\xfe", &[b'$'; 100_000]] {
        let messages = topics.map(|topic| message(topic, payload));
        node.publish_all(&messages).await.expect("published");
        for topic in topics {
            assert_eq!(node.message().await, (topic.to_owned(), payload.to_vec()));
        }
    }
}

#[tokio::test]
async fn a_hundred_thousand_messages_come_in_order() {
    let Some(engine) = Engine::start() else { return };
    let from = Node::start(&engine).await;
    let to = Node::subscribed(&engine, &["a", "b"]).await;
    let publish = async {
        for thousand in 0..100_u32 {
            let numbers = thousand * 1000..(thousand + 1) * 1000;
            let messages: Vec<_> = numbers
                .map(|n| message(if n % 3 == 0 { "a" } else { "b" }, n.to_be_bytes()))
                .collect();
            from.publish_all(&messages).await.expect("published");
        }
    };
    let receive = async {
        for n in 0..100_000_u32 {
            let message = loop {
                // Dropping the future loses nothing.
                tokio::select! {
                    biased;
                    event = to.0.event() => break event,
                    () = yield_now() => {}
                }
            };
            let topic = if n % 3 == 0 { "a" } else { "b" };
            let payload = n.to_be_bytes().to_vec();
            assert_eq!(message, BusEvent::Message(BusMessage::new(topic, payload)), "message {n}");
        }
    };
    tokio::join!(publish, receive);
}

#[tokio::test]
async fn every_node_hears_all_of_its_prefix() {
    let Some(engine) = Engine::start() else { return };
    let nodes = [
        Node::subscribed(&engine, &["a"]).await,
        Node::subscribed(&engine, &["a"]).await,
        Node::subscribed(&engine, &["b"]).await,
    ];
    let other = Node(ws_tokio::Redis::new(&engine.url()).expect("a valid URL").prefix("other"));
    assert_eq!(other.event().await, BusEvent::Connected);
    other.subscribe(&["a"]).await.expect("subscribed");
    other.publish("a", "not for you").await.expect("published");
    nodes[0].publish("a", "from 0").await.expect("published");
    nodes[1].publish_all(&[message("b", "from 1"), message("a", "too")]).await.expect("published");
    for node in &nodes[..2] {
        assert_eq!(node.message().await, ("a".into(), b"from 0".to_vec()));
        assert_eq!(node.message().await, ("a".into(), b"too".to_vec()));
    }
    assert_eq!(nodes[2].message().await, ("b".into(), b"from 1".to_vec()));
    assert_eq!(other.message().await, ("a".into(), b"not for you".to_vec()));
}

#[tokio::test]
async fn what_nobody_takes_is_missed_and_the_connection_lasts() {
    let Some(engine) = Engine::start() else { return };
    let from = Node::start(&engine).await;
    let to = Node::subscribed(&engine, &["large", "small"]).await;
    for _ in 0..40 {
        from.publish("large", vec![0; 1024 * 1024]).await.expect("published");
    }
    // When this has arrived, so has everything before it.
    to.publish("small", "").await.expect("published");
    to.unsubscribe(&["nothing"]).await.expect("the server's answer comes last");
    let mut large = 0;
    loop {
        match to.event().await {
            BusEvent::Message(message) => {
                assert_eq!(&*message.topic, "large");
                large += 1;
            }
            event => {
                assert_eq!(event, BusEvent::Missed("large".into()));
                break;
            }
        }
    }
    assert!((20..40).contains(&large), "{large} of 40 MiB were kept");
    assert_eq!(to.message().await, ("small".into(), vec![]));
    from.publish("large", "again").await.expect("published");
    assert_eq!(to.message().await, ("large".into(), b"again".to_vec()));
}

#[tokio::test]
async fn a_refused_message_does_not_stop_the_others() {
    let Some(engine) = Engine::start() else { return };
    let node = Node::subscribed(&engine, &["open", "open too"]).await;
    assert_eq!(engine.command("ACL SETUSER default resetchannels &ws:open*"), "+OK");
    let messages = ["open", "closed", "open too"].map(|topic| message(topic, topic));
    let error = node.publish_all(&messages).await.expect_err("one was refused");
    assert!(error.to_string().contains("no permissions"), "{error}");
    assert_eq!(node.message().await, ("open".into(), b"open".to_vec()));
    assert_eq!(node.message().await, ("open too".into(), b"open too".to_vec()));
    let error = node.subscribe(&["closed"]).await.expect_err("it is refused");
    assert!(error.to_string().contains("no permissions"), "{error}");
    node.publish("open", "still").await.expect("published");
    assert_eq!(node.message().await, ("open".into(), b"still".to_vec()));
}
