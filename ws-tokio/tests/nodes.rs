//! Hubs of several nodes over a bus: what reaches other nodes, what waits, what is lost and how that is told.

#[path = "support"]
mod support {
    pub(crate) mod exchange;
    pub(crate) mod now;
}

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use tokio::time::sleep;
use ws_tokio::{
    BroadcastOptions, BusEvent, BusMessage, CloseCode, Hub, HubEvent, HubOptions, Message,
    MessageRef, Outbox, PreparedMessage, Slow, Subscriber, Subscriptions, pipe,
};

use support::exchange::Exchange;
use support::now::now;

/// Hubs of so many nodes, all connected.
async fn hubs<const N: usize>(exchange: &Exchange, options: HubOptions) -> [Hub; N] {
    let hubs = std::array::from_fn(|node| {
        let hub = Hub::over(exchange.node(node), options.clone());
        exchange.connect(node);
        hub
    });
    settle().await;
    hubs
}

/// Lets all tasks do what they can. In these tests, time passes only while all of them wait.
async fn settle() {
    sleep(Duration::from_millis(1)).await;
}

async fn subscriber(hub: &Hub, topics: &[&str]) -> Subscriber {
    let subscriber = hub.subscriber();
    for topic in topics {
        assert_eq!(subscriber.subscribe(topic), Ok(true));
    }
    subscriber.settled().await;
    subscriber
}

fn shown(event: &HubEvent) -> String {
    match event {
        HubEvent::Message(published) => {
            let message = published.message().message();
            format!("{}: {}", published.topic(), message.as_text().expect("text"))
        }
        HubEvent::Gap(gap) => format!("{}: gap", gap.topic()),
        _ => panic!("something else"),
    }
}

async fn queued(subscriber: &mut Subscriber) -> Vec<String> {
    settle().await;
    let mut queued = Vec::new();
    while let Some(Ok(event)) = now(subscriber.recv()).await {
        queued.push(shown(&event));
    }
    queued
}

fn keep(slow: Slow, max_messages: usize) -> HubOptions {
    let queues = BroadcastOptions::default().max_messages(max_messages).slow(slow);
    HubOptions::default().queues(queues)
}

#[tokio::test(start_paused = true)]
async fn a_message_goes_once_to_each_node_with_subscribers_and_to_no_other() {
    let exchange = Exchange::default();
    let [one, two, three] = hubs(&exchange, HubOptions::default()).await;
    let mut here = subscriber(&one, &["a"]).await;
    let mut there = [subscriber(&two, &["a", "b"]).await, subscriber(&two, &["a"]).await];
    let mut elsewhere = subscriber(&three, &["b"]).await;
    let before = exchange.delivered();
    assert_eq!(one.publish("a", "1"), 1);
    assert_eq!(queued(&mut here).await, ["a: 1"]);
    for subscriber in &mut there {
        assert_eq!(queued(subscriber).await, ["a: 1"]);
    }
    assert_eq!(queued(&mut elsewhere).await, [""; 0]);
    assert_eq!(exchange.delivered() - before, 1);
    assert_eq!(three.publish("a", "2"), 0);
    assert_eq!(queued(&mut there[1]).await, ["a: 2"]);
    let stats = two.bus_stats().unwrap();
    assert_eq!((stats.received, stats.published, stats.gaps), (2, 0, 0));
    assert_eq!(one.bus_stats().unwrap().published, 1);
    assert_eq!(Hub::new().bus_stats(), None);
}

#[tokio::test(start_paused = true)]
async fn what_comes_back_to_its_own_node_is_not_delivered_twice() {
    let exchange = Exchange::with_echo();
    let [one, two] = hubs(&exchange, HubOptions::default()).await;
    let mut here = subscriber(&one, &["a"]).await;
    let mut there = subscriber(&two, &["a"]).await;
    one.publish("a", "1");
    settle().await;
    two.publish("a", "2");
    assert_eq!(queued(&mut here).await, ["a: 1", "a: 2"]);
    assert_eq!(queued(&mut there).await, ["a: 1", "a: 2"]);
}

