//! Each row of the table of refusals, through hyper and through axum, is the response that `accept` gives.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use axum::routing::any;
use axum::{Extension, Router};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use ws_tokio::{AcceptOptions, Connection, Error, Tracker, Upgrade};

use crate::{REQUEST, axum_server, hyper_taking};

async fn echo(mut connection: Connection) -> Result<(), Error> {
    connection.run(|message, outbox| outbox.send(message)).await
}

/// A server by `accept`, one by hyper, and one by axum.
async fn servers(options: &AcceptOptions) -> [SocketAddr; 3] {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let accepting = listener.local_addr().expect("an address");
    let ours = options.clone();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            let options = ours.clone();
            tokio::spawn(async move { _ = options.accept(stream).await });
        }
    });
    let handler = async |upgrade: Upgrade| upgrade.accept(echo);
    let router = Router::new().fallback_service(any(handler).layer(Extension(options.clone())));
    [accepting, hyper_taking(options.clone()).await.0, axum_server(router).await]
}

/// A response: its status line, its headers without those that only HTTP servers send, and its body.
type Answer = (String, BTreeMap<String, String>, String);

async fn answered(server: SocketAddr, request: &str) -> Answer {
    let mut stream = TcpStream::connect(server).await.expect("connected");
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut answer = Vec::new();
    // hyper may reset what it was sent and did not read.
    _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8(answer).expect("text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a whole head");
    let mut lines = head.split("\r\n").map(str::to_owned);
    let status = lines.next().expect("a status");
    let mut headers = BTreeMap::<String, String>::new();
    for line in lines {
        let (name, value) = line.split_once(':').expect("a header");
        // Several lines are one list (RFC 9110, 5.3).
        let values = headers.entry(name.to_ascii_lowercase()).or_default();
        if !values.is_empty() {
            values.push_str(", ");
        }
        values.push_str(value.trim());
    }
    headers.remove("date");
    (status, headers, body.to_owned())
}

fn with(from: &str, to: &str) -> String {
    assert!(REQUEST.contains(from), "{from}");
    REQUEST.replace(from, to)
}

fn adding(line: &str) -> String {
    with("\r\n\r\n", &format!("\r\n{line}\r\n\r\n"))
}

#[tokio::test]
async fn every_refusal_is_the_same_behind_hyper_and_axum_as_by_accept() {
    let servers = servers(&AcceptOptions::default()).await;
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    let rows = [
        ("400", with("Host: server.example.com\r\n", "")),
        ("400", with("Host: server.example.com", "Host: ")),
        ("400", adding("Host: server.example.com")),
        ("400", adding("Transfer-Encoding: chunked") + "0\r\n\r\n"),
        ("400", adding("Content-Length: 5") + "12345"),
        ("426", with("Connection: Upgrade", "Connection: close")),
        ("426", with("Connection: Upgrade\r\n", "")),
        ("426", with("Upgrade: websocket", "Upgrade: h2c")),
        ("426", with("Upgrade: websocket\r\n", "")),
        ("405", with("GET", "POST")),
        ("405", with("GET", "DELETE")),
        ("426", with("Version: 13", "Version: 8")),
        ("426", with("Sec-WebSocket-Version: 13\r\n", "")),
        ("426", adding("Sec-WebSocket-Version: 13")),
        ("400", with(key, "X: y")),
        ("400", adding(key)),
        ("400", with(key, "Sec-WebSocket-Key: c2hvcnQ=")),
        ("400", with(key, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j*Q==")),
        ("403", adding("Origin: https://evil.example")),
        ("403", adding("Origin: null")),
        // The first violation counts.
        ("400", with(key, "X: y").replace("Host: server.example.com\r\n", "")),
        ("426", with("GET", "POST").replace("Upgrade: websocket", "Upgrade: h2c")),
    ];
    for (status, request) in rows {
        let expected = answered(servers[0], &request).await;
        assert!(expected.0.starts_with(&format!("HTTP/1.1 {status} ")), "{expected:?}\n{request}");
        for (server, name) in [(servers[1], "hyper"), (servers[2], "axum")] {
            assert_eq!(answered(server, &request).await, expected, "{name}\n{request}");
        }
    }
}

#[tokio::test]
async fn a_request_by_http_1_0_is_a_426_everywhere() {
    let request = with("HTTP/1.1", "HTTP/1.0");
    for server in servers(&AcceptOptions::default()).await {
        let (status, headers, body) = answered(server, &request).await;
        // hyper answers in the request's version.
        assert!(status.ends_with(" 426 Upgrade Required"), "{status}");
        assert_eq!(headers["upgrade"], "websocket");
        assert!(!body.is_empty());
    }
}

#[tokio::test]
async fn who_comes_while_a_tracker_shuts_down_is_refused_with_503_everywhere() {
    let tracker = Tracker::new();
    tracker.shutdown(std::time::Duration::ZERO).await;
    let servers = servers(&AcceptOptions::default().tracker(&tracker)).await;
    let expected = answered(servers[0], REQUEST).await;
    assert!(expected.0.starts_with("HTTP/1.1 503 "), "{expected:?}");
    for server in &servers[1..] {
        assert_eq!(answered(*server, REQUEST).await, expected);
    }
}

#[tokio::test]
async fn what_proxies_send_is_accepted_everywhere() {
    let requests = [
        with("Connection: Upgrade", "Connection: keep-alive, Upgrade"),
        with("Connection: Upgrade", "Connection: keep-alive\r\nConnection: upgrade"),
        with("Upgrade: websocket", "Upgrade: WebSocket"),
        adding("X-Forwarded-For: 192.0.2.1\r\nVia: 1.1 front\r\nContent-Length: 0"),
        adding("Origin: https://server.example.com"),
    ];
    for server in servers(&AcceptOptions::default()).await {
        for request in &requests {
            let mut stream = TcpStream::connect(server).await.unwrap();
            // And goes.
            stream.write_all(request.as_bytes()).await.unwrap();
            stream.write_all(b"\x88\x80\0\0\0\0").await.unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.unwrap();
            let answer = String::from_utf8_lossy(&answer).to_lowercase();
            assert!(answer.starts_with("http/1.1 101 "), "{answer}\n{request}");
            let accept = "sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=";
            assert!(answer.contains(accept), "{answer}");
        }
    }
}
