//! What a server can look at before it answers, and what it can answer.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use ws_tokio::handshake::server::Refusal;
use ws_tokio::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use ws_tokio::{AcceptError, AcceptOptions, DecodeError, Error, Incoming, Role, Settings};

use super::handshake_server::{REQUEST, adding, answered};
use crate::support::tcp;
use crate::support::wire::{close, frame};

/// A request that was read, and the client that waits for its answer.
pub(super) async fn read(
    options: &AcceptOptions,
    request: &str,
) -> (Incoming<TcpStream>, TcpStream) {
    let (mut client, server) = tcp::streams().await;
    client.write_all(request.as_bytes()).await.expect("an open connection");
    (options.read(server).await.expect("a handshake"), client)
}

/// What the client reads while the server answers.
pub(super) async fn answer(mut client: TcpStream, answer: impl Future<Output = ()>) -> String {
    let client = async move { tcp::read_to_end(&mut client).await };
    let ((), read) = tokio::join!(answer, client);
    String::from_utf8(read).expect("text")
}

#[tokio::test]
async fn the_request_can_be_looked_at_before_it_is_answered() {
    let request = adding("X-Token: secret").replace("/chat", "/chat?room=1");
    let (incoming, client) = read(&AcceptOptions::default(), &request).await;
    assert_eq!(incoming.request().uri().path(), "/chat");
    assert_eq!(incoming.request().uri().query(), Some("room=1"));
    assert_eq!(incoming.request().headers()["x-token"], "secret");
    let accept = async { drop(incoming.accept().await.expect("an open connection")) };
    assert!(answer(client, accept).await.starts_with("HTTP/1.1 101 "));
}

#[tokio::test]
async fn a_request_can_be_refused_with_a_status_of_the_callers_own() {
    let (incoming, client) = read(&AcceptOptions::default(), REQUEST).await;
    let refusal = answer(client, incoming.refuse(StatusCode::NOT_FOUND, "no such room\n")).await;
    assert_eq!(
        refusal,
        "HTTP/1.1 404 Not Found\r\nContent-Length: 13\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Connection: close\r\n\r\nno such room\n"
    );
}

#[tokio::test]
async fn a_request_can_be_refused_with_a_response_of_the_callers_own() {
    let (incoming, client) = read(&AcceptOptions::default(), REQUEST).await;
    let response = Response::builder()
        .status(StatusCode::UNAUTHORIZED)
        .header(header::WWW_AUTHENTICATE, "Basic")
        .header(header::CONTENT_LENGTH, "999")
        .body("<p>who?".into())
        .unwrap();
    let refusal = answer(client, incoming.refuse_with(response)).await;
    assert!(refusal.starts_with("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\n"));
    assert!(refusal.contains("\r\nContent-Length: 7\r\n") && refusal.ends_with("\r\n\r\n<p>who?"));
}

#[tokio::test]
async fn a_refusal_never_accepts() {
    let (incoming, client) = read(&AcceptOptions::default(), REQUEST).await;
    let refusal = answer(client, incoming.refuse(StatusCode::SWITCHING_PROTOCOLS, "")).await;
    assert!(refusal.starts_with("HTTP/1.1 500 "), "{refusal}");
}

#[tokio::test]
async fn headers_can_be_added_to_the_answer_but_not_the_handshakes_own() {
    let (incoming, client) = read(&AcceptOptions::default(), REQUEST).await;
    let headers = HeaderMap::from_iter([
        (header::SET_COOKIE, HeaderValue::from_static("a=b")),
        (header::SEC_WEBSOCKET_ACCEPT, HeaderValue::from_static("forged")),
        (header::SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_static("forged")),
    ]);
    let accept = async { drop(incoming.accept_with(&headers).await.expect("a connection")) };
    let answer = answer(client, accept).await;
    assert!(answer.contains("\r\nSet-Cookie: a=b\r\n") && !answer.contains("forged"), "{answer}");
}

