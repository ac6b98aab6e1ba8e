//! Topics without connections. One iteration is one message to one subscriber: its share of publishing, and taking it out
//! again. The message is prepared beforehand, and nobody waits for one, so no task is woken.

use std::future::Future;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion};
use futures_util::FutureExt;
use sockudo_ws::PubSub;
use tokio::sync::{broadcast, mpsc};
use ws_core::PreparedMessage;
use ws_tokio::{Broadcast, BroadcastOptions, Hub, HubOptions, Slow, Subscriber};

pub(super) fn to_subscribers(criterion: &mut Criterion) {
    let message = message();
    let mut group = criterion.benchmark_group("hub/subscribers of one topic");
    for subscribers in [1, 100, 10_000] {
        let broadcast = || {
            let broadcast = Broadcast::new();
            let all = (0..subscribers).map(|_| broadcast.subscribe()).collect::<Vec<_>>();
            (broadcast, all)
        };
        measure(
            &mut group,
            BenchmarkId::new("Broadcast", subscribers),
            broadcast,
            |broadcast| broadcast.publish_prepared(&message),
            |subscription| _ = now(subscription.recv()).expect("fast enough").expect("a message"),
        );
        let hub = || {
            let hub = Hub::new();
            let all = (0..subscribers).map(|_| subscriber(&hub, "news")).collect::<Vec<_>>();
            (hub, all)
        };
        measure(
            &mut group,
            BenchmarkId::new("Hub", subscribers),
            hub,
            |hub| hub.publish_prepared("news", &message),
            |subscriber| _ = now(subscriber.recv()).expect("fast enough"),
        );
        let tokio = || {
            let (sender, _) = broadcast::channel::<PreparedMessage>(16);
            let all = (0..subscribers).map(|_| sender.subscribe()).collect::<Vec<_>>();
            (sender, all)
        };
        measure(
            &mut group,
            BenchmarkId::new("tokio::sync::broadcast", subscribers),
            tokio,
            |sender| sender.send(message.clone()).expect("receivers"),
            |receiver| _ = now(receiver.recv()).expect("fast enough"),
        );
        // Its queues have no limit, and what is taken out of them isn't encoded.
        let sockudo = || {
            let topics = PubSub::new();
            let subscriber = |_| {
                let (sender, receiver) = mpsc::unbounded_channel();
                assert!(topics.subscribe(topics.create_subscriber(sender), "news"));
                receiver
            };
            let all = (0..subscribers).map(subscriber).collect::<Vec<_>>();
            (topics, all)
        };
        let text = sockudo_ws::Message::text("x".repeat(100));
        measure(
            &mut group,
            BenchmarkId::new("sockudo-ws PubSub", subscribers),
            sockudo,
            |topics| topics.publish("news", text.clone()).count(),
            |receiver| _ = now(receiver.recv()).expect("a message"),
        );
    }
}

/// Here one iteration is one message to one of the subscribers that read: its share of what the others cost too.
pub(super) fn beside_silent_ones(criterion: &mut Criterion) {
    let message = message();
    let mut group = criterion.benchmark_group("hub/subscribers that never read");
    let policies = [
        ("DropOldest", Slow::DropOldest),
        ("DropNewest", Slow::DropNewest),
        ("KeepLatest", Slow::KeepLatest),
    ];
    for (name, slow) in policies {
        for silent in [0, 100] {
            measure(
                &mut group,
                BenchmarkId::new(name, format!("{silent} of {CROWD}")),
                || crowd(slow, silent, &message),
                |(hub, silent)| {
                    let queued = hub.publish_prepared("news", &message);
                    if slow == Slow::DropNewest { queued } else { queued - silent.len() }
                },
                |subscriber| _ = now(subscriber.recv()).expect("fast enough"),
            );
        }
    }
}

const CROWD: usize = 10_000;