#[tokio::test(start_paused = true)]
async fn messages_come_to_other_nodes_as_they_were_published() {
    let exchange = Exchange::default();
    let [one, two] = hubs(&exchange, keep(Slow::KeepLatest, 10)).await;
    let mut there = subscriber(&two, &["a"]).await;
    one.publish("a", Message::binary(vec![0xff, 0]));
    one.publish_keyed("a", "x", "old");
    one.publish_prepared("a", &PreparedMessage::plain("secret"));
    one.publish_keyed("a", "y", "");
    one.publish_keyed("a", "x", "new");
    settle().await;
    let mut received = Vec::new();
    while let Some(Ok(event)) = now(there.recv()).await {
        let published = event.into_message().expect("a message");
        let message = published.message();
        let key = published.key().map(str::to_owned);
        received.push((key, message.message().clone(), message.is_plain()));
    }
    // Of what has no key, and of each key, the latest.
    let expected = [
        (None, Message::text("secret"), true),
        (Some("x".to_owned()), Message::text("new"), false),
        (Some("y".to_owned()), Message::text(""), false),
    ];
    assert_eq!(received, expected);
}

#[tokio::test(start_paused = true)]
async fn without_a_bus_this_node_misses_nothing() {
    let exchange = Exchange::default();
    let hub = Hub::over(exchange.node(0), HubOptions::default());
    let mut here = hub.subscriber();
    here.subscribe("a").unwrap();
    for n in 0..100 {
        assert_eq!(hub.publish("a", format!("{n}")), 1);
    }
    let expected: Vec<_> = (0..100).map(|n| format!("a: {n}")).collect();
    assert_eq!(queued(&mut here).await, expected);
    let stats = hub.bus_stats().unwrap();
    assert!(!stats.is_connected);
    assert_eq!((stats.waiting, stats.dropped), (100, 0));
}

