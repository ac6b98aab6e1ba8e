//! hyper's connections: taken apart where it gives them back, whole where it doesn't, and nothing left where the client leaves.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::any;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tower_service::Service;
use ws_tokio::http::{HeaderMap, Request, Response, StatusCode};
use ws_tokio::{
    AcceptError, AcceptOptions, ConnectOptions, Settings, Tracker, Transport, Upgrade, connect,
};

use crate::{HI, REQUEST, hyper_server, hyper_taking, respond, take};

/// The request, and the first frame behind it, in one write.
fn pipelined() -> Vec<u8> {
    [REQUEST.as_bytes(), HI].concat()
}

#[tokio::test]
async fn a_connection_is_taken_back_to_its_socket_with_its_address_and_without_delays() {
    let (server, mut taken) = hyper_taking(AcceptOptions::default()).await;
    let (mut client, _) = connect(&format!("ws://{server}/")).await.unwrap();
    let mut connection = taken.recv().await.unwrap().unwrap();
    let Transport::Tcp(stream) = connection.get_ref() else { panic!("not TCP") };
    assert!(stream.nodelay().unwrap());
    let Transport::Tcp(theirs) = client.get_ref() else { panic!("not TCP") };
    assert_eq!(connection.peer_addr(), Some(theirs.local_addr().unwrap()));
    client.send("hello").await.unwrap();
    assert_eq!(connection.recv().await.unwrap(), Some("hello".into()));
}

#[tokio::test]
async fn frames_behind_the_request_are_received_first() {
    let (server, mut taken) = hyper_taking(AcceptOptions::default()).await;
    for split in [REQUEST.len(), REQUEST.len() + 1, REQUEST.len() + 7, REQUEST.len() + HI.len()] {
        let mut stream = TcpStream::connect(server).await.unwrap();
        let bytes = [&pipelined()[..], HI].concat();
        stream.write_all(&bytes[..split]).await.unwrap();
        let mut connection = taken.recv().await.unwrap().unwrap();
        stream.write_all(&bytes[split..]).await.unwrap();
        for _ in 0..2 {
            assert_eq!(connection.recv().await.unwrap(), Some("hi".into()), "{split}");
        }
    }
}

/// A router that hands over what it takes, and where it leaves it.
fn router() -> (Router, mpsc::UnboundedReceiver<ws_tokio::Connection>) {
    let (sender, taken) = mpsc::unbounded_channel();
    let handler = async move |upgrade: Upgrade| {
        upgrade.accept(move |connection| async move { _ = sender.send(connection) })
    };
    (Router::new().fallback_service(any(handler)), taken)
}

#[tokio::test]
async fn it_is_taken_out_of_hyper_utils_connection_as_well() {
    let (router, mut taken) = router();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let (stream, service) = (TokioIo::new(stream), TowerToHyperService::new(router));
        let builder = auto::Builder::new(TokioExecutor::new());
        _ = builder.serve_connection_with_upgrades(stream, service).await;
    });
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&pipelined()).await.unwrap();
    let mut connection = taken.recv().await.unwrap();
    assert!(matches!(connection.get_ref(), Transport::Tcp(_)));
    assert_eq!(connection.recv().await.unwrap(), Some("hi".into()));
}

#[tokio::test]
async fn a_stream_that_is_not_given_back_serves_as_it_is() {
    let (router, mut taken) = router();
    let (mut client, server) = duplex(1024);
    tokio::spawn(async move {
        let service = TowerToHyperService::new(router);
        let serving = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(server), service);
        _ = serving.with_upgrades().await;
    });
    client.write_all(&pipelined()).await.unwrap();
    let mut connection = taken.recv().await.unwrap();
    assert!(matches!(connection.get_ref(), Transport::Any(_)));
    assert_eq!(connection.peer_addr(), None);
    assert_eq!(connection.recv().await.unwrap(), Some("hi".into()));
    connection.send("ho").await.unwrap();
    let mut answer = vec![0; 1024];
    let mut len = 0;
    while !answer[..len].ends_with(b"\x81\x02ho") {
        len += client.read(&mut answer[len..]).await.unwrap();
    }
}