/// A hub with so many subscribers among others whose queues are as full as they get, and the others.
fn crowd(
    slow: Slow,
    silent: usize,
    message: &PreparedMessage,
) -> ((Hub, Vec<Subscriber>), Vec<Subscriber>) {
    const MOST: usize = 256;
    let queues = BroadcastOptions::default().slow(slow).max_messages(MOST);
    let hub = Hub::with(HubOptions::default().queues(queues));
    let all = (0..CROWD).map(|n| (n, subscriber(&hub, "news")));
    let (silent, mut reading): (Vec<_>, Vec<_>) =
        all.partition(|(n, _)| n * silent / CROWD < (n + 1) * silent / CROWD);
    for _ in 0..MOST {
        hub.publish_prepared("news", message);
        for (_, subscriber) in &mut reading {
            _ = now(subscriber.recv()).expect("fast enough");
        }
    }
    let unnumbered = |all: Vec<(usize, Subscriber)>| all.into_iter().map(|(_, one)| one).collect();
    ((hub, unnumbered(silent)), unnumbered(reading))
}

pub(super) fn among_topics(criterion: &mut Criterion) {
    let message = message();
    let mut group = criterion.benchmark_group("hub/topics of one subscriber each");
    for topics in [1, 1000, 100_000] {
        let make = || {
            let hub = Hub::new();
            let topic = |n| {
                let name = format!("topic {n}");
                let subscriber = subscriber(&hub, &name);
                (name, subscriber)
            };
            let all = (0..topics).map(topic).collect::<Vec<_>>();
            (hub, all)
        };
        let send = |hub: &Hub, (name, subscriber): &mut (String, Subscriber)| {
            assert_eq!(hub.publish_prepared(name, &message), 1);
            drop(now(subscriber.recv()).expect("fast enough"));
        };
        // Made when it is first measured: whoever asks for other benchmarks doesn't wait for it.
        let mut made = None;
        group.bench_function(BenchmarkId::new("always the same", topics), |bencher| {
            let (hub, all) = made.get_or_insert_with(make);
            let one = &mut all[topics / 2];
            bencher.iter(|| send(hub, one));
        });
        group.bench_function(BenchmarkId::new("each in turn", topics), |bencher| {
            let (hub, all) = made.get_or_insert_with(make);
            let mut at = 0;
            bencher.iter(|| {
                // In no order that a processor could foresee; a prime, so that each has its turn.
                at = (at + 7919) % topics;
                send(hub, &mut all[at]);
            });
        });
    }
}

fn message() -> PreparedMessage {
    PreparedMessage::new("x".repeat(100))
}

fn subscriber(hub: &Hub, topic: &str) -> Subscriber {
    let subscriber = hub.subscriber();
    assert_eq!(subscriber.subscribe(topic), Ok(true));
    subscriber
}

/// What a future gives at once.
fn now<F: Future>(future: F) -> F::Output {
    future.now_or_never().expect("a message is queued")
}

/// Times a message to all subscribers, and taking it out of each, in turn.
fn measure<T, S>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    id: BenchmarkId,
    make: impl Fn() -> (T, Vec<S>),
    publish: impl Fn(&T) -> usize,
    take: impl Fn(&mut S),
) {
    // Made when it is first measured, as above.
    let mut made = None;
    group.bench_function(id, |bencher| {
        let (topic, subscribers) = made.get_or_insert_with(&make);
        bencher.iter_custom(|iterations| {
            let rounds = iterations.div_ceil(subscribers.len() as u64);
            let start = Instant::now();
            for _ in 0..rounds {
                assert_eq!(publish(topic), subscribers.len());
                subscribers.iter_mut().for_each(&take);
            }
            share(start.elapsed(), iterations, rounds * subscribers.len() as u64)
        });
    });
}

/// The time of as many deliveries as were asked for: a round can't be cut short.
fn share(time: Duration, asked: u64, done: u64) -> Duration {
    time.mul_f64(asked as f64 / done as f64)
}
