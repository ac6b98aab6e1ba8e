//! A client's sessions: many WebSockets on one connection, shared, reopened, or HTTP/1.1 where there is no HTTP/2.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use ws_tokio::http::StatusCode;
use ws_tokio::{
    AcceptOptions, CloseCode, ConnectError, ConnectOptions, Http2Error, Http2Options, Http2Session,
    Message, Server, Transport,
};

use crate::authority::Authority;
use crate::{echo, echo_server, echoes, open, peer, session, tls_server, trusting};

/// Options that count the TCP connections they open.
fn counting(options: ConnectOptions, address: SocketAddr) -> (ConnectOptions, Arc<AtomicUsize>) {
    let opened = Arc::new(AtomicUsize::new(0));
    let count = opened.clone();
    let options = options.dialer(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        TcpStream::connect(address)
    });
    (options, opened)
}

#[tokio::test]
async fn many_websockets_share_one_connection() {
    let (address, _server) = echo_server(AcceptOptions::default()).await;
    let (options, opened) = counting(ConnectOptions::default(), address);
    let session = Http2Session::new("ws://server", &options, Http2Options::default()).unwrap();
    let mut connections = Vec::new();
    for number in 0..50 {
        let (mut connection, response) = session.open("/a?b", &options).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert!(response.headers().is_empty(), "{:?}", response.headers());
        echoes(&mut connection, &number.to_string()).await;
        connections.push(connection);
    }
    for mut connection in connections.drain(..) {
        echoes(&mut connection, "still there").await;
        connection.close(CloseCode::NORMAL, "").await.unwrap();
    }
    assert_eq!(opened.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_is_asked_for_is_seen_and_what_is_agreed_holds() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    let options = AcceptOptions::default().subprotocols(["chat"]);
    #[cfg(feature = "deflate")]
    let options = options.compression(ws_tokio::Compression::ContextTakeover);
    let server = server.options(options).http2(Http2Options::default());
    tokio::spawn(async move {
        server
            .serve_incoming(async |incoming| {
                let uri = incoming.request().uri().clone();
                assert_eq!(uri.path_and_query().unwrap(), "/room?name=a%20b");
                assert_eq!(uri.authority().unwrap(), "server:8080");
                assert!(incoming.peer_addr().is_some());
                let mut connection = incoming.accept().await.unwrap();
                assert_eq!(connection.subprotocol(), Some("Chat"));
                connection.run(|message, outbox| outbox.send(message)).await
            })
            .await;
    });
    let options = ConnectOptions::default()
        .dialer(move |_| TcpStream::connect(address))
        .subprotocols(["Chat"]);
    #[cfg(feature = "deflate")]
    let options = options.compression(ws_tokio::Compression::ContextTakeover);
    let session = Http2Session::new("ws://server:8080", &options, Http2Options::default()).unwrap();
    let (mut connection, _) = session.open("/room?name=a%20b", &options).await.unwrap();
    assert_eq!(connection.subprotocol(), Some("Chat"));
    #[cfg(feature = "deflate")]
    assert!(connection.compression().is_some());
    echoes(&mut connection, &"again ".repeat(10_000)).await;
    let error = session.open("room", &options).await.unwrap_err();
    assert!(matches!(error, ConnectError::Url(_)), "{error}");
}

#[tokio::test]
async fn large_messages_pass_both_ways_at_once() {
    let (address, _server) = echo_server(AcceptOptions::default()).await;
    let session = session(address);
    let tasks = (0..4_u8).map(|number| {
        let session = session.clone();
        tokio::spawn(async move {
            let (mut recv, send) = open(&session, "/").await.split();
            let message = Message::from(vec![number; 1 << 20]);
            let sent = message.clone();
            let sending = tokio::spawn(async move {
                for _ in 0..8 {
                    send.send(sent.clone()).await.unwrap();
                }
                send
            });
            for _ in 0..8 {
                assert_eq!(recv.recv().await.unwrap(), Some(message.clone()));
            }
            _ = sending.await.unwrap();
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn over_tls_http2_is_negotiated_and_shared() {
    let authority = Authority::new();
    let address = tls_server(&authority).await;
    let (options, opened) = counting(trusting(&authority), address);
    let options = options.prefer_http2(Http2Options::default());
    let url = "wss://localhost/chat";
    let clone = options.clone();
    let (one, two) = tokio::join!(options.connect(url), clone.connect(url));
    for (mut connection, response) in [one.unwrap(), two.unwrap()] {
        assert_eq!(response.status(), StatusCode::OK);
        assert!(matches!(connection.get_ref(), Transport::Http2(_)));
        echoes(&mut connection, "hi").await;
    }
    assert_eq!(opened.load(Ordering::SeqCst), 1);
    let session = Http2Session::new(url, &options, Http2Options::default()).unwrap();
    echoes(&mut open(&session, "/").await, "a session of its own").await;
    // Without the wish, it is HTTP/1.1.
    let (connection, response) = trusting(&authority)
        .dialer(move |_| TcpStream::connect(address))
        .connect(url)
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    assert!(matches!(connection.get_ref(), Transport::Tls(_)));
}

#[tokio::test]
async fn where_a_server_speaks_only_http_1_1_that_is_used_or_said() {
    let authority = Authority::new();
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    let server = server.tls(authority.server(&["localhost"]));
    tokio::spawn(async move {
        server
            .serve(async |mut connection| {
                connection.run(|message, outbox| outbox.send(message)).await
            })
            .await;
    });
    let (options, _) = counting(trusting(&authority), address);
    let preferring = options.clone().prefer_http2(Http2Options::default());
    for _ in 0..2 {
        let (mut connection, response) = preferring.connect("wss://localhost/").await.unwrap();
        assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
        echoes(&mut connection, "hi").await;
    }
    let session = Http2Session::new("wss://localhost", &options, Http2Options::default()).unwrap();
    let error = session.open("/", &options).await.unwrap_err();
    assert!(matches!(error, ConnectError::Http2(Http2Error::NotSpoken)), "{error}");
}

#[tokio::test]
async fn where_a_server_does_not_allow_it_that_is_said_and_http_1_1_used() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(stream).await.unwrap();
                while connection.accept().await.is_some() {}
            });
        }
    });
    let session = session(address);
    let error = session.open("/", &ConnectOptions::default()).await.unwrap_err();
    assert!(matches!(error, ConnectError::Http2(Http2Error::NotAllowed)), "{error}");
    assert_eq!(error.to_string(), "the server doesn't allow WebSockets over HTTP/2");

    let authority = Authority::new();
    let address = peer::tls_without_connect(&authority).await;
    let (options, opened) = counting(trusting(&authority), address);
    let options = options.prefer_http2(Http2Options::default());
    let (mut connection, response) = options.connect("wss://localhost/").await.unwrap();
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    echoes(&mut connection, "hi").await;
    assert_eq!(opened.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_refusal_has_the_servers_response() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    let server = server.http2(Http2Options::default());
    tokio::spawn(async move {
        server
            .serve_incoming(async |incoming| {
                incoming.refuse(StatusCode::FORBIDDEN, "not you").await;
            })
            .await;
    });
    let error = session(address).open("/", &ConnectOptions::default()).await.unwrap_err();
    let ConnectError::Refused(response) = error else { panic!("{error}") };
    assert_eq!((response.status(), &response.body()[..]), (StatusCode::FORBIDDEN, &b"not you"[..]));
}

#[tokio::test]
async fn a_server_that_speaks_http_1_1_alone_is_an_error_at_once() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    tokio::spawn(async move {
        server.serve(async |mut connection| _ = connection.recv().await).await;
    });
    let error = session(address).open("/", &ConnectOptions::default()).await.unwrap_err();
    assert!(matches!(error, ConnectError::Io(_) | ConnectError::NoAnswer), "{error}");
}

