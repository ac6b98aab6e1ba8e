//! Handshakes of TLS within a server's caps and deadlines.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use ws_tokio::{AcceptOptions, Server};

use crate::authority::Authority;
use crate::{echoes, serve, trusting};

/// A thousand, or as many as the limit on open files has room for: both ends are here.
fn stallable() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let limit = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    let limit: usize = limit.unwrap_or(256);
    (limit.saturating_sub(100) / 3).min(1000)
}

#[tokio::test]
async fn handshakes_that_fail_or_stall_delay_no_others() {
    let authority = Authority::new();
    let (address, _server) = serve(&authority, &["localhost"]).await;
    let mut stalled = Vec::new();
    for index in 0..stallable() {
        let mut silent = TcpStream::connect(address).await.unwrap();
        // A record that promises more.
        silent.write_all(&[0x16, 3, 1, 2, 0, 1]).await.unwrap();
        stalled.push(silent);
        if index % 10 == 0 {
            let mut plain = TcpStream::connect(address).await.unwrap();
            plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
            stalled.push(plain);
        }
    }
    let url = format!("wss://localhost:{}/", address.port());
    let options = trusting(&authority);
    let connected = timeout(Duration::from_secs(5), options.connect(&url)).await;
    let (mut connection, _) = connected.expect("at once").unwrap();
    echoes(&mut connection, "hello").await;
}

#[tokio::test]
async fn tls_and_websocket_handshake_share_one_deadline_and_one_cap() {
    let authority = Authority::new();
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    let time = Duration::from_millis(300);
    let options = AcceptOptions::default().handshake_timeout(time);
    let tls = authority.server(&["localhost"]);
    let server = server.options(options).max_handshakes(1).tls(tls);
    tokio::spawn(server.serve(|mut connection| async move {
        _ = connection.run(|message, outbox| outbox.send(message)).await;
    }));
    let since = Instant::now();
    let mut silent = TcpStream::connect(address).await.unwrap();
    let url = format!("wss://localhost:{}/", address.port());
    // Its turn comes when the silent one's deadline has passed.
    let (mut connection, _) = trusting(&authority).connect(&url).await.unwrap();
    assert!(since.elapsed() >= time);
    echoes(&mut connection, "hello").await;
    assert_eq!(silent.read(&mut [0]).await.unwrap(), 0, "left silently");
}
