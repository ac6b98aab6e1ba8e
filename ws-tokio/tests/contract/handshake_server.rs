//! The server's handshake: every refusal as a whole response on the wire, and what an accepted request keeps.

use std::future::pending;
use std::time::Duration;

use tokio::io::{AsyncWriteExt, duplex};
use tokio::task::yield_now;
use tokio::time::Instant;
use ws_tokio::handshake::http1::HeadLimits;
use ws_tokio::{AcceptError, AcceptOptions, Role};

use crate::support::memory::{self, PIPE};
use crate::support::tcp;
use crate::support::wire::frame;

/// The request of the RFC's example (RFC 6455, 1.2).
pub(crate) const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: server.example.com\r\n\
    Upgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// Its answer.
const ANSWER: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// The request with some of its text replaced.
fn with(from: &str, to: &str) -> String {
    assert!(REQUEST.contains(from), "{from}");
    REQUEST.replace(from, to)
}

/// The request with more header lines.
pub(crate) fn adding(lines: &str) -> String {
    with("\r\n\r\n", &format!("\r\n{lines}\r\n\r\n"))
}

/// What a server answers over TCP until it ends the stream, and what it says itself.
pub(crate) async fn answered(
    options: &AcceptOptions,
    request: impl AsRef<[u8]>,
) -> (String, Result<(), AcceptError>) {
    let (mut client, server) = tcp::streams().await;
    let client = async move {
        client.write_all(request.as_ref()).await.expect("the server reads on");
        String::from_utf8(tcp::read_to_end(&mut client).await).expect("text")
    };
    let server = async { options.accept(server).await.map(drop) };
    tokio::join!(client, server)
}

/// The default server refuses with this status line and these headers, in a whole response; its body.
async fn refused(request: impl AsRef<[u8]>, status: &str, headers: &[&str]) -> String {
    let (answer, accepted) = answered(&AcceptOptions::default(), request).await;
    let error = accepted.expect_err("a refusal");
    let AcceptError::Refused(refusal) = error else { panic!("{error}") };
    let (head, body) = answer.split_once("\r\n\r\n").expect("a whole head");
    let lines: Vec<_> = head.split("\r\n").collect();
    assert_eq!(lines[0], format!("HTTP/1.1 {status}"));
    assert!(status.starts_with(refusal.status().as_str()));
    for line in headers.iter().chain(&["Connection: close"]) {
        assert!(lines.contains(line), "{line} is not in {lines:?}");
    }
    assert_eq!(lines.iter().any(|line| line.starts_with("Upgrade:")), status.starts_with("426"));
    assert!(lines.contains(&&*format!("Content-Length: {}", body.len())));
    assert!(!body.is_empty(), "the body says why");
    body.to_owned()
}

const BAD_REQUEST: &str = "400 Bad Request";
const UPGRADE_REQUIRED: &str = "426 Upgrade Required";
const TO_WEBSOCKET: [&str; 2] = ["Connection: Upgrade", "Upgrade: websocket"];

#[tokio::test]
async fn a_handshake_is_answered_with_101_and_the_accept_of_its_key() {
    let (answer, accepted) = answered(&AcceptOptions::default(), REQUEST).await;
    accepted.unwrap();
    assert_eq!(answer, ANSWER);
}

#[tokio::test(start_paused = true)]
async fn silence_until_the_deadline_is_closed_silently_after_10_seconds() {
    let (mut client, server) = duplex(PIPE);
    let since = Instant::now();
    assert!(matches!(ws_tokio::accept(server).await, Err(AcceptError::Silent)));
    assert_eq!(since.elapsed().as_secs(), 10);
    assert_eq!(memory::read_to_end(&mut client).await, b"");
}

