//! Topics by name: what is published reaches the topic's subscribers, once and in order, and nobody else.

#[path = "support"]
mod support {
    pub(crate) mod now;
}

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use proptest::prelude::*;
use tokio::task::yield_now;
use ws_tokio::{
    BroadcastOptions, CloseCode, Error, Hub, HubEvent, HubOptions, Message, MessageRef, Outbox,
    Slow, SubscribeError, Subscriber, Subscriptions, TooSlow, pipe,
};

use support::now::now;

fn hub(slow: Slow, max_messages: usize) -> Hub {
    let queues = BroadcastOptions::default().max_messages(max_messages).slow(slow);
    Hub::with(HubOptions::default().queues(queues))
}

fn subscriber(hub: &Hub, topics: &[&str]) -> Subscriber {
    let subscriber = hub.subscriber();
    for topic in topics {
        assert_eq!(subscriber.subscribe(topic), Ok(true));
    }
    subscriber
}

fn shown(event: HubEvent) -> String {
    let published = event.into_message().expect("no gaps on one node");
    let text = published.message().message().as_text().expect("text").to_owned();
    format!("{}: {text}", published.topic())
}

/// What is queued for a subscriber now.
async fn queued(subscriber: &mut Subscriber) -> Vec<String> {
    let mut queued = Vec::new();
    while let Some(Ok(event)) = now(subscriber.recv()).await {
        queued.push(shown(event));
    }
    queued
}

#[tokio::test]
async fn a_message_reaches_the_subscribers_of_its_topic_and_nobody_else() {
    let hub = Hub::new();
    let mut both = subscriber(&hub, &["a", "b"]);
    let mut one = subscriber(&hub, &["b"]);
    assert_eq!(hub.publish("a", "1"), 1);
    assert_eq!(hub.publish("b", "2"), 2);
    assert_eq!(hub.publish("c", "3"), 0);
    assert_eq!(queued(&mut both).await, ["a: 1", "b: 2"]);
    assert_eq!(queued(&mut one).await, ["b: 2"]);
}

#[tokio::test]
async fn a_topic_begins_with_its_first_subscriber_and_ends_with_its_last() {
    let hub = Hub::new();
    assert_eq!(hub.topics(), 0);
    let first = subscriber(&hub, &["a", "b"]);
    let second = subscriber(&hub, &["a"]);
    assert_eq!((hub.topics(), hub.subscribers("a"), hub.subscribers("b")), (2, 2, 1));
    assert!(first.unsubscribe("b") && !first.unsubscribe("b") && !first.unsubscribe("c"));
    assert_eq!(hub.topics(), 1);
    drop(first);
    assert_eq!((hub.topics(), hub.subscribers("a")), (1, 1));
    drop(second);
    assert_eq!((hub.topics(), hub.subscribers("a")), (0, 0));
}

#[tokio::test]
async fn a_second_subscription_to_a_topic_changes_nothing() {
    let hub = Hub::new();
    let mut twice = subscriber(&hub, &["a"]);
    assert_eq!(twice.subscribe("a"), Ok(false));
    assert_eq!((twice.len(), hub.subscribers("a")), (1, 1));
    assert_eq!(hub.publish("a", "1"), 1);
    assert_eq!(queued(&mut twice).await, ["a: 1"]);
    assert!(twice.contains("a") && !twice.contains("b"));
    assert_eq!(twice.topics(), ["a"]);
}

#[tokio::test]
async fn what_was_queued_before_unsubscribing_is_received_and_nothing_after_it() {
    let hub = Hub::new();
    let mut leaving = subscriber(&hub, &["a", "b"]);
    hub.publish("a", "1");
    leaving.unsubscribe("a");
    hub.publish("a", "2");
    hub.publish("b", "3");
    assert_eq!(queued(&mut leaving).await, ["a: 1", "b: 3"]);
}

#[tokio::test]
async fn a_subscriber_has_no_more_topics_than_allowed_and_none_of_a_long_name() {
    let hub = Hub::with(HubOptions::default().max_subscriptions(2).max_name(3));
    let bounded = subscriber(&hub, &["a", "abc"]);
    assert_eq!(bounded.subscribe("b"), Err(SubscribeError::TooMany));
    assert_eq!(bounded.subscribe("abcd"), Err(SubscribeError::NameTooLong));
    assert_eq!(bounded.subscribe(""), Err(SubscribeError::NoName));
    assert_eq!(bounded.subscribe("a"), Ok(false));
    bounded.unsubscribe("a");
    assert_eq!(bounded.subscribe("b"), Ok(true));
    assert_eq!(hub.topics(), 2);
}

