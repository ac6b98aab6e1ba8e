//! A shutdown reaches every WebSocket of an HTTP server, waits for them, and counts who was cut.

use std::future::IntoFuture;
use std::time::Duration;

use axum::routing::{any, get};
use axum::{Extension, Router};
use tokio::net::TcpListener;
use tokio::sync::watch;
use ws_tokio::{AcceptOptions, CloseCode, Error, Tracker, Upgrade, connect};
#[cfg(feature = "http2")]
use ws_tokio::{ConnectOptions, Http2Options, Http2Session};

use crate::hyper_taking;

#[tokio::test]
async fn axums_graceful_shutdown_closes_every_socket_with_1001_and_waits_for_them() {
    let tracker = Tracker::new();
    let handler = async |upgrade: Upgrade| {
        upgrade.accept(async |mut connection| {
            connection.run(|message, outbox| outbox.send(message)).await?;
            // What a handler still has to do is waited for.
            tokio::time::sleep(Duration::from_millis(50)).await;
            Ok::<_, Error>(())
        })
    };
    let router = Router::new()
        .route("/ws", any(handler))
        .route("/", get(async || "hello"))
        .layer(Extension(AcceptOptions::default().tracker(&tracker)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ws", listener.local_addr().unwrap());
    let (signal, told) = watch::channel(());
    let mut tell = told.clone();
    let told = async move { _ = { told }.changed().await };
    let closing = tracker.clone();
    let closed = async move {
        _ = tell.changed().await;
        closing.shutdown(Duration::from_secs(60)).await
    };
    // At once: over HTTP/2, axum waits for the WebSockets.
    let serving = tokio::spawn(async move {
        let served = axum::serve(listener, router).with_graceful_shutdown(told).into_future();
        tokio::join!(served, closed)
    });
    let mut clients = Vec::new();
    #[cfg(feature = "http2")]
    let session = {
        let (options, http2) = (ConnectOptions::default(), Http2Options::default());
        Http2Session::new(&*url, &options, http2).unwrap()
    };
    for number in 0..100 {
        let opened = match number % 2 {
            #[cfg(feature = "http2")]
            0 => session.open("/ws", &ConnectOptions::default()).await,
            _ => connect(&url).await,
        };
        let (mut client, _) = opened.unwrap();
        client.send("hello").await.unwrap();
        assert_eq!(client.recv().await.unwrap(), Some("hello".into()));
        clients.push(client);
    }
    assert_eq!(tracker.len(), 100);
    signal.send(()).unwrap();
    for client in &mut clients {
        assert_eq!(client.recv().await.unwrap(), None);
        assert_eq!(client.close_frame().unwrap().code(), CloseCode::GOING_AWAY);
    }
    let (served, shutdown) = serving.await.unwrap();
    served.unwrap();
    assert_eq!((shutdown.closed, shutdown.cut), (100, vec![]));
}

#[tokio::test]
async fn behind_hyper_a_socket_that_does_not_answer_is_cut_and_counted() {
    let tracker = Tracker::new();
    let (server, mut taken) = hyper_taking(AcceptOptions::default().tracker(&tracker)).await;
    let (silent, _) = connect(&format!("ws://{server}/")).await.unwrap();
    let mut connection = taken.recv().await.unwrap().unwrap();
    let address = connection.peer_addr();
    let served = tokio::spawn(async move { connection.recv().await });
    let shutdown = tracker.shutdown(Duration::from_millis(50)).await;
    assert_eq!((shutdown.closed, shutdown.cut), (0, vec![address]));
    assert!(matches!(served.await.unwrap(), Err(Error::Cut(None))));
    drop(silent);
    assert!(tracker.is_empty());
}
