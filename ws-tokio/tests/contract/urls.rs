//! URLs as people and browsers have them, and what is said of those that can't be connected to.

use tokio::io::{AsyncWriteExt, duplex};
use ws_tokio::handshake::client::{IntoTarget, Target};
use ws_tokio::http::Uri;
use ws_tokio::{ConnectError, ConnectOptions};

use super::handshake_client::{accepting, read_request};
use crate::support::memory::PIPE;

/// The request that is sent to a URL.
async fn request(url: impl IntoTarget) -> String {
    let (client, mut server) = duplex(PIPE);
    let server = async move {
        let request = read_request(&mut server).await;
        server.write_all(accepting(&request).as_bytes()).await.expect("the pipe holds it");
        request
    };
    let options = ConnectOptions::default();
    let (connected, request) = tokio::join!(options.connect_over(client, url), server);
    connected.expect("a handshake");
    request
}

#[cfg(feature = "url")]
#[tokio::test]
async fn a_url_is_read_as_browsers_read_it() {
    for (url, path, host) in [
        ("ws://bücher.example/straße?ü", "/stra%C3%9Fe?%C3%BC", "xn--bcher-kva.example"),
        (" ws://EXAMPLE.com:80/a b?[c d] ", "/a%20b?[c%20d]", "example.com"),
        ("wss://[2001:DB8:0::1]:8443", "/", "[2001:db8::1]:8443"),
        ("http://a/<x>/../{y}#z", "/%7By%7D", "a"),
    ] {
        let request = request(url).await;
        let head = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n");
        assert!(request.starts_with(&head), "{request}");
    }
}

#[tokio::test]
async fn user_and_password_of_a_url_go_along_as_basic_authorization() {
    let request = request("ws://user:sec%72et@a/").await;
    assert!(request.contains("\r\nAuthorization: Basic dXNlcjpzZWNyZXQ=\r\n"), "{request}");
}

#[tokio::test]
async fn uris_and_targets_are_taken_as_they_are() {
    let uri = Uri::from_static("ws://A.example/a/../b?c|d");
    let target = Target::try_from(&uri).unwrap();
    for request in [request(&uri).await, request(uri).await, request(target).await] {
        let head = "GET /a/../b?c|d HTTP/1.1\r\nHost: A.example\r\n";
        assert!(request.starts_with(head), "{request}");
    }
    assert!(request(String::from("ws://a/b")).await.starts_with("GET /b HTTP/1.1\r\n"));
}

#[tokio::test]
async fn a_url_that_is_refused_says_why_and_is_shown_without_its_password() {
    for (url, why) in [
        (
            "ftp://user:secret@host/",
            r#"the scheme of "ftp://user:***@host/" is "ftp", not ws or wss"#,
        ),
        (
            "ws://user:secret@host:99999/",
            r#"the port of "ws://user:***@host:99999/" is not a number up to 65535"#,
        ),
        ("user:secret@host", r#""user:***@host""#),
        ("//user:secret@host/", r#"//user:***@host/"#),
        ("ws://user:sec/ret@host/", "***@host/"),
        ("ws://user:secret@ho st/", "user:***@ho st/"),
    ] {
        let error = ws_tokio::connect(url).await.expect_err(url);
        assert!(matches!(error, ConnectError::Url(_)), "{error}");
        assert!(error.to_string().contains(why), "{error}");
        let told = format!("{error} {error:?}");
        assert!(!told.contains("secret") && !told.contains("sec/ret"), "{told}");
    }
}
