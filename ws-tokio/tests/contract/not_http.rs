//! Peers that speak another protocol: an error by their first bytes, on both sides, and not at the deadline.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::time::Instant;
use ws_tokio::handshake::http1::{HeadError, LooksLike};
use ws_tokio::handshake::server::Refusal;
use ws_tokio::{AcceptError, AcceptOptions, ConnectError, ConnectOptions};

use super::handshake_server::answered;
use crate::support::memory::PIPE;
use crate::support::tcp;

const CLIENT_HELLO: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";

/// What a client says of a server that sends these bytes and then waits.
async fn connected(banner: &[u8]) -> ConnectError {
    let (client, mut server) = tcp::streams().await;
    server.write_all(banner).await.expect("an open connection");
    let since = Instant::now();
    let connected = ConnectOptions::default().connect_over(client, "ws://a/").await;
    assert!(since.elapsed() < Duration::from_secs(5), "{}", banner.escape_ascii());
    connected.expect_err("no handshake")
}

#[tokio::test]
async fn a_server_that_speaks_another_protocol_is_an_error_at_once_that_names_it() {
    for (banner, looks_like) in [
        (&b"SSH-2.0-OpenSSH_9.6\r\n"[..], LooksLike::Text),
        (b"220 mail.example ESMTP\r\n", LooksLike::Text),
        (b"\x15\x03\x03\x00\x02\x02\x46", LooksLike::Tls),
        (b"\x00\x00\x12\x04\x00\x00\x00\x00\x00", LooksLike::Http2),
        (b"\xff\xfd\x18", LooksLike::Binary),
    ] {
        let error = connected(banner).await;
        let ConnectError::Head(HeadError::NotHttp(not_http)) = error else { panic!("{error}") };
        assert_eq!(not_http.looks_like(), looks_like);
        assert_eq!(not_http.first_bytes(), banner);
    }
    assert_eq!(
        connected(b"SSH-2.0-x\r\n").await.to_string(),
        r#"the server's answer can't be read: not HTTP/1 but text: "SSH-2.0-x\r\n""#
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_is_found_out_although_its_bytes_come_one_by_one() {
    let (client, mut server) = duplex(PIPE);
    let banner = async {
        for byte in b"\r\nHTTPS" {
            server.write_all(&[*byte]).await.unwrap();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        std::future::pending::<()>().await;
    };
    let since = Instant::now();
    let options = ConnectOptions::default();
    let connected = tokio::select! {
        connected = options.connect_over(client, "ws://a/") => connected,
        () = banner => unreachable!(),
    };
    assert!(matches!(connected, Err(ConnectError::Head(HeadError::NotHttp(_)))));
    assert_eq!(since.elapsed(), Duration::from_millis(60), "with its seventh byte");
}

#[tokio::test]
async fn a_client_that_speaks_another_protocol_gets_a_400_at_once_that_names_it() {
    for (bytes, named) in [
        (CLIENT_HELLO, r"TLS: \x16\x03\x01"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/2: PRI * HTTP/2.0"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "text: SSH-2.0-OpenSSH_9.6"),
        (b"EHLO x\r\n", r"text: EHLO x\r\n"),
        (b"GET /\r\n", "text: GET /"),
        (b"\x00\x01\x02", r"binary data: \x00\x01\x02"),
    ] {
        let (mut client, server) = tcp::streams().await;
        let refused = async { ws_tokio::accept(server).await.expect_err("a refusal") };
        let answer = async {
            client.write_all(bytes).await.expect("an open connection");
            let mut answer = Vec::new();
            client.read_to_end(&mut answer).await.expect("an end without a reset");
            client.shutdown().await.expect("an open connection");
            drop(client);
            String::from_utf8(answer).expect("text")
        };
        let since = Instant::now();
        let (refused, answer) = tokio::join!(refused, answer);
        assert!(since.elapsed() < Duration::from_secs(5), "{named}");
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
        let body = answer.split_once("\r\n\r\n").expect("a whole head").1.replace('"', "");
        assert!(body.starts_with(&format!("not HTTP/1 but {named}")), "{body}");
        let AcceptError::Refused(Refusal::Head(error)) = refused else { panic!("{refused}") };
        assert!(matches!(error, HeadError::NotHttp(_)));
    }
}

#[tokio::test]
async fn a_request_of_the_right_shape_is_judged_as_before() {
    let request = "GET / HTTP/2.0\r\nHost: a\r\n\r\n";
    let (_, refused) = answered(&AcceptOptions::default(), request).await;
    let Err(AcceptError::Refused(Refusal::Head(error))) = refused else { panic!("{refused:?}") };
    assert!(matches!(error, HeadError::Malformed(_)));
}
