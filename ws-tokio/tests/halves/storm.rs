//! Many connections over real TCP that close, ping, send and receive at once, on several threads.

use tokio::task::JoinSet;
use ws_tokio::{CloseCode, Connection, Error, Role, SendHalf, Settings};

use crate::support::memory::over;
use crate::support::tcp;

const CONNECTIONS: usize = 64;

/// Sends and pings until the connection closes.
async fn chatter(half: SendHalf<tokio::net::TcpStream>) {
    let ended = loop {
        if let Err(error) = half.send("chatter").await {
            break error;
        }
        match half.ping() {
            Ok(ping) => drop(ping.await),
            Err(error) => break error,
        }
    };
    assert!(matches!(ended, Error::Send(_) | Error::Io(_)), "{ended}");
}

/// One end: tasks that send and ping, one that receives, and one that closes after a few messages.
async fn end(connection: Connection<tokio::net::TcpStream>, closes_after: usize) {
    let (mut receiving, sending) = connection.split();
    let mut tasks = JoinSet::new();
    for _ in 0..2 {
        tasks.spawn(chatter(sending.clone()));
    }
    let mut received = 0;
    let receives = async {
        while let Some(message) = receiving.recv().await.expect("a normal end") {
            assert_eq!(message.as_text(), Some("chatter"));
            received += 1;
            if received == closes_after {
                let sending = sending.clone();
                tasks.spawn(async move {
                    sending.close(CloseCode::NORMAL, "").await.expect("a normal end");
                });
            }
        }
    };
    receives.await;
    tasks.join_all().await;
    sending.close(CloseCode::NORMAL, "").await.expect("it had a normal end");
    assert_eq!(sending.queued(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn closing_while_pinging_sending_and_receiving_ends_normally_on_64_connections_at_once() {
    let mut ends = JoinSet::new();
    for number in 0..CONNECTIONS {
        let (client, server) = tcp::streams().await;
        let (client, server) = (
            over(client, Role::Client, Settings::default()),
            over(server, Role::Server, Settings::default()),
        );
        // Some close on one side, some on both, at about the same time.
        ends.spawn(end(client, 1 + number % 5));
        ends.spawn(end(server, 1 + number % 7));
    }
    ends.join_all().await;
}
