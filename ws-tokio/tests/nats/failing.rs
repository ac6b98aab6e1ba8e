//! A server that is killed, started again, paused, or not there yet.

use std::net::TcpListener;
use std::time::Duration;

use tokio::time::sleep;
use ws_tokio::{Bus, BusEvent, Nats};

use crate::nats_server::Engine;
use crate::node::{message, names, node, publish_at_last, soon, subscribed, text};

#[tokio::test]
async fn without_a_server_calls_fail_and_a_later_one_is_found() {
    let Some(mut engine) = Engine::start() else { return };
    engine.kill();
    let nats = Nats::new(&engine.url()).expect("an address");
    assert!(soon(nats.publish(&[message("t", "1")])).await.is_err());
    assert!(soon(nats.subscribe(&names(&["t"]))).await.is_err());
    assert!(soon(nats.unsubscribe(&names(&["t"]))).await.is_ok());
    engine.restart();
    assert_eq!(soon(nats.event()).await, BusEvent::Connected);
    soon(nats.subscribe(&names(&["t"]))).await.expect("it subscribes");
    publish_at_last(&node(&engine).await, message("t", "2")).await;
    assert_eq!(text(&nats).await, "2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_restart_subscriptions_are_in_effect_and_nothing_comes_twice() {
    const TOPICS: [&str; 3] = ["a", "b", "c"];
    let Some(mut engine) = Engine::start() else { return };
    let (one, other) = (node(&engine).await, subscribed(&engine, &TOPICS).await);
    let publisher = tokio::spawn(async move {
        let mut confirmed = Vec::new();
        for number in 0_u32..6000 {
            let topic = TOPICS[number as usize % 3];
            match one.publish(&[message(topic, number.to_string())]).await {
                Ok(()) => confirmed.push(number),
                // Numbers would run out before the server is back.
                Err(_) => sleep(Duration::from_millis(5)).await,
            }
        }
        publish_at_last(&one, message("a", "end")).await;
        confirmed
    });
    let (mut connection, mut received) = (1, Vec::new());
    loop {
        match soon(other.event()).await {
            BusEvent::Message(message) if message.payload == "end" => break,
            BusEvent::Message(message) => {
                let text = std::str::from_utf8(&message.payload).expect("text");
                received.push(text.parse::<u32>().expect("a number"));
                if received.len() == 500 * connection && connection <= 3 {
                    engine.kill();
                    assert_eq!(past_messages(&other, &mut received).await, BusEvent::Disconnected);
                    engine.restart();
                    assert_eq!(past_messages(&other, &mut received).await, BusEvent::Connected);
                    connection += 1;
                }
            }
            event => panic!("{event:?}"),
        }
    }
    let confirmed = soon(publisher).await.expect("it ends");
    for (topic, _) in TOPICS.iter().enumerate() {
        let of_topic = received.iter().filter(|number| **number as usize % 3 == topic);
        assert!(of_topic.is_sorted_by(|one, next| one < next), "in order, and nothing twice");
    }
    assert_eq!(connection, 4, "the server was killed three times");
    assert!(confirmed.len() > 500 && received.len() > 500);
}

/// The next event that is no message.
async fn past_messages(nats: &Nats, received: &mut Vec<u32>) -> BusEvent {
    loop {
        match soon(nats.event()).await {
            BusEvent::Message(message) => {
                let text = std::str::from_utf8(&message.payload).expect("text");
                received.push(text.parse().expect("a number"));
            }
            event => return event,
        }
    }
}

#[tokio::test]
async fn messages_that_were_received_come_before_the_loss() {
    let Some(mut engine) = Engine::start() else { return };
    let topics: Vec<_> = (0..100).map(|number| format!("topic {number}")).collect();
    let topics: Vec<_> = topics.iter().map(|topic| &**topic).collect();
    let (one, other) = (node(&engine).await, subscribed(&engine, &topics).await);
    let messages: Vec<_> = (0..20_000).map(|n| message(topics[n % 100], n.to_string())).collect();
    soon(one.publish(&messages)).await.expect("it is published");
    // All of it has arrived when what was sent behind it has.
    soon(other.publish(&[message("t", "")])).await.expect("it is published");
    engine.kill();
    soon(async { while other.publish(&[message("t", "")]).await.is_ok() {} }).await;
    for _ in 0..20_000 {
        text(&other).await;
    }
    assert_eq!(soon(other.event()).await, BusEvent::Disconnected);
}

#[tokio::test]
async fn a_paused_server_fails_calls_in_time_and_goes_on_later() {
    let Some(engine) = Engine::start() else { return };
    let (one, other) = (node(&engine).await, subscribed(&engine, &["t"]).await);
    engine.pause();
    assert!(soon(one.publish(&[message("t", "lost or late")])).await.is_err());
    let many: Vec<_> = (0..10_000).map(|_| message("t", "x".repeat(10_000))).collect();
    assert!(soon(one.publish(&many)).await.is_err(), "more than the connection takes");
    engine.resume();
    publish_at_last(&one, message("t", "end")).await;
    let mut late = 0;
    while soon(other.event()).await != BusEvent::Message(message("t", "end")) {
        late += 1;
    }
    assert!(late <= 10_003, "nothing twice: {late}");
}

#[tokio::test]
async fn a_server_that_never_answers_is_left() {
    let Some(engine) = Engine::start() else { return };
    let one = subscribed(&engine, &["t"]).await;
    engine.pause();
    assert_eq!(soon(one.event()).await, BusEvent::Disconnected);
    engine.resume();
    assert_eq!(soon(one.event()).await, BusEvent::Connected);
    publish_at_last(&node(&engine).await, message("t", "1")).await;
    assert_eq!(text(&one).await, "1");
}

#[tokio::test]
async fn something_that_is_no_server_is_no_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("it is bound").to_string();
    let nats = Nats::new(&address).expect("an address");
    assert!(soon(nats.publish(&[message("t", "1")])).await.is_err());
}
