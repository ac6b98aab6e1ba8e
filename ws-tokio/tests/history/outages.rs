//! Redis goes and comes back, clients come and go, and all agree.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use ws_tokio::CloseCode;

use crate::client::{Client, LONG, durable, serve};
use crate::node::Node;
use crate::redis_server::Engine;

/// The last message.
const END: &str = "the end";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_clients_get_the_same_once_and_in_order_whatever_goes_meanwhile() {
    let Some(mut engine) = durable() else { return };
    let ((first, a), (_second, b)) = (serve(&engine).await, serve(&engine).await);
    let urls = [a, b];
    let is_over = Arc::new(AtomicBool::new(false));
    let publishers: Vec<_> = (0..4)
        .map(|id| tokio::spawn(publish(format!("{}/tea", urls[id % 2]), id, is_over.clone())))
        .collect();
    let clients: Vec<_> = (0..8).map(|id| tokio::spawn(follow(urls.clone(), id))).collect();
    trouble(&mut engine).await;
    is_over.store(true, Ordering::Relaxed);
    let mut confirmed = Vec::new();
    for publisher in publishers {
        confirmed.extend(join(publisher).await);
    }
    let mut last = Client::enter(&format!("{}/tea", urls[0])).await;
    while {
        last.say(END).await;
        last.reply().await.is_none()
    } {}
    let log = logged(&first).await;
    for (number, message) in confirmed {
        assert_eq!(log[number as usize - 1], message, "what is confirmed is in the log");
    }
    for client in clients {
        assert!(join(client).await == log, "a client has what the log has");
    }
}

/// Everything that may happen to Redis.
async fn trouble(engine: &mut Engine) {
    let pause = || sleep(Duration::from_millis(700));
    pause().await;
    for _ in 0..2 {
        engine.kill();
        pause().await;
        engine.restart();
        pause().await;
        for kind in ["pubsub", "normal"] {
            engine.command(&format!("CLIENT KILL TYPE {kind}"));
            pause().await;
        }
        // Longer than anybody waits for an answer.
        engine.pause();
        sleep(Duration::from_millis(2500)).await;
        engine.resume();
        pause().await;
    }
}

/// Says something every few milliseconds; returns what was confirmed.
async fn publish(url: String, id: usize, is_over: Arc<AtomicBool>) -> Vec<(u64, String)> {
    let mut client = Client::enter(&url).await;
    let (mut confirmed, mut failed) = (Vec::new(), 0);
    for count in 0.. {
        if is_over.load(Ordering::Relaxed) {
            break;
        }
        let message = format!("{count} of {id}");
        client.say(&message).await;
        match client.reply().await {
            Some(number) => confirmed.push((number, message)),
            None => failed += 1,
        }
        sleep(Duration::from_millis(5)).await;
    }
    assert!(failed > 0 && confirmed.len() > 100, "{failed} failed, {} didn't", confirmed.len());
    confirmed
}

/// Comes and goes, each time to one of the nodes, until the end; returns all messages.
async fn follow(urls: [String; 2], id: u64) -> Vec<String> {
    let mut chance = Chance(id);
    let mut messages = Vec::new();
    loop {
        let url = &urls[chance.below(2) as usize];
        let mut client = Client::enter(&format!("{url}/tea?after={}", messages.len())).await;
        for _ in 0..=chance.below(300) {
            let message = client.message(messages.len() as u64 + 1).await;
            let is_end = message == END;
            messages.push(message);
            if is_end {
                return messages;
            }
            if chance.below(100) == 0 {
                sleep(Duration::from_millis(chance.below(200))).await;
            }
        }
        // Otherwise, it is just gone.
        if chance.below(2) == 0 {
            _ = client.0.close(CloseCode::NORMAL, "").await;
        }
        drop(client);
        sleep(Duration::from_millis(chance.below(100))).await;
    }
}

/// All messages of the log, to the end.
async fn logged(node: &Node) -> Vec<String> {
    let mut messages: Vec<String> = Vec::new();
    loop {
        let page = node.log.read("/tea", messages.len() as u64 + 1).await.expect("Redis is back");
        for (number, message) in page.messages {
            assert_eq!(number, messages.len() as u64 + 1, "the log has no holes");
            messages.push(message);
            if messages.last().is_some_and(|message| message == END) {
                return messages;
            }
        }
    }
}

async fn join<T>(task: JoinHandle<T>) -> T {
    timeout(LONG, task).await.expect("it ends").expect("no panic")
}

/// Numbers by a generator of Lehmer's, the same in each run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = (self.0 + 1) * 48271 % 0x7fff_ffff;
        self.0 % limit
    }
}