#[tokio::test]
async fn once_its_subscriber_is_dropped_subscriptions_have_no_effect() {
    let hub = Hub::new();
    let dropped = subscriber(&hub, &["a"]);
    let subscriptions = dropped.subscriptions();
    drop(dropped);
    assert_eq!(subscriptions.subscribe("b"), Ok(false));
    assert!(subscriptions.is_empty() && !subscriptions.unsubscribe("a"));
    assert_eq!((hub.topics(), hub.publish("a", "1")), (0, 0));
}

#[tokio::test]
async fn drop_oldest_drops_what_was_queued_first_of_whatever_topic_and_counts_it_there() {
    let hub = hub(Slow::DropOldest, 2);
    let mut slow = subscriber(&hub, &["a", "b"]);
    hub.publish("a", "1");
    hub.publish("b", "2");
    hub.publish("b", "3");
    assert_eq!(queued(&mut slow).await, ["b: 2", "b: 3"]);
    assert_eq!((slow.dropped(), hub.dropped("a"), hub.dropped("b")), (1, 1, 0));
}

#[tokio::test]
async fn drop_newest_drops_the_message_itself() {
    let hub = hub(Slow::DropNewest, 2);
    let mut slow = subscriber(&hub, &["a", "b"]);
    hub.publish("a", "1");
    hub.publish("b", "2");
    assert_eq!(hub.publish("b", "3"), 0);
    assert_eq!(queued(&mut slow).await, ["a: 1", "b: 2"]);
    assert_eq!((slow.dropped(), hub.dropped("a"), hub.dropped("b")), (1, 0, 1));
}

#[tokio::test]
async fn keep_latest_keeps_one_message_of_each_topic_and_key() {
    let hub = hub(Slow::KeepLatest, 8);
    let mut slow = subscriber(&hub, &["a", "b"]);
    for n in 1..=3 {
        hub.publish("a", format!("{n}"));
        hub.publish_keyed("b", "x", format!("x{n}"));
        hub.publish_keyed("b", "y", format!("y{n}"));
    }
    assert_eq!(queued(&mut slow).await, ["a: 3", "b: x3", "b: y3"]);
    assert_eq!((slow.dropped(), hub.dropped("a"), hub.dropped("b")), (6, 2, 4));
    hub.publish("a", "4");
    assert_eq!(queued(&mut slow).await, ["a: 4"]);
}

#[tokio::test]
async fn keep_latest_knows_a_topic_by_its_name_when_it_has_ended_and_begun_again() {
    let hub = hub(Slow::KeepLatest, 8);
    let mut slow = subscriber(&hub, &["a"]);
    hub.publish("a", "1");
    slow.unsubscribe("a");
    assert_eq!((hub.topics(), slow.subscribe("a")), (0, Ok(true)));
    hub.publish("a", "2");
    assert_eq!(queued(&mut slow).await, ["a: 2"]);
}

#[tokio::test]
async fn keep_latest_drops_the_oldest_where_the_queue_is_full() {
    let hub = hub(Slow::KeepLatest, 2);
    let mut slow = subscriber(&hub, &["a", "b", "c"]);
    for topic in ["a", "b", "c", "b"] {
        hub.publish(topic, "1");
    }
    assert_eq!(queued(&mut slow).await, ["b: 1", "c: 1"]);
    assert_eq!((slow.dropped(), hub.dropped("a"), hub.dropped("b")), (2, 1, 1));
}

#[tokio::test]
async fn keep_latest_stays_within_the_bytes_where_messages_grow() {
    let queues = BroadcastOptions::default().max_bytes(10).slow(Slow::KeepLatest);
    let hub = Hub::with(HubOptions::default().queues(queues));
    let mut slow = subscriber(&hub, &["a", "b", "c"]);
    for topic in ["a", "b", "c"] {
        hub.publish(topic, "123");
    }
    // It goes to the end, and what doesn't fit beside it goes.
    hub.publish("a", "1234567");
    hub.publish("c", "12");
    assert_eq!(queued(&mut slow).await, ["c: 12", "a: 1234567"]);
    assert_eq!(slow.dropped(), 3);
}

