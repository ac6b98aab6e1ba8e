//! Serving TCP, within bounds.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use ws_tokio::http::StatusCode;
use ws_tokio::{
    AcceptOptions, CloseCode, ConnectOptions, Connection, Server, Tracker, Transport, connect,
};

/// How long nothing must happen to be taken for never. No test fails for being slow.
const NEVER: Duration = Duration::from_millis(100);

/// Starts an echo server; its URL, and how many connections are with its handler.
async fn start(server: Server) -> (String, Arc<AtomicUsize>) {
    let url = format!("ws://{}/", server.local_addr().expect("an address"));
    let (inside, counter) = (Arc::new(AtomicUsize::new(0)), Arc::new(()));
    let handled = inside.clone();
    tokio::spawn(server.serve(move |mut connection: Connection<TcpStream>| {
        let (handled, _counter) = (handled.clone(), counter.clone());
        async move {
            handled.fetch_add(1, Ordering::SeqCst);
            assert!(connection.peer_addr().is_some());
            assert!(connection.get_ref().nodelay().expect("a socket"));
            _ = connection.run(|message, outbox| outbox.send(message)).await;
            handled.fetch_sub(1, Ordering::SeqCst);
        }
    }));
    (url, inside)
}

async fn talk(connection: &mut Connection<Transport>) {
    connection.send("hello").await.expect("sent");
    assert_eq!(connection.recv().await.expect("received"), Some("hello".into()));
}

async fn local() -> Server {
    Server::bind("127.0.0.1:0").await.expect("a listener")
}

#[tokio::test]
async fn a_served_connection_has_no_delay_set_and_knows_its_peer() {
    let (url, inside) = start(local().await).await;
    let mut connection = connect(&url).await.unwrap().0;
    talk(&mut connection).await;
    assert_eq!(inside.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn connections_over_the_cap_wait_until_one_ends() {
    let (url, _) = start(local().await.max_connections(2)).await;
    let mut first = connect(&url).await.unwrap().0;
    let mut second = connect(&url).await.unwrap().0;
    talk(&mut first).await;
    talk(&mut second).await;
    let third = tokio::spawn(async move { connect(&url).await.unwrap().0 });
    tokio::time::sleep(NEVER).await;
    assert!(!third.is_finished(), "it waits in the backlog");
    first.close(CloseCode::NORMAL, "").await.unwrap();
    talk(&mut third.await.unwrap()).await;
}

#[tokio::test]
async fn silent_peers_take_handshakes_only_until_their_deadline() {
    let options = AcceptOptions::default().handshake_timeout(NEVER);
    let server = local().await.options(options).max_handshakes(1);
    let address = server.local_addr().unwrap();
    let (url, _) = start(server).await;
    let mut silent = TcpStream::connect(address).await.unwrap();
    talk(&mut ConnectOptions::default().connect(&url).await.unwrap().0).await;
    assert_eq!(silent.read(&mut [0; 16]).await.unwrap(), 0, "it was closed without a word");
}

#[tokio::test]
async fn one_bad_handshake_touches_no_other_connection() {
    let server = local().await;
    let address = server.local_addr().unwrap();
    let (url, _) = start(server).await;
    let mut good = connect(&url).await.unwrap().0;
    let mut bad = TcpStream::connect(address).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut bad, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    timeout(Duration::from_secs(10), bad.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 426"), "{answer}");
    talk(&mut good).await;
}

#[tokio::test]
async fn a_request_can_be_looked_at_before_it_is_accepted_or_refused() {
    let server = local().await;
    let url = format!("ws://{}", server.local_addr().unwrap());
    tokio::spawn(server.serve_incoming(|incoming| async move {
        match incoming.request().uri().path() {
            "/echo" => {
                let mut connection = incoming.accept().await.expect("the peer is there");
                _ = connection.run(|message, outbox| outbox.send(message)).await;
            }
            _ => incoming.refuse(StatusCode::NOT_FOUND, "no such path").await,
        }
    }));
    talk(&mut connect(&format!("{url}/echo")).await.unwrap().0).await;
    let refused = connect(&format!("{url}/other")).await.unwrap_err();
    assert_eq!(refused.status(), Some(StatusCode::NOT_FOUND));
}

#[tokio::test]
async fn while_a_server_goes_down_who_comes_late_is_refused_with_503() {
    let server = local().await;
    let url = format!("ws://{}/", server.local_addr().unwrap());
    let tracker = Tracker::new();
    let options = AcceptOptions::default().tracker(&tracker);
    let (signal, signalled) = oneshot::channel::<()>();
    let serving = server
        .options(options)
        .serve(async |mut connection| connection.run(|message, outbox| outbox.send(message)).await)
        .with_graceful_shutdown(signalled, Duration::from_secs(60));
    let serving = tokio::spawn(serving);
    let mut early = connect(&url).await.unwrap().0;
    talk(&mut early).await;
    signal.send(()).unwrap();
    tracker.closing().await;
    let late = connect(&url).await.unwrap_err();
    assert_eq!(late.status(), Some(StatusCode::SERVICE_UNAVAILABLE));
    assert_eq!(early.recv().await.unwrap(), None);
    assert_eq!(early.close_frame().unwrap().code(), CloseCode::GOING_AWAY);
    let shutdown = serving.await.unwrap();
    assert_eq!((shutdown.closed, shutdown.cut), (1, vec![]));
}

#[tokio::test]
async fn a_server_that_goes_down_counts_whom_it_cuts() {
    let server = local().await;
    let url = format!("ws://{}/", server.local_addr().unwrap());
    let serving = tokio::spawn(
        server
            .serve(async |mut connection| _ = connection.recv().await)
            .with_graceful_shutdown(sleep(Duration::from_millis(50)), Duration::from_millis(50)),
    );
    // It never answers the close frame.
    let silent = connect(&url).await.unwrap().0;
    let Transport::Tcp(stream) = silent.get_ref() else { panic!("not TCP") };
    let address = stream.local_addr().unwrap();
    let shutdown = serving.await.unwrap();
    assert_eq!((shutdown.closed, shutdown.cut), (0, vec![Some(address)]));
}
