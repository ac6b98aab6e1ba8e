//! `connect` over real TCP: URLs, and where redirects may lead.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use ws_tokio::http::{HeaderValue, header};
use ws_tokio::{ConnectError, ConnectOptions, Transport};

use super::handshake_client::{accepting, read_request};

/// How a server answers one request.
#[derive(Clone, Debug)]
enum Answer {
    Accept,
    Redirect(u16, String),
}

/// A server that will give these answers, one per connection; its port, and the requests that it was sent.
async fn server(answers: Vec<Answer>) -> (u16, impl Future<Output = Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    (port, serve(listener, answers))
}

async fn serve(listener: TcpListener, answers: Vec<Answer>) -> Vec<String> {
    let mut requests = Vec::new();
    for answer in answers {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let request = read_request(&mut stream).await;
        let answer = match answer {
            Answer::Accept => accepting(&request),
            Answer::Redirect(status, to) => {
                format!("HTTP/1.1 {status} Moved\r\nLocation: {to}\r\n\r\n")
            }
        };
        stream.write_all(answer.as_bytes()).await.expect("an open connection");
        requests.push(request);
    }
    requests
}

fn has_line(request: &str, line: &str) -> bool {
    request.split("\r\n").any(|it| it == line)
}

#[tokio::test]
async fn connect_speaks_to_ws_and_http_urls_in_any_case_without_delay() {
    for scheme in ["ws", "http", "WS"] {
        let (port, requests) = server(vec![Answer::Accept]).await;
        let url = format!("{scheme}://user:secret@127.0.0.1:{port}/chat?a=b#fragment");
        let (connected, requests) = tokio::join!(ws_tokio::connect(&url), requests);
        let (connection, response) = connected.unwrap();
        assert!(requests[0].starts_with("GET /chat?a=b HTTP/1.1\r\n"), "{}", requests[0]);
        assert!(has_line(&requests[0], &format!("Host: 127.0.0.1:{port}")));
        assert!(has_line(&requests[0], "Authorization: Basic dXNlcjpzZWNyZXQ="));
        assert_eq!(response.status(), 101);
        assert_eq!(connection.peer_addr().unwrap().port(), port);
        let Transport::Tcp(stream) = connection.get_ref() else { panic!("not TCP") };
        assert!(stream.nodelay().unwrap());
    }
}

#[tokio::test]
async fn wss_is_never_spoken_in_plain_text() {
    for scheme in ["wss", "https", "WSS"] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("{scheme}://127.0.0.1:{}/", listener.local_addr().unwrap().port());
        let heard = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut first = [0];
            stream.read(&mut first).await.map(|len| first[..len].to_vec())
        };
        tokio::select! {
            error = ws_tokio::connect(&url) => {
                let error = error.unwrap_err();
                #[cfg(feature = "rustls")]
                assert!(matches!(error, ConnectError::Tls(_)), "{error}");
                #[cfg(not(feature = "rustls"))]
                assert!(matches!(error, ConnectError::TlsUnsupported), "{error}");
            }
            // A record of a TLS handshake (RFC 8446, 5.1); without TLS, nothing is opened.
            heard = heard => {
                let first = heard.unwrap();
                assert!(cfg!(feature = "rustls") && matches!(first.as_slice(), [] | [0x16]));
            }
        }
    }
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_an_error_of_the_transport() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    drop(listener);
    assert!(matches!(ws_tokio::connect(&url).await, Err(ConnectError::Io(_))));
}

#[tokio::test]
async fn a_redirect_is_a_refusal_by_default() {
    let (port, requests) = server(vec![Answer::Redirect(302, "/elsewhere".into())]).await;
    let url = format!("ws://127.0.0.1:{port}/");
    let (connected, _) = tokio::join!(ws_tokio::connect(&url), requests);
    let error = connected.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(302));
    let ConnectError::Refused(response) = error else { panic!("{error}") };
    assert_eq!(response.headers()["location"], "/elsewhere");
}

#[tokio::test]
async fn redirects_are_followed_as_often_as_was_asked_for() {
    for status in [301, 302, 303, 307, 308] {
        let twice = [Answer::Redirect(status, "/b".into()), Answer::Redirect(status, "c?d".into())];
        let (port, requests) = server([&twice[..], &[Answer::Accept]].concat()).await;
        let options = ConnectOptions::default().redirects(2);
        let url = format!("ws://127.0.0.1:{port}/a");
        let (connected, requests) = tokio::join!(options.connect(&url), requests);
        connected.unwrap();
        assert!(requests[1].starts_with("GET /b HTTP/1.1\r\n"), "{}", requests[1]);
        assert!(requests[2].starts_with("GET /c?d HTTP/1.1\r\n"), "{}", requests[2]);
    }
}

