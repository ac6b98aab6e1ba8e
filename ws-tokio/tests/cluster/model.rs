//! Three nodes whose subscribers come and go at random while all publish: nothing is lost, nothing comes twice, and each publisher's
//! messages come in their order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{sleep, timeout};
use ws_tokio::{BroadcastOptions, Hub, HubEvent, HubOptions, Slow, Subscriber};

use super::with_each_engine;
use crate::engine::{Engine, connected};

const NODES: usize = 3;
const TOPICS: usize = 5;
const SUBSCRIBERS_PER_NODE: usize = 4;
const ROUNDS: usize = 6;

/// The first and the last number that was heard, by node and topic.
type Heard = BTreeMap<(usize, usize), (u64, u64)>;

/// How many each node has published to each topic.
type Published = Arc<[[AtomicU64; TOPICS]; NODES]>;

with_each_engine!(nothing_is_lost_or_doubled_or_out_of_order_while_subscribers_come_and_go);

async fn nothing_is_lost_or_doubled_or_out_of_order_while_subscribers_come_and_go(
    engine: impl Engine,
) {
    let queues = BroadcastOptions::default().max_messages(1 << 20).max_bytes(1 << 30);
    // Short, so that nodes leave on the bus too and come back.
    let options = HubOptions::default()
        .queues(queues.slow(Slow::DropOldest))
        .linger(Duration::from_millis(20));
    let hubs: [Hub; NODES] = std::array::from_fn(|_| engine.hub(options.clone()));
    for hub in &hubs {
        connected(hub).await;
    }
    let published: Published = Arc::default();
    let is_over = Arc::new(AtomicBool::new(false));
    let publishers: Vec<_> = (0..NODES)
        .map(|node| {
            let (hub, published, is_over) =
                (hubs[node].clone(), published.clone(), is_over.clone());
            tokio::spawn(publish(hub, node, published, is_over))
        })
        .collect();
    let members: Vec<_> = (0..NODES * SUBSCRIBERS_PER_NODE)
        .map(|n| tokio::spawn(member(hubs[n % NODES].clone(), n, published.clone())))
        .collect();
    for member in members {
        member.await.expect("no panic");
    }
    is_over.store(true, Ordering::Relaxed);
    for publisher in publishers {
        publisher.await.expect("no panic");
    }
    for hub in &hubs {
        let stats = hub.bus_stats().expect("a bus");
        assert_eq!((stats.dropped, stats.rejected), (0, 0), "{stats:?}");
    }
}

async fn publish(hub: Hub, node: usize, published: Published, is_over: Arc<AtomicBool>) {
    for n in (0..TOPICS).cycle() {
        if is_over.load(Ordering::Relaxed) {
            return;
        }
        let number = published[node][n].load(Ordering::Relaxed);
        hub.publish(&n.to_string(), format!("{node} {number}"));
        // Afterwards: what is counted was handed over.
        published[node][n].store(number + 1, Ordering::SeqCst);
        if n == 0 {
            sleep(Duration::from_micros(500)).await;
        }
    }
}

/// Subscribes to some topics, listens for a while, leaves, and so on.
async fn member(hub: Hub, seed: usize, published: Published) {
    let mut subscriber = hub.subscriber();
    for round in 0..ROUNDS {
        let topics: Vec<usize> =
            (0..TOPICS).filter(|topic| (seed * 7 + round * 3 + topic * 5) % 4 < 2).collect();
        for topic in &topics {
            subscriber.subscribe(&topic.to_string()).expect("room");
        }
        subscriber.settled().await;
        let settled = counts(&published);
        let mut heard = Heard::new();
        listen(&mut subscriber, &mut heard, Duration::from_millis(20 + (seed * 31 % 50) as u64))
            .await;
        let until = counts(&published);
        let is_all = |heard: &Heard| {
            topics.iter().all(|topic| {
                (0..NODES).all(|node| {
                    let last = until[node][*topic];
                    let known = settled[node][*topic];
                    last <= known
                        || heard.get(&(node, *topic)).is_some_and(|(first, latest)| {
                            assert!(
                                *first <= known,
                                "{topic} of {node} begins with {first}, not {known}"
                            );
                            latest + 1 >= last
                        })
                })
            })
        };
        let complete = async {
            while !is_all(&heard) {
                listen(&mut subscriber, &mut heard, Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(30), complete).await.expect("all that was published since");
        for topic in &topics {
            subscriber.unsubscribe(&topic.to_string());
        }
        // What is still queued belongs to this round.
        listen(&mut subscriber, &mut heard, Duration::from_millis(5)).await;
    }
}

/// Listens so long, and until nothing is queued.
async fn listen(subscriber: &mut Subscriber, heard: &mut Heard, time: Duration) {
    let end = tokio::time::Instant::now() + time;
    while let Ok(event) = tokio::time::timeout_at(end, subscriber.recv()).await {
        hear(event.expect("never too slow"), heard);
    }
    while let Ok(event) = timeout(Duration::ZERO, subscriber.recv()).await {
        hear(event.expect("never too slow"), heard);
    }
}

/// After the first message of a publisher in a topic, the next are all those that follow.
fn hear(event: HubEvent, heard: &mut Heard) {
    let HubEvent::Message(published) = event else { panic!("{event:?} while all is well") };
    let topic: usize = published.topic().parse().expect("a number");
    let text = published.message().message().as_text().expect("text");
    let (node, number) = text.split_once(' ').expect("two numbers");
    let number: u64 = number.parse().expect("a number");
    let node = node.parse().expect("a number");
    let (_, latest) = heard.entry((node, topic)).or_insert((number, number.wrapping_sub(1)));
    assert_eq!(number, latest.wrapping_add(1), "{topic} of {node}");
    *latest = number;
}

fn counts(published: &Published) -> [[u64; TOPICS]; NODES] {
    std::array::from_fn(|node| {
        std::array::from_fn(|topic| published[node][topic].load(Ordering::SeqCst))
    })
}
