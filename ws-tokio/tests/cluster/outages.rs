//! An engine that goes in the middle of load: this node misses nothing, no socket stalls, what waits is bounded, gaps are told, and
//! afterwards all is as before.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::DuplexStream;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use ws_tokio::{
    BroadcastOptions, Connection, Hub, HubEvent, HubOptions, MessageRef, Outbox, Slow, Subscriber,
    Subscriptions, pipe,
};

use super::with_each_engine;
use crate::engine::{Engine, connected, subscriber, until};
use crate::relay::{Passing, Relay};

/// Most messages that wait for the engine.
const WAITING: usize = 500;

with_each_engine!(
    an_engine_that_is_killed_and_started_again,
    an_engine_that_stands_still_and_goes_on,
    a_network_that_goes_dead_for_one_node,
    a_node_that_the_engine_throws_out_because_it_reads_too_slowly,
    a_hub_that_is_there_before_its_engine,
);

fn options() -> HubOptions {
    let queues = BroadcastOptions::default().max_messages(1 << 20).max_bytes(1 << 30);
    HubOptions::default().queues(queues.slow(Slow::DropOldest)).max_waiting(WAITING, 1 << 20)
}

/// A hub with that network before its engine.
fn through<E: Engine>(_: &E, relay: &Relay) -> Hub {
    E::hub_at(relay.port, options())
}

async fn an_engine_that_is_killed_and_started_again(mut engine: impl Engine) {
    let mut nodes = Nodes::start(engine.hub(options()), engine.hub(options())).await;
    for _ in 0..2 {
        engine.dies();
        nodes.endure(&[0, 1]).await;
        engine.comes_back();
        nodes.recover(&[0, 1]).await;
    }
    nodes.end().await;
}

async fn an_engine_that_stands_still_and_goes_on(engine: impl Engine) {
    let mut nodes = Nodes::start(engine.hub(options()), engine.hub(options())).await;
    engine.pauses(true);
    nodes.endure(&[0, 1]).await;
    engine.pauses(false);
    nodes.recover(&[0, 1]).await;
    nodes.end().await;
}

async fn a_network_that_goes_dead_for_one_node(engine: impl Engine) {
    let relay = Relay::to(engine.port()).await;
    let mut nodes = Nodes::start(through(&engine, &relay), engine.hub(options())).await;
    relay.lets_pass(Passing::Nothing);
    nodes.endure(&[0]).await;
    relay.lets_pass(Passing::All);
    nodes.recover(&[0]).await;
    nodes.end().await;
}

async fn a_node_that_the_engine_throws_out_because_it_reads_too_slowly(engine: impl Engine) {
    let relay = Relay::to(engine.port()).await;
    let fast = engine.hub(options().max_waiting(WAITING, 64 << 20));
    let slow = through(&engine, &relay);
    let mut hearing = {
        connected(&slow).await;
        connected(&fast).await;
        subscriber(&slow, &["large"]).await
    };
    relay.lets_pass(Passing::ToEngine);
    let large = "x".repeat(200_000);
    // More than an engine keeps for anybody.
    for _ in 0..1000 {
        fast.publish("large", large.clone());
        until("taken", || fast.bus_stats().expect("a bus").waiting < 4).await;
    }
    until("thrown out", || !slow.bus_stats().expect("a bus").is_connected).await;
    relay.lets_pass(Passing::All);
    connected(&slow).await;
    let gap = async {
        loop {
            if let HubEvent::Gap(gap) = hearing.recv().await.expect("never too slow") {
                return gap;
            }
        }
    };
    let gap = timeout(Duration::from_secs(60), gap).await.expect("a gap");
    assert_eq!(gap.topic(), "large");
    fast.publish("large", "small");
    let small = async {
        loop {
            let event = hearing.recv().await.expect("never too slow");
            if event.into_message().is_some_and(|it| it.message().message() == &"small".into()) {
                return;
            }
        }
    };
    timeout(Duration::from_secs(60), small).await.expect("what is published now");
    assert_eq!(fast.bus_stats().expect("a bus").dropped, 0);
}

async fn a_hub_that_is_there_before_its_engine(mut engine: impl Engine) {
    engine.dies();
    let hubs = [engine.hub(options()), engine.hub(options())];
    let here = hubs[0].subscriber();
    here.subscribe("a").expect("room");
    assert_eq!(hubs[0].publish("a", "1"), 1);
    sleep(Duration::from_millis(300)).await;
    engine.comes_back();
    timeout(Duration::from_secs(60), here.settled()).await.expect("a connection");
    let mut there = subscriber(&hubs[1], &["a"]).await;
    hubs[0].publish("a", "2");
    let heard = async {
        loop {
            let event = there.recv().await.expect("never too slow");
            if event.into_message().is_some_and(|it| it.message().message() == &"2".into()) {
                return;
            }
        }
    };
    timeout(Duration::from_secs(60), heard).await.expect("a message");
}

/// Two nodes, each of which publishes all the time, has a subscriber, and serves a client.
struct Nodes {
    hubs: [Hub; 2],
    published: [Arc<AtomicU64>; 2],
    heard: [Arc<Heard>; 2],
    tasks: Vec<JoinHandle<()>>,
    clients: Vec<Connection<DuplexStream>>,
    /// How many gaps were told before an outage.
    gaps: [u64; 2],
}