#[tokio::test]
async fn disconnect_ends_all_subscriptions_with_the_policys_code() {
    let hub = hub(Slow::Disconnect(CloseCode::TRY_AGAIN_LATER), 2);
    let mut slow = subscriber(&hub, &["a", "b"]);
    let mut fast = subscriber(&hub, &["a"]);
    for n in 0..3 {
        hub.publish("a", format!("{n}"));
        assert_eq!(queued(&mut fast).await, [format!("a: {n}")]);
    }
    assert_eq!(
        slow.recv().await.map_err(TooSlow::close_code).err(),
        Some(CloseCode::TRY_AGAIN_LATER)
    );
    assert_eq!((slow.dropped(), hub.subscribers("a")), (3, 1));
    // The other topic finds out with its next message, and ends.
    assert_eq!((hub.publish("b", "4"), hub.topics()), (0, 1));
}

/// A client asks for topics by name, and gets what is published to them.
fn ask(
    message: MessageRef<'_>,
    outbox: &mut Outbox<'_>,
    topics: &Subscriptions,
) -> ControlFlow<Error> {
    let MessageRef::Text(topic) = message else { return ControlFlow::Continue(()) };
    let answer = match topic.strip_prefix('-') {
        Some(topic) => topics.unsubscribe(topic),
        None => topics.subscribe(topic).unwrap_or_default(),
    };
    match outbox.send(if answer { "yes" } else { "no" }) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => ControlFlow::Break(error),
    }
}

#[tokio::test]
async fn a_served_connection_subscribes_and_leaves_as_its_client_asks() {
    let hub = Hub::new();
    let (mut client, mut server) = pipe().await;
    let mut serving = hub.subscriber();
    let served = tokio::spawn(async move { serving.serve(&mut server, ask).await.map(|_| ()) });
    for (say, answer) in [("a", "yes"), ("a", "no"), ("b", "yes"), ("-b", "yes"), ("-b", "no")] {
        client.send(say).await.unwrap();
        assert_eq!(client.recv().await.unwrap(), Some(answer.into()), "{say}");
    }
    assert_eq!((hub.publish("a", "1"), hub.publish("b", "2"), hub.publish("a", "3")), (1, 0, 1));
    assert_eq!(client.recv().await.unwrap(), Some("1".into()));
    assert_eq!(client.recv().await.unwrap(), Some("3".into()));
    client.close(CloseCode::NORMAL, "").await.unwrap();
    served.await.unwrap().unwrap();
    assert_eq!(hub.topics(), 0);
}

#[tokio::test]
async fn a_client_that_does_not_read_is_disconnected_and_the_others_miss_nothing() {
    let hub = hub(Slow::Disconnect(CloseCode::TRY_AGAIN_LATER), 16);
    let (mut stalled, mut server) = pipe().await;
    let mut serving = subscriber(&hub, &["a"]);
    let served = tokio::spawn(async move { serving.serve(&mut server, ask).await.map(|_| ()) });
    let mut fast = subscriber(&hub, &["a"]);
    let large = Message::text("x".repeat(200_000));
    let mut published = 0;
    while hub.subscribers("a") == 2 {
        hub.publish("a", large.clone());
        published += 1;
        assert!(now(fast.recv()).await.is_some(), "message {published}");
        yield_now().await;
        assert!(published < 1000, "nobody is disconnected");
    }
    let ended = loop {
        match stalled.recv().await {
            Ok(Some(_)) => {}
            ended => break ended,
        }
    };
    assert_eq!(ended.unwrap_err().close_code(), Some(CloseCode::TRY_AGAIN_LATER));
    assert!(matches!(served.await.unwrap(), Err(Error::Failed(CloseCode::TRY_AGAIN_LATER))));
}

#[tokio::test]
async fn among_ten_thousand_subscribers_a_hundred_that_never_read_cost_the_others_nothing() {
    const ALL: usize = 10_000;
    const STALLED: usize = 100;
    const QUEUE: usize = 16;
    const MESSAGES: usize = 40;
    for slow in [
        Slow::DropOldest,
        Slow::DropNewest,
        Slow::KeepLatest,
        Slow::Disconnect(CloseCode::TRY_AGAIN_LATER),
    ] {
        let hub = hub(slow, QUEUE);
        let mut all: Vec<_> = (0..ALL).map(|_| subscriber(&hub, &["a"])).collect();
        let (stalled, reading) = all.split_at_mut(STALLED);
        for n in 0..MESSAGES {
            let gone = matches!(slow, Slow::Disconnect(_)) && n >= QUEUE;
            let full = slow == Slow::DropNewest && n >= QUEUE;
            let expected = if gone || full { ALL - STALLED } else { ALL };
            assert_eq!(hub.publish("a", format!("{n}")), expected, "{slow:?}, message {n}");
            for subscriber in &mut *reading {
                let event = now(subscriber.recv()).await.expect("at once").expect("fast enough");
                assert_eq!(shown(event), format!("a: {n}"));
            }
        }
        // Each misses the same: whatever is not, or no longer, in its queue.
        let missed = match slow {
            Slow::KeepLatest => MESSAGES - 1,
            Slow::Disconnect(_) => QUEUE + 1,
            Slow::DropOldest | Slow::DropNewest => MESSAGES - QUEUE,
            other => panic!("what does {other:?} miss?"),
        };
        assert!(stalled.iter().all(|stalled| stalled.dropped() == missed as u64), "{slow:?}");
        assert!(reading.iter().all(|reading| reading.dropped() == 0), "{slow:?}");
        assert_eq!(hub.dropped("a"), (missed * STALLED) as u64, "{slow:?}");
    }
}