#[tokio::test]
async fn options_headers_and_settings_are_those_of_accept() {
    let options = AcceptOptions::default().subprotocols(["chat"]);
    let (sender, mut taken) = mpsc::unbounded_channel();
    let server = hyper_server(move |mut request| {
        let mut upgrade = options.upgrade(&mut request).unwrap();
        assert_eq!(upgrade.subprotocol(), Some("Chat"));
        assert_eq!(upgrade.offered_subprotocols().collect::<Vec<_>>(), ["v2", "Chat"]);
        assert!(upgrade.choose_subprotocol("v3").is_err());
        upgrade.choose_subprotocol("V2").unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("x-more", "1".parse().unwrap());
        headers.insert("sec-websocket-accept", "nonsense".parse().unwrap());
        let address = "192.0.2.1:80".parse().unwrap();
        let settings = Settings::default().max_message(3);
        let upgrade = upgrade.with_headers(headers).with_settings(settings).with_peer_addr(address);
        let (response, connecting) = upgrade.answer();
        take(connecting, &sender);
        async move { response }
    })
    .await;
    let connecting = ConnectOptions::default().subprotocols(["v2", "Chat"]);
    let (mut client, response) = connecting.connect(&format!("ws://{server}/")).await.unwrap();
    assert_eq!(client.subprotocol(), Some("v2"));
    assert_eq!(response.headers()["x-more"], "1");
    let mut connection = taken.recv().await.unwrap().unwrap();
    assert_eq!(connection.subprotocol(), Some("v2"));
    assert_eq!(connection.peer_addr(), Some("192.0.2.1:80".parse().unwrap()));
    client.send("long").await.unwrap();
    assert!(matches!(connection.recv().await, Err(ws_tokio::Error::Protocol(_))));
}

#[cfg(feature = "deflate")]
#[tokio::test]
async fn compression_is_agreed_to_as_by_accept() {
    use ws_tokio::Compression;
    let options = AcceptOptions::default().compression(Compression::ContextTakeover);
    let (server, mut taken) = hyper_taking(options).await;
    let connecting = ConnectOptions::default().compression(Compression::ContextTakeover);
    let (mut client, _) = connecting.connect(&format!("ws://{server}/")).await.unwrap();
    let mut connection = taken.recv().await.unwrap().unwrap();
    assert!(client.compression().is_some());
    assert_eq!(client.compression(), connection.compression());
    client.send("again and again ".repeat(100)).await.unwrap();
    assert_eq!(connection.recv().await.unwrap(), Some("again and again ".repeat(100).into()));
}

/// A handler that holds the response until it is told to go on.
async fn slow_server(
    options: AcceptOptions,
    go_on: Arc<Notify>,
) -> (std::net::SocketAddr, crate::Taken, Arc<Notify>) {
    let (sender, taken) = mpsc::unbounded_channel();
    let asked = Arc::new(Notify::new());
    let tells = asked.clone();
    let server = hyper_server(move |mut request| {
        let response = respond(&options, &mut request, &sender);
        let (go_on, asked) = (go_on.clone(), tells.clone());
        async move {
            asked.notify_one();
            go_on.notified().await;
            response
        }
    })
    .await;
    (server, taken, asked)
}

#[tokio::test]
async fn a_client_that_leaves_between_request_and_answer_leaves_nothing() {
    let (tracker, go_on) = (Tracker::new(), Arc::new(Notify::new()));
    let options = AcceptOptions::default().tracker(&tracker);
    let (server, mut taken, asked) = slow_server(options, go_on.clone()).await;
    let mut stream = TcpStream::connect(server).await.unwrap();
    stream.write_all(REQUEST.as_bytes()).await.unwrap();
    asked.notified().await;
    assert_eq!(tracker.len(), 1);
    drop(stream);
    // Whether hyper notices before or when it answers.
    go_on.notify_one();
    match taken.recv().await.unwrap() {
        Err(AcceptError::Io(_)) => {}
        Err(error) => panic!("{error}"),
        Ok(mut connection) => assert!(connection.recv().await.is_err()),
    }
    assert!(tracker.is_empty());
}

#[tokio::test]
async fn a_future_that_is_dropped_for_another_response_leaves_nothing() {
    let tracker = Tracker::new();
    let options = AcceptOptions::default().tracker(&tracker);
    let server = hyper_server(move |mut request| {
        drop(options.upgrade(&mut request).unwrap().answer::<()>());
        async { Response::builder().status(404).body("no".into()).unwrap() }
    })
    .await;
    let refused = connect(&format!("ws://{server}/")).await.unwrap_err();
    assert_eq!(refused.status(), Some(StatusCode::NOT_FOUND));
    assert!(tracker.is_empty());
}

#[tokio::test]
async fn a_connection_that_is_awaited_before_the_response_is_returned_says_so() {
    let options = AcceptOptions::default().handshake_timeout(Duration::from_millis(50));
    let server = hyper_server(move |mut request| {
        let (response, connecting) = options.upgrade(&mut request).unwrap().answer();
        async move {
            let error = connecting.await.unwrap_err();
            assert!(matches!(error, AcceptError::NotHandedOver), "{error}");
            assert!(error.to_string().contains("response"), "{error}");
            drop::<Response<http_body_util::Full<bytes::Bytes>>>(response);
            Response::builder().status(500).body("".into()).unwrap()
        }
    })
    .await;
    let refused = connect(&format!("ws://{server}/")).await.unwrap_err();
    assert_eq!(refused.status(), Some(StatusCode::INTERNAL_SERVER_ERROR));
}

#[tokio::test]
async fn a_server_that_hands_nothing_over_is_told_by_a_500() {
    let (mut router, _taken) = router();
    let request = Request::builder()
        .uri("/")
        .header("host", "a")
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    let response = router.call(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
}