#[tokio::test]
async fn a_request_that_is_dropped_gets_no_answer() {
    let (incoming, client) = read(&AcceptOptions::default(), REQUEST).await;
    assert_eq!(answer(client, async { drop(incoming) }).await, "");
}

#[tokio::test]
async fn the_servers_preference_wins_and_the_clients_casing_is_answered() {
    let options = AcceptOptions::default().subprotocols(["v2", "v1"]);
    let offer = "Sec-WebSocket-Protocol: v1\r\nSec-WebSocket-Protocol: other, V2";
    let (incoming, client) = read(&options, &adding(offer)).await;
    assert_eq!(incoming.subprotocol(), Some("V2"));
    let accept = async {
        let connection = incoming.accept().await.expect("a connection");
        assert_eq!(connection.subprotocol(), Some("V2"));
    };
    let answer = answer(client, accept).await;
    assert!(answer.contains("\r\nSec-WebSocket-Protocol: V2\r\n"), "{answer}");
}

#[tokio::test]
async fn no_subprotocol_in_common_is_no_error() {
    let options = AcceptOptions::default().subprotocols(["v2"]);
    let (answer, accepted) = answered(&options, adding("Sec-WebSocket-Protocol: v1")).await;
    accepted.unwrap();
    assert!(!answer.contains("Protocol:"), "{answer}");
}

#[tokio::test]
async fn what_the_stream_does_not_tell_can_be_told() {
    let (incoming, client) = read(&AcceptOptions::default(), REQUEST).await;
    let address = client.local_addr().unwrap();
    let incoming = incoming.with_peer_addr(address);
    let connection = incoming.accept().await.unwrap();
    assert_eq!((connection.peer_addr(), connection.role()), (Some(address), Role::Server));
    assert_eq!(connection.subprotocol(), None);
    let (incoming, _client) = read(&AcceptOptions::default(), REQUEST).await;
    assert_eq!(incoming.accept().await.unwrap().peer_addr(), None);
}

#[tokio::test]
async fn settings_come_from_the_options_or_from_the_decision() {
    let options = AcceptOptions::default().settings(Settings::default().max_message(3));
    for (raised, limit) in [(None, 3), (Some(Settings::default().max_message(5)), 5)] {
        let (incoming, mut client) = read(&options, REQUEST).await;
        let incoming = raised.into_iter().fold(incoming, Incoming::with_settings);
        let mut connection = incoming.accept().await.unwrap();
        let messages = [frame(Role::Client, 0x81, b"abc"), frame(Role::Client, 0x81, b"abcdef")];
        client.write_all(&messages.concat()).await.unwrap();
        client.shutdown().await.unwrap();
        assert_eq!(connection.recv().await.unwrap(), Some("abc".into()));
        let too_big = DecodeError::MessageTooBig { limit };
        assert!(matches!(connection.recv().await, Err(Error::Protocol(it)) if it == too_big));
    }
}

#[tokio::test]
async fn one_connections_failure_touches_no_other() {
    let options = AcceptOptions::default();
    let good = async {
        let (incoming, mut client) = read(&options, REQUEST).await;
        let mut connection = incoming.accept().await.unwrap();
        let message = frame(Role::Client, 0x81, b"still here");
        client.write_all(&[message, close(Role::Client, 1000, "")].concat()).await.unwrap();
        client.shutdown().await.unwrap();
        assert_eq!(connection.recv().await.unwrap(), Some("still here".into()));
        assert_eq!(connection.recv().await.unwrap(), None);
    };
    let bad = async {
        let (_, refused) = answered(&options, "nonsense\r\n\r\n").await;
        assert!(matches!(refused, Err(AcceptError::Refused(Refusal::Head(_)))));
        let (mut connection, mut client) = tcp::connection(Role::Server, Settings::default()).await;
        client.write_all(b"\xff\xff").await.unwrap();
        client.shutdown().await.unwrap();
        assert!(matches!(connection.recv().await, Err(Error::Protocol(_))));
    };
    tokio::join!(bad, good);
}