#[tokio::test]
async fn what_is_published_is_forwarded_through_a_half() {
    let hub = Hub::new();
    let (mut client, server) = pipe().await;
    let (_receiving, sending) = server.split();
    let mut forwarding = subscriber(&hub, &["a"]);
    let forwarded = tokio::spawn(async move { forwarding.forward(&sending).await });
    for n in 0..100 {
        hub.publish("a", format!("{n}"));
    }
    for n in 0..100 {
        assert_eq!(client.recv().await.unwrap(), Some(format!("{n}").into()));
    }
    forwarded.abort();
}

/// Publishers on threads, while subscribers come, go, and look at what they got.
#[test]
fn threads_that_join_leave_and_publish_keep_each_publishers_order_and_lose_nothing() {
    const TOPICS: usize = 7;
    const EACH: usize = 2_000;
    let hub = Hub::with(
        HubOptions::default().queues(BroadcastOptions::default().max_messages(usize::MAX)),
    );
    let over = Arc::new(AtomicBool::new(false));
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut steady: Vec<_> = (0..TOPICS).map(|n| subscriber(&hub, &[&n.to_string()])).collect();
    let publishers = (0..3).map(|publisher| {
        let hub = hub.clone();
        thread::spawn(move || {
            for n in 0..EACH {
                hub.publish(&(n % TOPICS).to_string(), format!("{publisher} {n}"));
            }
        })
    });
    let comers = (0..2).map(|_| {
        let (hub, over) = (hub.clone(), over.clone());
        thread::spawn(move || {
            runtime().block_on(async {
                let mut seen = 0;
                while !over.load(Ordering::Relaxed) {
                    let mut coming = hub.subscriber();
                    for n in 0..TOPICS * 2 {
                        coming.subscribe(&n.to_string()).unwrap();
                    }
                    let mut last = BTreeMap::new();
                    for n in 0..TOPICS * 2 {
                        for message in queued(&mut coming).await {
                            in_order(&mut last, &message);
                            seen += 1;
                        }
                        coming.unsubscribe(&n.to_string());
                    }
                }
                seen
            })
        })
    });
    let publishers: Vec<_> = publishers.collect();
    let comers: Vec<_> = comers.collect();
    publishers.into_iter().for_each(|publisher| publisher.join().unwrap());
    over.store(true, Ordering::Relaxed);
    comers.into_iter().for_each(|comer| _ = comer.join().unwrap());
    runtime().block_on(async {
        let mut all = 0;
        for subscriber in &mut steady {
            let mut last = BTreeMap::new();
            let messages = queued(subscriber).await;
            messages.iter().for_each(|message| in_order(&mut last, message));
            all += messages.len();
        }
        assert_eq!(all, 3 * EACH);
    });
    drop(steady);
    assert_eq!(hub.topics(), 0);
}

fn in_order(last: &mut BTreeMap<String, usize>, message: &str) {
    let mut words = message.split(' ').skip(1);
    let publisher = words.next().expect("a publisher").to_owned();
    let number: usize = words.next().and_then(|word| word.parse().ok()).expect("a number");
    let before = last.insert(publisher, number);
    assert!(before < Some(number), "{message} after {before:?}");
}

/// What somebody does to a hub.
#[derive(Clone, Debug)]
enum Op {
    Subscribe(usize, usize),
    Unsubscribe(usize, usize),
    Publish(usize, Option<usize>, usize),
    Receive(usize),
    Renew(usize),
}

fn op() -> impl Strategy<Value = Op> {
    let (who, topic) = (0..3_usize, 0..4_usize);
    prop_oneof![
        3 => (who.clone(), topic.clone()).prop_map(|(who, topic)| Op::Subscribe(who, topic)),
        1 => (who.clone(), topic.clone()).prop_map(|(who, topic)| Op::Unsubscribe(who, topic)),
        6 => (topic, proptest::option::of(0..2_usize), 1..6_usize)
            .prop_map(|(topic, key, len)| Op::Publish(topic, key, len)),
        2 => who.clone().prop_map(Op::Receive),
        1 => who.prop_map(Op::Renew),
    ]
}

