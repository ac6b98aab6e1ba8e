//! Many connections at once, random in all that they do, and at the end nothing is lost and nothing is left.
//!
//! Runs for two seconds with 50 connections; `SOAK_SECONDS` and `SOAK_CONNECTIONS` say otherwise.

mod books;
mod client;
mod counted;
mod held;
mod plan;
mod server;

use std::env;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::net::TcpSocket;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use ws_tokio::Tracker;

use books::{Books, Totals};

/// Size of the server's socket buffers in bytes: small, so that who doesn't read is felt soon.
const SOCKET_BUFFER: u32 = 64 << 10;

/// Bytes that may be held when all is over. What threads keep for ever (their pools: 16 buffers of 128 KiB, and states for
/// compression) is gone with the runtime's threads, and no task runs on the test's own.
const LEFT: isize = 0;

fn setting(name: &str, default: u64) -> u64 {
    env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

#[test]
fn nothing_is_lost_and_nothing_is_left() {
    let seconds = Duration::from_secs(setting("SOAK_SECONDS", 2));
    let connections = setting("SOAK_CONNECTIONS", 50);
    // What is made once for the whole process is made before anything is counted.
    let mut before = 0;
    while before < connections {
        before += in_a_runtime(Duration::from_millis(50), 8).connections;
    }
    println!("{before} connections without a fault so far");
    let (held, opened) = (held::bytes(), counted::opened());
    let totals = in_a_runtime(seconds, connections);
    assert_eq!(counted::opened() - opened, 2 * totals.connections, "each had two ends");
    assert_eq!(counted::open(), 0, "no stream is left");
    let left = held::bytes() - held;
    println!("{totals}; no task, no stream and {left} bytes left");
    assert!(left <= LEFT, "{left} bytes are left");
}

/// Soaks in a runtime of its own, which is gone afterwards.
fn in_a_runtime(time: Duration, connections: u64) -> Totals {
    let runtime = Runtime::new().expect("a runtime");
    let totals = runtime.block_on(soak(time, connections));
    // Who waits for a task may be told of its end a moment before it is counted.
    let patience = Instant::now() + Duration::from_secs(30);
    while runtime.metrics().num_alive_tasks() > 0 && Instant::now() < patience {
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(runtime.metrics().num_alive_tasks(), 0, "no task is left");
    totals
}

async fn soak(time: Duration, connections: u64) -> Totals {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_send_buffer_size(SOCKET_BUFFER).expect("a size");
    socket.set_recv_buffer_size(SOCKET_BUFFER).expect("a size");
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let listener = socket.listen(1024).expect("a listener");
    let address = listener.local_addr().expect("an address");
    let (books, tracker, (stop, stopped)) =
        (Arc::new(Books::default()), Tracker::new(), oneshot::channel());
    let serving = tokio::spawn(server::serve(listener, books.clone(), tracker.clone(), stopped));
    let until = Instant::now() + time;
    let mut clients = JoinSet::new();
    for client in 0..connections {
        let books = books.clone();
        clients.spawn(async move {
            let mut number = client;
            while Instant::now() < until {
                client::talk(address, number, &books).await;
                number += connections;
            }
        });
    }
    while let Some(client) = clients.join_next().await {
        client.expect("no client panics");
    }
    let shutdown = tracker.shutdown(Duration::from_secs(60)).await;
    assert!(shutdown.cut.is_empty(), "{shutdown:?}");
    stop.send(()).expect("the server serves until then");
    serving.await.expect("the server does not panic");
    Arc::into_inner(books).expect("no one else has them").close()
}