#[tokio::test]
async fn a_silent_server_costs_the_handshakes_time_and_no_more() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let options = ConnectOptions::default().handshake_timeout(Duration::from_millis(50));
    let session = session(listener.local_addr().unwrap());
    let error = session.open("/", &options).await.unwrap_err();
    assert!(matches!(error, ConnectError::Timeout(_)), "{error}");
}

#[tokio::test]
async fn a_session_opens_another_connection_once_the_server_goes_away() {
    let (address, gone) = peer::leaving_server().await;
    let (options, opened) = counting(ConnectOptions::default(), address);
    let session = Http2Session::new("ws://server", &options, Http2Options::default()).unwrap();
    let mut early = open(&session, "/").await;
    echoes(&mut early, "before").await;
    gone.notify_one();
    // The server tells when it has said so.
    gone.notified().await;
    let mut late = open(&session, "/").await;
    echoes(&mut late, "on another connection").await;
    assert_eq!(opened.load(Ordering::SeqCst), 2);
    echoes(&mut early, "lives on").await;
}

#[tokio::test]
async fn a_client_waits_where_the_server_allows_no_more_streams() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    let server = server.http2(Http2Options::default().max_streams(2));
    tokio::spawn(async move { server.serve(echo).await });
    let session = session(address);
    let first = open(&session, "/").await;
    let mut second = open(&session, "/").await;
    let waiting = tokio::spawn({
        let session = session.clone();
        async move { open(&session, "/").await }
    });
    echoes(&mut second, "meanwhile").await;
    assert!(!waiting.is_finished());
    drop(first);
    echoes(&mut waiting.await.unwrap(), "now").await;
}
