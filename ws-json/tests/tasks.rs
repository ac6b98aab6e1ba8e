//! Values by two tasks: one has the stream and another the sink, as of `StreamExt::split` of the futures crates.
#![cfg(feature = "stream")]

use std::future::ready;
use std::time::Duration;

use futures_util::stream::FusedStream;
use futures_util::{SinkExt, StreamExt};
use tokio::task::JoinSet;
use ws_json::{Json, Typed};
use ws_tokio::pipe;

const VALUES: usize = 40;
const LEN: usize = 300 << 10;

async fn both_ends_talk() {
    let (client, server) = pipe().await;
    let mut tasks = JoinSet::new();
    for connection in [client, server] {
        let json: Typed<_, String> = Json(connection).typed();
        let (mut sink, mut stream) = json.split();
        tasks.spawn(async move {
            for _ in 0..VALUES {
                sink.send("7".repeat(LEN)).await.expect("an open connection");
            }
        });
        tasks.spawn(async move {
            for _ in 0..VALUES {
                let value = stream.next().await.expect("a value").expect("a value");
                assert_eq!(value.len(), LEN);
            }
        });
    }
    let ended = tokio::time::timeout(Duration::from_secs(60), tasks.join_all());
    ended.await.expect("it hangs");
}

#[tokio::test]
async fn both_ends_send_and_receive_large_values_at_once_on_one_thread() {
    both_ends_talk().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn both_ends_send_and_receive_large_values_at_once_on_several_threads() {
    both_ends_talk().await;
}

#[tokio::test]
async fn values_are_collected_past_an_error() {
    let (client, mut server) = pipe().await;
    for message in ["1", "[]", "2", "oops", "3"] {
        server.feed(message).await.unwrap();
    }
    server.flush().await.unwrap();
    drop(server);
    let mut numbers: Typed<_, u64> = Json(client).typed();
    let good = numbers.by_ref().filter_map(|it| ready(it.ok()));
    assert_eq!(good.collect::<Vec<_>>().await, [1, 2]);
    assert!(numbers.is_terminated() && numbers.next().await.is_none());
}
