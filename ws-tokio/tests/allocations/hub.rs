//! Memory of topics by name: so much per subscription, subscriber and topic, and given back.
//!
//! Tables and lists double when they are full, so that what each entry takes is measured right after that: at worst.

use std::pin::pin;
use std::task::{Context, Waker};

use ws_tokio::{Broadcast, Hub, HubOptions, Subscriber};

use crate::counting::held;

/// One more than fit into a table of 1024 places, an eighth of which stay empty.
const JUST_GROWN: usize = 897;

/// Names are this long.
const NAME: usize = 8;

fn name(n: usize) -> String {
    format!("{n:08}")
}

fn hub() -> Hub {
    Hub::with(HubOptions::default().max_subscriptions(usize::MAX))
}

fn subscribe(subscriber: &Subscriber, topic: &str) {
    assert_eq!(subscriber.subscribe(topic), Ok(true));
}

/// Bytes per each of so many that the hub keeps after `act`, and what that returned.
fn each<T>(many: usize, act: impl FnOnce() -> T) -> (usize, T) {
    let before = held();
    let given = act();
    (usize::try_from(held() - before).expect("no less than before").div_ceil(many), given)
}

/// Checks a bound that isn't far too high.
fn is_at_most(bytes: usize, bound: usize, what: &str) {
    assert!(bytes <= bound, "{bytes} bytes, over {bound}: {what}");
    assert!(bytes >= bound / 2, "{bytes} bytes: lower the bound, {bound}: {what}");
}

#[test]
fn a_hub_and_a_subscriber_without_topics_are_small() {
    let before = held();
    let (bytes, hub) = each(1, hub);
    is_at_most(bytes, 3712, "a hub");
    let subscribers = || (0..16).map(|_| hub.subscriber()).collect::<Vec<_>>();
    let (bytes, subscribers) = each(16, subscribers);
    is_at_most(bytes - size_of::<Subscriber>(), 184, "a subscriber");
    drop((hub, subscribers));
    assert_eq!(held(), before);
}

#[test]
fn a_subscription_of_one_subscriber_to_one_of_many_topics_is_small() {
    let names: Vec<_> = (0..JUST_GROWN).map(name).collect();
    let hub = hub();
    let before = held();
    let (other, subscriber) = (hub.subscriber(), hub.subscriber());
    names.iter().for_each(|topic| subscribe(&other, topic));
    let existing = held();
    let (bytes, ()) =
        each(JUST_GROWN, || names.iter().for_each(|topic| subscribe(&subscriber, topic)));
    is_at_most(bytes, 71, "a subscription");
    names.iter().for_each(|topic| assert!(subscriber.unsubscribe(topic)));
    assert_eq!(held(), existing, "after unsubscribing");
    drop((subscriber, other));
    assert_eq!(held(), before, "after the last topic");
}

#[test]
fn a_subscription_of_one_of_many_subscribers_to_one_topic_is_small() {
    let hub = hub();
    let before = held();
    let first = hub.subscriber();
    subscribe(&first, &name(0));
    let existing = held();
    // With the first, one more than 1024, where the topic's list doubles.
    let mut subscribers: Vec<_> = (0..1024).map(|_| hub.subscriber()).collect();
    let (bytes, ()) = each(1024, || subscribers.iter().for_each(|it| subscribe(it, &name(0))));
    // Of which 84 are for its subscriber's first table, where two more have room.
    is_at_most(bytes, 132, "a subscription");
    subscribers.clear();
    subscribers.shrink_to_fit();
    // The list keeps a little.
    assert!(held() <= existing + 64, "{} bytes more", held() - existing);
    drop((first, subscribers));
    assert_eq!(held(), before, "after the last subscriber");
}

#[test]
fn a_topic_with_one_subscriber_is_small() {
    // 141 for each of the hub's 64 tables, give or take 12: over 112, where they get 256 places, and under 224.
    const TOPICS: usize = 9000;
    let names: Vec<_> = (0..TOPICS).map(name).collect();
    let hub = hub();
    let before = held();
    let subscriber = hub.subscriber();
    let all = || names.iter().for_each(|topic| subscribe(&subscriber, topic));
    let (bytes, ()) = each(TOPICS, all);
    assert_eq!(hub.topics(), TOPICS);
    is_at_most(bytes - NAME, 240, "a topic with its subscription, besides its name");
    drop(subscriber);
    assert_eq!((hub.topics(), held()), (0, before), "after its last subscriber");
}

#[test]
fn a_message_for_many_leaves_a_thread_no_long_list_of_tasks_to_wake() {
    const MANY: usize = 20_000;
    let topic = Broadcast::new();
    let nobody = &mut Context::from_waker(Waker::noop());
    let mut subscriptions: Vec<_> = (0..MANY).map(|_| topic.subscribe()).collect();
    let mut poll_all = || -> usize {
        let polled = subscriptions.iter_mut().map(|one| pin!(one.recv()).poll(nobody).is_ready());
        polled.filter(|is_ready| *is_ready).count()
    };
    // A first message, for what each queue keeps.
    topic.publish("first");
    assert_eq!((poll_all(), poll_all()), (MANY, 0));
    let before = held();
    assert_eq!(topic.publish("second"), MANY);
    let left = usize::try_from(held() - before).expect("no less than before");
    assert!(left < 16 << 10, "{left} bytes after {MANY} tasks were woken");
    assert_eq!(poll_all(), MANY);
}