#[tokio::test]
async fn a_peer_that_leaves_is_left_silently() {
    for left_after in ["", "GET / HT"] {
        let (mut client, server) = tcp::streams().await;
        client.write_all(left_after.as_bytes()).await.unwrap();
        client.shutdown().await.unwrap();
        assert!(matches!(ws_tokio::accept(server).await, Err(AcceptError::Silent)));
        assert_eq!(tcp::read_to_end(&mut client).await, b"");
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_is_not_complete_by_the_deadline_is_a_408() {
    let (mut client, server) = duplex(PIPE);
    let trickle = async {
        for byte in REQUEST.bytes().take(60) {
            client.write_all(&[byte]).await.unwrap();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        pending::<()>().await;
    };
    let since = Instant::now();
    let refused = tokio::select! {
        accepted = ws_tokio::accept(server) => accepted.unwrap_err(),
        () = trickle => unreachable!(),
    };
    assert!(matches!(refused, AcceptError::Refused(refusal) if refusal.status() == 408));
    assert_eq!(since.elapsed().as_millis(), 10_250, "10 s for the handshake, 250 ms to linger");
    let answer = String::from_utf8(memory::read_to_end(&mut client).await).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
    assert!(answer.contains("\r\nConnection: close\r\n"), "{answer}");
}

#[tokio::test]
async fn a_head_over_the_limits_is_a_431() {
    let status = "431 Request Header Fields Too Large";
    refused(adding(&format!("X: {}", "x".repeat(16 << 10))), status, &[]).await;
    refused(adding(&["X: y"; 125].join("\r\n")), status, &[]).await;
    let (_, at_the_limit) =
        answered(&AcceptOptions::default(), adding(&["X: y"; 123].join("\r\n"))).await;
    at_the_limit.unwrap();
}

#[tokio::test]
async fn the_limits_on_heads_can_be_set() {
    let options = AcceptOptions::default().head_limits(HeadLimits::default().headers(4));
    let (answer, _) = answered(&options, REQUEST).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}

#[tokio::test]
async fn a_refusal_arrives_although_the_peer_is_still_sending() {
    let endless = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(8 << 20));
    refused(endless, "431 Request Header Fields Too Large", &[]).await;
}

#[tokio::test]
async fn a_malformed_head_is_a_400() {
    refused("GET / HTTP/1.1\nHost: a\n\n", BAD_REQUEST, &[]).await;
    refused(with("Host: server", "Host : server"), BAD_REQUEST, &[]).await;
    refused(with("HTTP/1.1", "HTTP/2.0"), BAD_REQUEST, &[]).await;
    refused("nonsense\r\n\r\n", BAD_REQUEST, &[]).await;
    refused(adding("X: a\0b"), BAD_REQUEST, &[]).await;
}

#[tokio::test]
async fn an_answer_to_head_has_the_headers_of_a_body_and_no_body() {
    let malformed = with("Host: server", "Host : server");
    let long = adding(&format!("X: {}", "x".repeat(16 << 10)));
    for (request, status) in [
        (REQUEST, 405),
        (&with("Host: server.example.com\r\n", ""), 400),
        (&malformed, 400),
        (&long, 431),
        (&with("HTTP/1.1", "HTTP/1.0"), 426),
        (&format!("\r\n{REQUEST}"), 405),
    ] {
        let head = request.replace("GET", "HEAD");
        let (answer, accepted) = answered(&AcceptOptions::default(), &head).await;
        accepted.expect_err("a refusal");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a whole head");
        assert!(head.contains("\r\nContent-Length: ") && body.is_empty(), "{answer}");
    }
}

#[tokio::test]
async fn a_target_that_is_no_uri_is_a_400() {
    for target in ["chat", "*", "http://", "/<>", "/\x7f", "ht!tp://a/"] {
        refused(with("/chat", target), BAD_REQUEST, &[]).await;
    }
}

#[tokio::test]
async fn a_host_that_is_missing_empty_or_repeated_is_a_400() {
    refused(with("Host: server.example.com\r\n", ""), BAD_REQUEST, &[]).await;
    refused(with("Host: server.example.com", "Host: "), BAD_REQUEST, &[]).await;
    refused(adding("Host: server.example.com"), BAD_REQUEST, &[]).await;
}

#[tokio::test]
async fn a_request_with_a_body_is_a_400() {
    refused(adding("Transfer-Encoding: chunked"), BAD_REQUEST, &[]).await;
    refused(adding("Content-Length: 5"), BAD_REQUEST, &[]).await;
    let (_, empty) = answered(&AcceptOptions::default(), adding("Content-Length: 0")).await;
    empty.unwrap();
}

#[tokio::test]
async fn a_request_that_asks_for_no_upgrade_is_a_426_that_says_what_to() {
    refused(with("HTTP/1.1", "HTTP/1.0"), UPGRADE_REQUIRED, &TO_WEBSOCKET).await;
    refused(with("Connection: Upgrade", "Connection: close"), UPGRADE_REQUIRED, &TO_WEBSOCKET)
        .await;
    refused(with("Upgrade: websocket", "Upgrade: h2c"), UPGRADE_REQUIRED, &TO_WEBSOCKET).await;
}

#[tokio::test]
async fn a_method_other_than_get_is_a_405() {
    refused(with("GET", "POST"), "405 Method Not Allowed", &["Allow: GET"]).await;
}

#[tokio::test]
async fn a_version_other_than_13_is_a_426_that_names_13() {
    let headers = [TO_WEBSOCKET[0], TO_WEBSOCKET[1], "Sec-WebSocket-Version: 13"];
    for version in ["8", "13, 8", "013", ""] {
        let request = with("Version: 13", &format!("Version: {version}"));
        refused(request, UPGRADE_REQUIRED, &headers).await;
    }
    refused(adding("Sec-WebSocket-Version: 13"), UPGRADE_REQUIRED, &headers).await;
}

#[tokio::test]
async fn a_key_that_is_missing_repeated_or_malformed_is_a_400() {
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    refused(with(key, "X: y"), BAD_REQUEST, &[]).await;
    refused(adding(key), BAD_REQUEST, &[]).await;
    for bad in ["", "c2hvcnQ=", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25j*Q=="] {
        let request = with(key, &format!("Sec-WebSocket-Key: {bad}"));
        refused(request, BAD_REQUEST, &[]).await;
    }
}

#[tokio::test]
async fn header_lists_are_read_over_repeated_headers_in_any_case() {
    let lists = with("Connection: Upgrade", "connection: keep-alive\r\nCONNECTION: x,uPGRADE ,")
        .replace("Upgrade: websocket", "Upgrade: h2c, WebSocket");
    let (answer, accepted) = answered(&AcceptOptions::default(), lists).await;
    accepted.unwrap();
    assert_eq!(answer, ANSWER);
}

#[tokio::test]
async fn an_absolute_target_is_fine() {
    let request = with("/chat", "http://server.example.com/chat");
    answered(&AcceptOptions::default(), request).await.1.unwrap();
}

#[tokio::test]
async fn frames_behind_the_request_are_received() {
    let (mut client, server) = tcp::streams().await;
    let early = [REQUEST.as_bytes(), &frame(Role::Client, 0x81, b"early")].concat();
    client.write_all(&early).await.unwrap();
    let mut connection = ws_tokio::accept(server).await.unwrap();
    assert_eq!(connection.recv().await.unwrap(), Some("early".into()));
}

#[tokio::test]
async fn a_head_that_comes_byte_by_byte_is_read_like_one_that_comes_whole() {
    let (mut client, server) = tcp::streams().await;
    client.set_nodelay(true).unwrap();
    let wire = [REQUEST.as_bytes(), &frame(Role::Client, 0x81, b"early")].concat();
    let client = async {
        for byte in wire {
            client.write_all(&[byte]).await.unwrap();
            yield_now().await;
        }
    };
    let server = async { ws_tokio::accept(server).await.unwrap().recv().await.unwrap() };
    assert_eq!(tokio::join!(client, server).1, Some("early".into()));
}
