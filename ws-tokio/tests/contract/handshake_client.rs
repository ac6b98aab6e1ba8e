//! The client's handshake: what it asks, what it checks, and how it says that it was refused.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::Instant;
use ws_tokio::handshake::client::AnswerError;
use ws_tokio::handshake::http1::{HeadError, HeadLimits};
use ws_tokio::handshake::key::Key;
use ws_tokio::http::{HeaderValue, Response, header};
use ws_tokio::{ConnectError, ConnectOptions, Connection, Error, Role, Step};

use crate::support::memory::PIPE;
use crate::support::wire::frame;

const URL: &str = "ws://server.example.com/chat";

/// Reads a request from a stream: up to its empty line.
pub(crate) async fn read_request(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await.expect("a whole request"));
    }
    String::from_utf8(request).expect("text")
}

/// A 101 with the accept of the request's key.
pub(crate) fn accepting(request: &str) -> String {
    let key = request.split_once("Sec-WebSocket-Key: ").expect("a key").1;
    let accept = Key::parse(&key.as_bytes()[..24]).expect("a key").accept();
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        accept.to_str().expect("ASCII")
    )
}

type Connected = Result<(Connection<DuplexStream>, Response<()>), ConnectError>;

/// Connects to a server that answers so to the request, and ends its stream.
async fn connected(
    options: &ConnectOptions,
    answer: impl FnOnce(&str) -> Vec<u8>,
) -> (String, Connected) {
    let (client, mut server) = duplex(PIPE);
    let server = async move {
        let request = read_request(&mut server).await;
        server.write_all(&answer(&request)).await.expect("the pipe holds it");
        request
    };
    tokio::join!(server, options.connect_over(client, URL))
}

/// Connects to a server that answers 101 with some of its text replaced.
async fn with(from: &str, to: &str) -> Connected {
    let options = ConnectOptions::default().subprotocols(["Chat", "v2"]);
    let replaced = |request: &str| {
        let answer = accepting(request);
        assert!(answer.contains(from), "{from}");
        answer.replacen(from, to, 1).into_bytes()
    };
    connected(&options, replaced).await.1
}