#[cfg(feature = "url")]
#[tokio::test]
async fn a_location_is_resolved_as_browsers_resolve_it() {
    for (location, path) in [
        ("/ü b/../c d?[x]#y", "/c%20d?[x]"),
        ("../e|f", "/e|f"),
        ("\\\\127.0.0.1:PORT\\g", "/g"),
        ("?", "/a/b?"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let location = location.replace("PORT", &port.to_string());
        let answers = vec![Answer::Redirect(302, location), Answer::Accept];
        let requests = serve(listener, answers);
        let options = ConnectOptions::default().redirects(1);
        let url = format!("ws://127.0.0.1:{port}/a/b");
        let (connected, requests) = tokio::join!(options.connect(&url), requests);
        connected.unwrap();
        assert!(requests[1].starts_with(&format!("GET {path} HTTP/1.1\r\n")), "{}", requests[1]);
    }
}

#[tokio::test]
async fn one_redirect_too_many_is_a_refusal() {
    let circle = vec![Answer::Redirect(302, "/".into()); 3];
    let (port, requests) = server(circle).await;
    let options = ConnectOptions::default().redirects(2);
    let url = format!("ws://127.0.0.1:{port}/");
    let (connected, requests) = tokio::join!(options.connect(&url), requests);
    assert_eq!(connected.unwrap_err().status().map(|status| status.as_u16()), Some(302));
    assert_eq!(requests.len(), 3);
}

/// Options with all that is secret.
fn with_credentials() -> ConnectOptions {
    ConnectOptions::default()
        .redirects(5)
        .host(HeaderValue::from_static("virtual"))
        .header(header::COOKIE, HeaderValue::from_static("session=1"))
        .header(header::HeaderName::from_static("x-plain"), HeaderValue::from_static("1"))
}

#[tokio::test]
async fn credentials_go_along_on_the_same_host() {
    let (port, requests) = server(vec![Answer::Redirect(307, "/b".into()), Answer::Accept]).await;
    let url = format!("ws://user:secret@127.0.0.1:{port}/a");
    let options = with_credentials();
    let (connected, requests) = tokio::join!(options.connect(&url), requests);
    connected.unwrap();
    for request in requests {
        assert!(has_line(&request, "Cookie: session=1") && has_line(&request, "Host: virtual"));
        assert!(has_line(&request, "Authorization: Basic dXNlcjpzZWNyZXQ="));
    }
}

#[tokio::test]
async fn credentials_do_not_go_to_another_host_nor_come_back_from_there() {
    let (port, back) = server(vec![Answer::Accept]).await;
    let (away_port, away) =
        server(vec![Answer::Redirect(307, format!("ws://127.0.0.1:{port}/b"))]).await;
    let (first_port, first) =
        server(vec![Answer::Redirect(307, format!("ws://127.0.0.1:{away_port}/"))]).await;
    let url = format!("ws://user:secret@127.0.0.1:{first_port}/a");
    let options = with_credentials();
    let (connected, first, away, back) = tokio::join!(options.connect(&url), first, away, back);
    connected.unwrap();
    assert!(has_line(&first[0], "Cookie: session=1") && first[0].contains("Authorization"));
    for (request, port) in [(&away[0], away_port), (&back[0], port)] {
        assert!(!request.contains("Cookie") && !request.contains("Authorization"), "{request}");
        assert!(has_line(request, &format!("Host: 127.0.0.1:{port}")), "{request}");
        assert!(has_line(request, "X-Plain: 1"), "no secret belongs in it");
    }
}

#[tokio::test]
async fn a_redirect_that_cannot_be_followed_is_an_error() {
    for (location, tls) in [("ftp://a/", false), ("wss://127.0.0.1:1/", true)] {
        let (port, requests) = server(vec![Answer::Redirect(302, location.into())]).await;
        let options = ConnectOptions::default().redirects(1);
        let url = format!("ws://127.0.0.1:{port}/");
        let (connected, _) = tokio::join!(options.connect(&url), requests);
        match connected.unwrap_err() {
            ConnectError::Redirect(_) => assert!(!tls),
            #[cfg(feature = "rustls")]
            ConnectError::Tls(_) | ConnectError::Io(_) => assert!(tls),
            ConnectError::TlsUnsupported => assert!(tls),
            error => panic!("{error}"),
        }
    }
}