#[tokio::test(start_paused = true)]
async fn a_node_is_subscribed_on_the_bus_to_what_has_subscribers_and_leaves_late() {
    let exchange = Exchange::default();
    let [hub] = hubs(&exchange, HubOptions::default().linger(Duration::from_secs(5))).await;
    let some = subscriber(&hub, &["a", "b"]).await;
    assert_eq!(exchange.topics(0), ["a", "b"]);
    // The exchange bears no second subscription, and no end of one that it doesn't have.
    for _ in 0..100 {
        some.unsubscribe("a");
        settle().await;
        some.subscribe("a").unwrap();
        some.settled().await;
    }
    some.unsubscribe("b");
    sleep(Duration::from_secs(4)).await;
    assert_eq!(exchange.topics(0), ["a", "b"]);
    sleep(Duration::from_secs(2)).await;
    assert_eq!(exchange.topics(0), ["a"]);
    drop(some);
    sleep(Duration::from_secs(6)).await;
    assert_eq!(exchange.topics(0), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_topic_is_never_left_where_time_has_no_end() {
    let exchange = Exchange::default();
    let [hub] = hubs(&exchange, HubOptions::default().linger(Duration::MAX)).await;
    drop(subscriber(&hub, &["a"]).await);
    sleep(Duration::from_secs(1_000_000)).await;
    assert_eq!(exchange.topics(0), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn after_the_bus_was_away_each_topic_is_told_of_a_gap_once() {
    let exchange = Exchange::default();
    let [one, two] = hubs(&exchange, HubOptions::default()).await;
    let mut here = subscriber(&one, &["a", "b"]).await;
    let mut there = subscriber(&two, &["a"]).await;
    two.publish("a", "before");
    settle().await;
    exchange.cut(0);
    settle().await;
    assert!(!one.bus_stats().unwrap().is_connected);
    two.publish("a", "missed");
    settle().await;
    one.publish("a", "meanwhile");
    exchange.connect(0);
    settle().await;
    two.publish("a", "after");
    let mut received = queued(&mut here).await;
    assert_eq!(received.remove(0), "a: before");
    assert_eq!(received.remove(0), "a: meanwhile");
    assert_eq!(received.pop().unwrap(), "a: after");
    received.sort_unstable();
    assert_eq!(received, ["a: gap", "b: gap"]);
    // What waited was not lost, and the other node was never away.
    assert_eq!(queued(&mut there).await, ["a: before", "a: missed", "a: meanwhile", "a: after"]);
    assert_eq!(one.bus_stats().unwrap().gaps, 2);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_the_bus_is_bounded_and_others_are_told_what_they_missed() {
    let exchange = Exchange::default();
    let [one, two] = hubs(&exchange, HubOptions::default().max_waiting(3, 1 << 20)).await;
    let mut here = subscriber(&one, &["a"]).await;
    let mut there = subscriber(&two, &["a", "b"]).await;
    exchange.cut(0);
    settle().await;
    for n in 0..5 {
        one.publish("a", format!("{n}"));
    }
    let stats = one.bus_stats().unwrap();
    assert_eq!((stats.waiting, stats.dropped), (3, 2));
    exchange.connect(0);
    assert_eq!(queued(&mut there).await, ["a: 0", "a: 1", "a: 2", "a: gap"]);
    let expected = ["a: 0", "a: 1", "a: 2", "a: 3", "a: 4", "a: gap"];
    assert_eq!(queued(&mut here).await, expected);
    let stats = one.bus_stats().unwrap();
    assert_eq!((stats.waiting, stats.dropped, stats.published), (0, 2, 3));
}

#[tokio::test(start_paused = true)]
async fn bytes_that_wait_are_bounded_too_but_one_message_may_be_larger() {
    let exchange = Exchange::default();
    let [one, two] = hubs(&exchange, HubOptions::default().max_waiting(100, 10)).await;
    let mut there = subscriber(&two, &["a"]).await;
    exchange.cut(0);
    settle().await;
    one.publish("a", "more than ten bytes");
    one.publish("a", "1");
    exchange.connect(0);
    assert_eq!(queued(&mut there).await, ["a: more than ten bytes", "a: gap"]);
    for n in 0..10 {
        one.publish("a", format!("{n}"));
    }
    assert_eq!(queued(&mut there).await.len(), 10);
    assert_eq!(one.bus_stats().unwrap().dropped, 1);
}

#[tokio::test(start_paused = true)]
async fn where_too_many_topics_lost_something_all_are_told() {
    let exchange = Exchange::default();
    let [one, two] = hubs(&exchange, HubOptions::default().max_waiting(1, 1 << 20)).await;
    let mut there = subscriber(&two, &["never published to"]).await;
    exchange.cut(0);
    settle().await;
    for n in 0..2000 {
        one.publish(&n.to_string(), "lost");
    }
    exchange.connect(0);
    assert_eq!(queued(&mut there).await, ["never published to: gap"]);
    assert_eq!(one.bus_stats().unwrap().dropped, 1999);
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_hangs_holds_up_nobody_and_nothing_that_it_brings() {
    let exchange = Exchange::default();
    let [one, two] = hubs(&exchange, HubOptions::default().max_waiting(10, 1 << 20)).await;
    let mut here = subscriber(&one, &["a"]).await;
    exchange.hang(0, true);
    for n in 0..20 {
        assert_eq!(one.publish("a", format!("{n}")), 1);
        settle().await;
    }
    two.publish("a", "from elsewhere");
    let received = queued(&mut here).await;
    assert_eq!((received.len(), &*received[20]), (21, "a: from elsewhere"));
    let stats = one.bus_stats().unwrap();
    // One is on its way.
    assert_eq!((stats.waiting, stats.dropped), (10, 9));
}

#[tokio::test(start_paused = true)]
async fn a_failed_batch_is_not_sent_again_but_told() {
    let exchange = Exchange::default();
    let [one, two] = hubs(&exchange, HubOptions::default()).await;
    let mut there = subscriber(&two, &["a", "b"]).await;
    exchange.refuse(0, true);
    one.publish("a", "lost");
    assert_eq!(queued(&mut there).await, [""; 0]);
    exchange.refuse(0, false);
    one.publish("b", "1");
    sleep(Duration::from_secs(2)).await;
    assert_eq!(queued(&mut there).await, ["b: 1", "a: gap"]);
    assert_eq!(one.bus_stats().unwrap().dropped, 1);
}

#[tokio::test(start_paused = true)]
async fn a_subscription_that_fails_is_made_later_and_a_gap_is_told() {
    let exchange = Exchange::default();
    let [one, two] = hubs(&exchange, HubOptions::default()).await;
    exchange.refuse(0, true);
    let mut here = one.subscriber();
    here.subscribe("a").unwrap();
    settle().await;
    two.publish("a", "missed");
    settle().await;
    assert!(now(here.settled()).await.is_none());
    exchange.refuse(0, false);
    here.settled().await;
    two.publish("a", "1");
    assert_eq!(queued(&mut here).await, ["a: gap", "a: 1"]);
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_begins_with_the_connection_has_no_gap_and_one_from_before_has() {
    let exchange = Exchange::default();
    let hub = Hub::over(exchange.node(0), HubOptions::default());
    let (mut before, mut after) = (hub.subscriber(), hub.subscriber());
    before.subscribe("before").unwrap();
    exchange.connect(0);
    while !hub.bus_stats().unwrap().is_connected {
        tokio::task::yield_now().await;
    }
    after.subscribe("after").unwrap();
    assert_eq!(queued(&mut before).await, ["before: gap"]);
    assert_eq!(queued(&mut after).await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_the_bus_refuses_keeps_out_no_other_and_is_asked_for_again() {
    let exchange = Exchange::default();
    let [one, two] = hubs(&exchange, HubOptions::default()).await;
    exchange.forbid(0, Some("bad"));
    let (mut bad, mut good) = (one.subscriber(), one.subscriber());
    for n in 0..3000 {
        bad.subscribe(&format!("bad {n}")).map_or_else(|_| (), drop);
    }
    good.subscribe("good").unwrap();
    good.settled().await;
    two.publish("good", "1");
    assert_eq!(queued(&mut good).await, ["good: 1"]);
    assert!(now(bad.settled()).await.is_none());
    exchange.forbid(0, None);
    bad.settled().await;
    two.publish("bad 7", "1");
    let received = queued(&mut bad).await;
    assert_eq!(received.last().unwrap(), "bad 7: 1");
    // Of its 1024 topics.
    assert_eq!(received.len(), 1025);
}

#[tokio::test(start_paused = true)]
async fn settled_waits_for_all_topics_and_for_none_on_one_node() {
    let exchange = Exchange::default();
    let hub = Hub::over(exchange.node(0), HubOptions::default());
    let some = hub.subscriber();
    assert!(now(some.settled()).await.is_some(), "of nothing");
    some.subscribe("a").unwrap();
    settle().await;
    assert!(now(some.settled()).await.is_none());
    let waiting = tokio::spawn({
        let subscriptions = some.subscriptions();
        async move { subscriptions.settled().await }
    });
    exchange.connect(0);
    waiting.await.unwrap();
    let alone = Hub::new().subscriber();
    alone.subscribe("a").unwrap();
    assert!(now(alone.settled()).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn what_the_bus_itself_missed_is_told_for_its_topic() {
    let exchange = Exchange::default();
    let [one, _two] = hubs(&exchange, HubOptions::default()).await;
    let mut here = subscriber(&one, &["a", "b"]).await;
    exchange.bring(0, BusEvent::Missed("b".into()));
    exchange.bring(0, BusEvent::Missed("nobody is here".into()));
    assert_eq!(queued(&mut here).await, ["b: gap"]);
    assert_eq!(one.bus_stats().unwrap().gaps, 1);
}

#[tokio::test(start_paused = true)]
async fn what_no_hub_wrote_is_counted_and_dropped() {
    let exchange = Exchange::default();
    let [one] = hubs(&exchange, HubOptions::default()).await;
    let mut here = subscriber(&one, &["a"]).await;
    for payload in [&b""[..], b"{}", b"a line of some other program"] {
        let message = BusMessage::new("a", payload);
        exchange.bring(0, BusEvent::Message(message));
    }
    assert_eq!(queued(&mut here).await, [""; 0]);
    assert_eq!(one.bus_stats().unwrap().rejected, 3);
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_has_no_name_or_too_long_a_one_does_not_reach_the_bus() {
    let exchange = Exchange::default();
    let [one] = hubs(&exchange, HubOptions::default().max_name(3)).await;
    assert_eq!(
        (one.publish("", "1"), one.publish("abcd", "2"), one.publish("abc", "3")),
        (0, 0, 0)
    );
    settle().await;
    assert_eq!(one.bus_stats().unwrap().published, 1);
}

#[tokio::test(start_paused = true)]
async fn a_gap_keeps_its_place_and_is_never_dropped() {
    for slow in [Slow::DropOldest, Slow::DropNewest, Slow::KeepLatest] {
        let exchange = Exchange::default();
        let [hub] = hubs(&exchange, keep(slow, 2)).await;
        let mut here = subscriber(&hub, &["a", "b", "c"]).await;
        let miss = || exchange.bring(0, BusEvent::Missed("a".into()));
        hub.publish("b", "1");
        miss();
        settle().await;
        hub.publish("c", "2");
        assert_eq!(queued(&mut here).await, ["b: 1", "a: gap", "c: 2"], "{slow:?}");
        // However full the queue, and once only.
        for n in 0..3 {
            hub.publish("b", format!("{n}"));
            hub.publish("c", format!("{n}"));
            miss();
            settle().await;
        }
        let expected = match slow {
            Slow::DropNewest => ["b: 0", "c: 0", "a: gap"],
            _ => ["b: 2", "c: 2", "a: gap"],
        };
        assert_eq!(queued(&mut here).await, expected, "{slow:?}");
        miss();
        settle().await;
        for n in 0..5 {
            hub.publish("b", format!("{n}"));
            hub.publish("c", format!("{n}"));
        }
        let received = queued(&mut here).await;
        assert_eq!((received.len(), &*received[0]), (3, "a: gap"), "{slow:?}");
        miss();
        settle().await;
        here.unsubscribe("a");
        assert_eq!(queued(&mut here).await, [""; 0], "{slow:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_moves_back_lets_the_gap_behind_it_move_up() {
    let exchange = Exchange::default();
    let queues = BroadcastOptions::default().max_bytes(10).slow(Slow::KeepLatest);
    let [hub] = hubs(&exchange, HubOptions::default().queues(queues)).await;
    let mut here = subscriber(&hub, &["a", "b"]).await;
    hub.publish("a", "1");
    hub.publish("b", "12345");
    exchange.bring(0, BusEvent::Missed("b".into()));
    settle().await;
    // It has no room in its place.
    hub.publish("a", "123456");
    assert_eq!(queued(&mut here).await, ["b: gap", "a: 123456"]);
}

#[tokio::test(start_paused = true)]
async fn clients_are_told_of_gaps_by_a_message_if_there_is_one() {
    let served = |options: HubOptions| async move {
        let exchange = Exchange::default();
        let [hub] = hubs(&exchange, options).await;
        let (mut client, mut server) = pipe().await;
        let mut serving = subscriber(&hub, &["a"]).await;
        tokio::spawn(async move {
            let ignore = |_: MessageRef<'_>, _: &mut Outbox<'_>, _: &Subscriptions| Ok(());
            _ = serving.serve(&mut server, ignore).await;
        });
        let (mut forwarded, server) = pipe().await;
        let mut forwarding = subscriber(&hub, &["a"]).await;
        tokio::spawn(async move {
            let (_receiving, sending) = server.split();
            _ = forwarding.forward(&sending).await;
        });
        settle().await;
        exchange.bring(0, BusEvent::Missed("a".into()));
        settle().await;
        hub.publish("a", "1");
        let mut received = Vec::new();
        for client in [&mut client, &mut forwarded] {
            settle().await;
            while let Some(Ok(Some(message))) = now(client.recv()).await {
                received.push(message.as_text().unwrap().to_owned());
            }
        }
        received
    };
    let told = HubOptions::default().gap_message(|topic| format!("missed some of {topic}").into());
    let expected = ["missed some of a", "1", "missed some of a", "1"];
    assert_eq!(served(told).await, expected);
    assert_eq!(served(HubOptions::default()).await, ["1", "1"]);
}

#[tokio::test(start_paused = true)]
async fn a_disconnected_subscriber_hears_of_no_gap() {
    let exchange = Exchange::default();
    let [hub] = hubs(&exchange, keep(Slow::Disconnect(CloseCode::POLICY_VIOLATION), 1)).await;
    let mut slow = subscriber(&hub, &["a"]).await;
    hub.publish("a", "1");
    hub.publish("a", "2");
    exchange.bring(0, BusEvent::Missed("a".into()));
    settle().await;
    assert!(slow.recv().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_hubs_end_of_the_bus_goes_with_its_last_clone_and_subscriber() {
    for is_connected in [true, false] {
        let exchange = Exchange::default();
        let [hub, _other] = hubs(&exchange, HubOptions::default()).await;
        if !is_connected {
            exchange.cut(0);
            settle().await;
        }
        let some = hub.subscriber();
        some.subscribe("a").unwrap();
        drop(hub);
        settle().await;
        assert!(exchange.has(0));
        drop(some);
        settle().await;
        assert!(!exchange.has(0));
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_published_last_goes_out_before_the_hub_is_gone() {
    let exchange = Exchange::default();
    let [one, two] = hubs(&exchange, HubOptions::default()).await;
    let mut there = subscriber(&two, &["a"]).await;
    for n in 0..5000 {
        one.publish("a", format!("{n}"));
    }
    drop(one);
    settle().await;
    // Its queue takes no more than 256.
    assert!(there.recv().await.is_err());
    assert_eq!(two.bus_stats().unwrap().received, 257);
    assert_eq!(exchange.delivered(), 5000);
}

#[derive(Clone, Debug)]
enum Op {
    Subscribe(usize, usize, char),
    Unsubscribe(usize, usize, char),
    Publish(usize, char),
    Cut(usize),
    Connect(usize),
    Pass(u64),
}

const NODES: usize = 3;
const SUBSCRIBERS: usize = 3;

fn op() -> impl Strategy<Value = Op> {
    let topic = || prop::char::range('a', 'c');
    prop_oneof![
        3 => (0..NODES, 0..SUBSCRIBERS, topic()).prop_map(|(n, s, t)| Op::Subscribe(n, s, t)),
        2 => (0..NODES, 0..SUBSCRIBERS, topic()).prop_map(|(n, s, t)| Op::Unsubscribe(n, s, t)),
        8 => (0..NODES, topic()).prop_map(|(n, t)| Op::Publish(n, t)),
        1 => (0..NODES).prop_map(Op::Cut),
        2 => (0..NODES).prop_map(Op::Connect),
        1 => (1..10_000_u64).prop_map(Op::Pass),
    ]
}

/// What was published to one topic while somebody was subscribed to it.
#[derive(Default)]
struct Due {
    /// The numbers, and whether both nodes were connected.
    published: Vec<(u64, bool)>,
    /// When it was last left.
    left: u64,
}

/// Runs the operations on hubs of three nodes. Nobody hears anything twice, or out of its publisher's order, or of a time before; what
/// was published while both nodes were connected is heard; and what isn't heard, of a gap.
async fn model(ops: Vec<Op>, echoes: bool) {
    let exchange = if echoes { Exchange::with_echo() } else { Exchange::default() };
    let hubs: [Hub; NODES] = hubs(&exchange, keep(Slow::DropOldest, 10_000)).await;
    let mut connected = [true; NODES];
    let mut late = BTreeSet::new();
    let mut subscribers: Vec<(usize, Subscriber, BTreeMap<String, Due>)> = (0..NODES * SUBSCRIBERS)
        .map(|n| (n % NODES, hubs[n % NODES].subscriber(), BTreeMap::new()))
        .collect();
    for (number, op) in (1_u64..).zip(ops) {
        match op {
            Op::Subscribe(node, who, topic) => {
                subscribers[who * NODES + node].1.subscribe(&topic.to_string()).expect("room");
            }
            Op::Unsubscribe(node, who, topic) => {
                let (_, subscriber, due) = &mut subscribers[who * NODES + node];
                subscriber.unsubscribe(&topic.to_string());
                due.entry(topic.to_string()).or_default().left = number;
            }
            Op::Publish(from, topic) => {
                let topic = topic.to_string();
                for (node, subscriber, due) in &mut subscribers {
                    if subscriber.contains(&topic) {
                        let must = *node == from || connected[*node] && connected[from];
                        due.entry(topic.clone()).or_default().published.push((number, must));
                    }
                }
                if !connected[from] {
                    late.insert(number);
                }
                hubs[from].publish(&topic, format!("{from} {number}"));
            }
            Op::Cut(node) if connected[node] => {
                exchange.cut(node);
                connected[node] = false;
            }
            Op::Connect(node) if !connected[node] => {
                exchange.connect(node);
                connected[node] = true;
            }
            Op::Cut(_) | Op::Connect(_) => {}
            Op::Pass(millis) => sleep(Duration::from_millis(millis)).await,
        }
        settle().await;
    }
    for (node, is_connected) in connected.into_iter().enumerate() {
        if !is_connected {
            exchange.connect(node);
        }
    }
    sleep(Duration::from_secs(5)).await;
    for (node, mut subscriber, due) in subscribers {
        let mut latest: BTreeMap<(String, String), u64> = BTreeMap::new();
        let mut received: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        let mut gaps = Vec::new();
        while let Some(Ok(event)) = now(subscriber.recv()).await {
            match event {
                HubEvent::Message(published) => {
                    let topic = published.topic().to_owned();
                    let text = published.message().message().as_text().expect("text").to_owned();
                    let (from, number) = text.split_once(' ').expect("two");
                    let number = number.parse().expect("a number");
                    let before = latest.insert((topic.clone(), from.to_owned()), number);
                    assert!(before < Some(number), "{topic}: {number} after {before:?}");
                    received.entry(topic).or_default().push(number);
                }
                HubEvent::Gap(gap) => gaps.push(gap.topic().to_owned()),
                _ => panic!("something else"),
            }
        }
        for (topic, received) in &received {
            for number in received {
                let is_due = due
                    .get(topic)
                    .is_some_and(|due| due.published.iter().any(|(due, _)| due == number));
                assert!(is_due || late.contains(number), "node {node}: {topic} {number}");
            }
        }
        for (topic, Due { published, left }) in &due {
            for (number, must) in published {
                let is_here = received.get(topic).is_some_and(|all| all.contains(number));
                let is_told = gaps.contains(topic) || left > number;
                assert!(is_here || !must && is_told, "node {node}: {topic} {number}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_nothing_comes_twice_and_what_is_missed_is_told(
        ops in prop::collection::vec(op(), 1..120),
        echoes: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(model(ops, echoes));
    }
}