async fn refused(from: &str, to: &str) -> AnswerError {
    match with(from, to).await {
        Err(ConnectError::Answer(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_request_is_what_the_rfc_asks_for_with_a_new_key_each_time() {
    let options = ConnectOptions::default();
    let accept = |request: &str| accepting(request).into_bytes();
    let (first, second) =
        (connected(&options, accept).await.0, connected(&options, accept).await.0);
    let (before, rest) = first.split_once("Sec-WebSocket-Key: ").unwrap();
    assert_eq!(
        before,
        "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    );
    assert!(Key::parse(&rest.as_bytes()[..24]).is_some() && rest[24..] == *"\r\n\r\n");
    assert_ne!(first, second);
}

#[tokio::test]
async fn headers_host_and_subprotocols_are_the_callers() {
    let options = ConnectOptions::default()
        .header(header::AUTHORIZATION, HeaderValue::from_static("Bearer x"))
        .host(HeaderValue::from_static("virtual"))
        .subprotocols(["a", "b"]);
    let (request, _) = connected(&options, |request| accepting(request).into_bytes()).await;
    for line in ["Host: virtual", "Authorization: Bearer x", "Sec-WebSocket-Protocol: a, b"] {
        assert!(request.contains(&format!("\r\n{line}\r\n")), "{request}");
    }
    assert!(!request.contains("server.example.com"), "{request}");
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_refused_before_anything_is_sent() {
    let reserved =
        ConnectOptions::default().header(header::UPGRADE, HeaderValue::from_static("h2c"));
    let no_token = ConnectOptions::default().subprotocols(["a b"]);
    for options in [reserved, no_token] {
        let (client, mut server) = duplex(PIPE);
        let error = options.connect_over(client, URL).await.unwrap_err();
        assert!(matches!(error, ConnectError::Offer(_)), "{error}");
        assert_eq!(server.read(&mut [0]).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_url_that_cannot_be_connected_to_is_an_error() {
    for url in ["", "chat", "ftp://a/", "ws://", "ws://[x]/", "ws://a:99999/", "ws://a b/"] {
        let error = ws_tokio::connect(url).await.unwrap_err();
        assert!(matches!(error, ConnectError::Url(_)), "{url:?}: {error}");
    }
}

#[tokio::test]
async fn the_101s_headers_are_the_callers() {
    let (connection, response) = with("\r\n\r\n", "\r\nX-Own: 1\r\n\r\n").await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["x-own"]),
        (101, &"1".parse().unwrap())
    );
    assert_eq!((connection.role(), connection.subprotocol()), (Role::Client, None));
}

#[tokio::test]
async fn the_accept_is_checked_and_trimmed() {
    let header = "Sec-WebSocket-Accept: ";
    with(header, "Sec-WebSocket-Accept: \t ").await.unwrap();
    assert_eq!(refused(header, "X: ").await, AnswerError::AcceptMissing);
    for wrong in ["x", &"x".repeat(8000)] {
        let wrong = format!("{header}{wrong}");
        assert_eq!(refused(header, &wrong).await, AnswerError::AcceptWrong);
    }
    let twice = format!("{header}s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n{header}");
    assert_eq!(refused(header, &twice).await, AnswerError::AcceptWrong);
}

#[tokio::test]
async fn connection_and_upgrade_are_checked_in_any_case() {
    with("Connection: Upgrade", "connection: keep-alive, UPGRADE").await.unwrap();
    with("Upgrade: websocket", "upgrade: WebSocket").await.unwrap();
    let error = refused("Connection: Upgrade", "Connection: close").await;
    assert_eq!(error, AnswerError::ConnectionLacksUpgrade);
    assert_eq!(refused("Upgrade: websocket", "X: y").await, AnswerError::UpgradeLacksWebSocket);
}

#[tokio::test]
async fn a_subprotocol_is_taken_only_where_it_was_asked_for() {
    let add = |value: &str| format!("\r\nSec-WebSocket-Protocol: {value}\r\n\r\n");
    let (connection, _) = with("\r\n\r\n", &add("chat")).await.unwrap();
    assert_eq!(connection.subprotocol(), Some("Chat"));
    for unasked in ["other", "chat, v2"] {
        let error = refused("\r\n\r\n", &add(unasked)).await;
        assert_eq!(error, AnswerError::SubprotocolNotAskedFor(unasked.into()));
    }
}

#[tokio::test]
async fn an_extension_that_was_not_asked_for_is_refused() {
    let error =
        refused("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n").await;
    assert_eq!(error, AnswerError::ExtensionNotAskedFor("permessage-deflate".into()));
}

#[tokio::test]
async fn interim_answers_are_skipped() {
    let hints =
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 101";
    with("HTTP/1.1 101", hints).await.unwrap();
}

#[tokio::test]
async fn frames_behind_the_answer_are_received() {
    let early = |request: &str| {
        [accepting(request).as_bytes(), &frame(Role::Server, 0x81, b"early")].concat()
    };
    let (mut connection, _) = connected(&ConnectOptions::default(), early).await.1.unwrap();
    assert_eq!(connection.recv().await.unwrap(), Some("early".into()));
    assert!(matches!(connection.recv().await, Err(Error::Cut(_))));
}

/// The response that an answer refuses with.
async fn refusal(answer: &str) -> Response<bytes::Bytes> {
    let (_, connected) = connected(&ConnectOptions::default(), |_| answer.into()).await;
    match connected {
        Err(ConnectError::Refused(response)) => *response,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_refusal_holds_status_headers_and_up_to_1_kib_of_body() {
    let head = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\n";
    let response = refusal(&format!("{head}Content-Length: 7\r\n\r\ngo away and more")).await;
    assert_eq!(response.status(), 401);
    assert_eq!(response.headers()["www-authenticate"], "Basic");
    assert_eq!(response.body(), "go away");
    let until_the_end = refusal(&format!("{head}\r\n{}", "x".repeat(5000))).await;
    assert_eq!(until_the_end.body(), &"x".repeat(1024));
    let chunks = "Transfer-Encoding: chunked\r\n\r\n3\r\ngo \r\n4\r\naway\r\n0\r\n\r\n";
    assert_eq!(refusal(&format!("{head}{chunks}")).await.body(), "go away");
}

/// Connects to a server that answers so, and neither says more nor leaves; how long that took.
async fn beside_a_server_that_stays(answer: &str) -> (Duration, ConnectError) {
    let (client, mut server) = duplex(PIPE);
    server.write_all(answer.as_bytes()).await.expect("the pipe holds it");
    let since = Instant::now();
    let error =
        ConnectOptions::default().connect_over(client, URL).await.expect_err("no handshake");
    (since.elapsed(), error)
}

#[tokio::test(start_paused = true)]
async fn a_server_without_an_answer_is_waited_for_10_seconds() {
    for cut in ["", "HTTP/1.1 101 Switching Pro", "HTTP/1.1 100 Continue\r\n\r\n"] {
        let (took, error) = beside_a_server_that_stays(cut).await;
        assert_eq!(took.as_secs(), 10);
        assert!(matches!(error, ConnectError::Timeout(Step::Handshake)), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_whose_body_does_not_come_is_a_refusal_all_the_same() {
    for length in ["Content-Length: 100\r\n", ""] {
        let answer = format!("HTTP/1.1 403 Forbidden\r\n{length}\r\nnot here");
        let (took, error) = beside_a_server_that_stays(&answer).await;
        assert_eq!(took, Duration::from_millis(250));
        let ConnectError::Refused(response) = error else { panic!("{error}") };
        assert_eq!((response.status().as_u16(), &response.body()[..]), (403, &b"not here"[..]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_whose_body_never_ends_is_an_error_after_a_moment() {
    for (head, portion) in [
        ("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", "x"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"),
    ] {
        let (client, mut server) = duplex(PIPE);
        let stream = async {
            server.write_all(head.as_bytes()).await.expect("the pipe holds it");
            loop {
                tokio::time::sleep(Duration::from_millis(100)).await;
                server.write_all(portion.as_bytes()).await.expect("the pipe holds it");
            }
        };
        let since = Instant::now();
        let options = ConnectOptions::default();
        let connected = tokio::select! {
            connected = options.connect_over(client, URL) => connected,
            () = stream => unreachable!(),
        };
        assert_eq!(since.elapsed(), Duration::from_millis(250));
        let Err(ConnectError::Refused(response)) = connected else { panic!("{connected:?}") };
        assert_eq!((response.status().as_u16(), &response.body()[..]), (200, &b"xx"[..]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_with_1_kib_of_body_is_not_waited_for() {
    let answer = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(1024));
    let (took, error) = beside_a_server_that_stays(&answer).await;
    assert_eq!((took, error.status().map(|it| it.as_u16())), (Duration::ZERO, Some(200)));
}

#[tokio::test]
async fn an_answer_that_is_no_head_or_over_the_limits_is_an_error() {
    let head =
        async |answer: &str| match connected(&ConnectOptions::default(), |_| answer.into()).await.1
        {
            Err(ConnectError::Head(error)) => error,
            other => panic!("{other:?}"),
        };
    assert!(matches!(head("SSH-2.0-x\r\n\r\n").await, HeadError::NotHttp(_)));
    assert!(matches!(head("HTTP/1.1 101 x\n\n").await, HeadError::Malformed(_)));
    let lines = format!("HTTP/1.1 101 x\r\n{}\r\n", "X: y\r\n".repeat(129));
    assert_eq!(head(&lines).await, HeadError::TooManyHeaders { limit: 128 });
    let long = format!("HTTP/1.1 101 x\r\nX: {}", "x".repeat(16 << 10));
    assert_eq!(head(&long).await, HeadError::TooLong { limit: 16 << 10 });
    let small = ConnectOptions::default().head_limits(HeadLimits::default().bytes(20));
    let (_, connected) = connected(&small, |request| accepting(request).into_bytes()).await;
    assert!(matches!(connected, Err(ConnectError::Head(HeadError::TooLong { limit: 20 }))));
}

#[tokio::test]
async fn a_server_that_leaves_without_an_answer_is_told() {
    let (_, connected) = connected(&ConnectOptions::default(), |_| b"HTTP/1.1 1".into()).await;
    assert!(matches!(connected, Err(ConnectError::NoAnswer)));
}