/// What a subscriber should have: the plainest that could be right.
#[derive(Default)]
struct Model {
    topics: BTreeSet<usize>,
    queue: VecDeque<(usize, Option<usize>, String)>,
    dropped: u64,
    overflowed: bool,
}

const MESSAGES: usize = 3;
const BYTES: usize = 10;

impl Model {
    fn offer(&mut self, slow: Slow, item: (usize, Option<usize>, String)) -> bool {
        if slow == Slow::KeepLatest {
            let same =
                self.queue.iter().position(|(topic, key, _)| (topic, key) == (&item.0, &item.1));
            if let Some(place) = same {
                self.dropped += 1;
                let others = self.bytes() - self.queue[place].2.len();
                if others + item.2.len() <= BYTES || self.queue.len() == 1 {
                    self.queue[place] = item;
                    return true;
                }
                self.queue.remove(place);
            }
        }
        while !(self.queue.is_empty()
            || self.queue.len() < MESSAGES && self.bytes() + item.2.len() <= BYTES)
        {
            self.dropped += 1;
            match slow {
                Slow::DropOldest | Slow::KeepLatest => _ = self.queue.pop_front(),
                Slow::DropNewest => return false,
                Slow::Disconnect(_) => {
                    self.dropped += self.queue.len() as u64;
                    self.queue.clear();
                    self.topics.clear();
                    self.overflowed = true;
                    return false;
                }
                other => panic!("what does {other:?} drop?"),
            }
        }
        self.queue.push_back(item);
        true
    }

    fn bytes(&self) -> usize {
        self.queue.iter().map(|(_, _, text)| text.len()).sum()
    }
}

async fn holds(slow: Slow, ops: Vec<Op>) {
    let queues = BroadcastOptions::default().max_messages(MESSAGES).max_bytes(BYTES).slow(slow);
    let hub = Hub::with(HubOptions::default().queues(queues));
    let mut subscribers: Vec<_> = (0..3).map(|_| hub.subscriber()).collect();
    let mut models: Vec<_> = (0..3).map(|_| Model::default()).collect();
    for (n, op) in ops.into_iter().enumerate() {
        match op {
            Op::Subscribe(who, topic) if !models[who].overflowed => {
                let is_new = models[who].topics.insert(topic);
                assert_eq!(subscribers[who].subscribe(&topic.to_string()), Ok(is_new));
            }
            Op::Unsubscribe(who, topic) if !models[who].overflowed => {
                let was = models[who].topics.remove(&topic);
                assert_eq!(subscribers[who].unsubscribe(&topic.to_string()), was);
            }
            Op::Publish(topic, key, len) => {
                let text = format!("{n:len$}");
                let there = models.iter_mut().filter(|model| model.topics.contains(&topic));
                let expected = there
                    .map(|model| model.offer(slow, (topic, key, text.clone())))
                    .filter(|queued| *queued)
                    .count();
                let topic = topic.to_string();
                let queued = match key {
                    Some(key) => hub.publish_keyed(&topic, &key.to_string(), text),
                    None => hub.publish(&topic, text),
                };
                assert_eq!(queued, expected);
            }
            Op::Receive(who) => {
                let received = now(subscribers[who].recv()).await;
                if models[who].overflowed {
                    assert!(matches!(received, Some(Err(_))));
                    continue;
                }
                let expected = models[who].queue.pop_front();
                let expected = expected.map(|(topic, _, text)| format!("{topic}: {text}"));
                assert_eq!(received.map(|received| shown(received.expect("a message"))), expected);
            }
            Op::Renew(who) => {
                subscribers[who] = hub.subscriber();
                models[who] = Model::default();
            }
            Op::Subscribe(..) | Op::Unsubscribe(..) => {}
        }
        for (subscriber, model) in subscribers.iter().zip(&models) {
            assert_eq!(subscriber.dropped(), model.dropped);
        }
    }
    drop(subscribers);
    assert_eq!(hub.topics(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_hub_does_what_the_plainest_one_would(
        slow in prop_oneof![
            Just(Slow::DropOldest),
            Just(Slow::DropNewest),
            Just(Slow::KeepLatest),
            Just(Slow::Disconnect(CloseCode::POLICY_VIOLATION)),
        ],
        ops in proptest::collection::vec(op(), 0..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(holds(slow, ops));
    }
}