/// What a node's subscriber has heard. Its task checks the order.
#[derive(Default)]
struct Heard {
    from: [AtomicU64; 2],
    gaps: AtomicU64,
}

impl Nodes {
    async fn start(first: Hub, second: Hub) -> Self {
        let mut nodes = Self {
            hubs: [first, second],
            published: Default::default(),
            heard: Default::default(),
            tasks: Vec::new(),
            clients: Vec::new(),
            gaps: [0; 2],
        };
        for node in 0..2 {
            connected(&nodes.hubs[node]).await;
            let subscriber = subscriber(&nodes.hubs[node], &["a"]).await;
            nodes.tasks.push(tokio::spawn(hear(subscriber, node, nodes.heard[node].clone())));
            let (client, server) = pipe().await;
            nodes.tasks.push(tokio::spawn(serve(nodes.hubs[node].clone(), server)));
            nodes.clients.push(client);
        }
        for node in 0..2 {
            let (hub, published) = (nodes.hubs[node].clone(), nodes.published[node].clone());
            nodes.tasks.push(tokio::spawn(async move {
                loop {
                    let number = published.load(Ordering::Relaxed);
                    hub.publish("a", format!("{node} {number}"));
                    published.store(number + 1, Ordering::Relaxed);
                    sleep(Duration::from_millis(1)).await;
                }
            }));
        }
        nodes.hear_each_other().await;
        nodes
    }

    /// Both hear what the other publishes from now on.
    async fn hear_each_other(&self) {
        for node in 0..2 {
            let other = 1 - node;
            let from_now = self.published[other].load(Ordering::Relaxed);
            let heard = || self.heard[node].from[other].load(Ordering::Relaxed);
            until("heard by the other", || heard() > from_now).await;
        }
    }

    /// While these nodes have no engine: nothing is missed on the node itself, clients are served, and what waits is bounded.
    async fn endure(&mut self, cut: &[usize]) {
        self.gaps = self.heard.each_ref().map(|heard| heard.gaps.load(Ordering::Relaxed));
        let stats = |hub: &Hub| hub.bus_stats().expect("a bus");
        for node in cut {
            until("disconnected", || !stats(&self.hubs[*node]).is_connected).await;
        }
        let before = self.published.each_ref().map(|count| count.load(Ordering::Relaxed));
        let target = WAITING as u64 + 100;
        for node in cut {
            let published = || self.published[*node].load(Ordering::Relaxed);
            until("published", || published() > before[*node] + target).await;
            let stats = stats(&self.hubs[*node]);
            assert!(stats.waiting <= WAITING && stats.dropped > 0, "{stats:?}");
        }
        for (node, client) in self.clients.iter_mut().enumerate() {
            client.send("echo").await.expect("sent");
            let echo = timeout(Duration::from_secs(60), client.recv()).await.expect("no stall");
            assert_eq!(echo.expect("open"), Some("echo".into()), "{node}");
            let here = || self.heard[node].from[node].load(Ordering::Relaxed);
            let published = self.published[node].load(Ordering::Relaxed);
            until("heard here", || here() >= published).await;
        }
    }

    /// The engine is back: the nodes that were cut are told of a gap, the others too of what those dropped, and all hear each other.
    async fn recover(&self, cut: &[usize]) {
        for node in cut {
            connected(&self.hubs[*node]).await;
        }
        for (heard, before) in self.heard.iter().zip(self.gaps) {
            until("told of a gap", || heard.gaps.load(Ordering::Relaxed) > before).await;
        }
        self.hear_each_other().await;
    }

    async fn end(self) {
        for task in &self.tasks {
            assert!(!task.is_finished(), "a task that never ends by itself");
            task.abort();
        }
        for (node, heard) in self.heard.iter().enumerate() {
            let all = self.published[node].load(Ordering::Relaxed);
            assert!(heard.from[node].load(Ordering::Relaxed) + 1 >= all, "on the node itself");
        }
    }
}

/// Hears everything of its own node, one after the other, and of the other node in order and once.
async fn hear(mut subscriber: Subscriber, node: usize, heard: Arc<Heard>) {
    loop {
        match subscriber.recv().await.expect("never too slow") {
            HubEvent::Message(published) => {
                let text = published.message().message().as_text().expect("text").to_owned();
                let (from, number) = text.split_once(' ').expect("two numbers");
                let (from, number): (usize, u64) =
                    (from.parse().expect("a number"), number.parse().expect("a number"));
                let due = heard.from[from].swap(number + 1, Ordering::Relaxed);
                assert!(number >= due, "{number} of {from} after {due}");
                assert!(
                    from != node || number == due,
                    "{number} is missed on the node itself: {due}"
                );
            }
            HubEvent::Gap(_) => _ = heard.gaps.fetch_add(1, Ordering::Relaxed),
            _ => panic!("something else"),
        }
    }
}

/// Echoes what its client sends, and delivers what is published to another topic.
async fn serve(hub: Hub, mut connection: Connection<DuplexStream>) {
    let mut subscriber = hub.subscriber();
    subscriber.subscribe("b").expect("room");
    let echo =
        |message: MessageRef<'_>, outbox: &mut Outbox<'_>, _: &Subscriptions| outbox.send(message);
    subscriber.serve(&mut connection, echo).await.expect("no error");
}
