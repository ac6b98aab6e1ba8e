//! How streams end: close frames both ways, END_STREAM, and resets that overtake neither.

use std::time::Duration;

use bytes::Bytes;
use h2::Reason;
use tokio::sync::oneshot;
use tokio::time::timeout;
use ws_tokio::{AcceptOptions, CloseCode, Connection, Error, Http2Options, Server, Tracker};

use crate::peer::{self, client, frame, read_exact, read_to_end, websocket};
use crate::{echo_server, echoes, open, session};

const SOON: Duration = Duration::from_secs(5);

/// The close frame of an unmasked end, with this code.
fn close(code: u16) -> Vec<u8> {
    let [high, low] = code.to_be_bytes();
    vec![0x88, 2, high, low]
}

#[tokio::test]
async fn a_close_ends_both_sides_with_end_stream_and_no_reset() {
    let (address, _server) = echo_server(AcceptOptions::default()).await;
    let mut requests = client(address).await;
    let (mut send, mut recv) = websocket(&mut requests).await;
    send.send_data(frame(0x88, &1000_u16.to_be_bytes()), false).unwrap();
    assert_eq!(read_to_end(&mut recv).await.unwrap(), close(1000));
    assert!(recv.is_end_stream());
    send.send_data(Bytes::new(), true).unwrap();
    // The slot is free, and the connection goes on.
    let (_send, _recv) = websocket(&mut requests).await;
}

#[tokio::test]
async fn a_close_frame_is_not_overtaken_where_the_window_opens_late() {
    let (address, _server) = echo_server(AcceptOptions::default()).await;
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(3);
    let mut requests = peer::client_with(address, &builder).await;
    let (mut send, mut recv) = websocket(&mut requests).await;
    send.send_data(frame(0x88, &1000_u16.to_be_bytes()), true).unwrap();
    let first = recv.data().await.unwrap().unwrap();
    assert_eq!(first, close(1000)[..3]);
    // Longer than we linger for others.
    tokio::time::sleep(Duration::from_millis(600)).await;
    recv.flow_control().release_capacity(3).unwrap();
    assert_eq!(read_to_end(&mut recv).await.unwrap(), close(1000)[3..]);
    assert!(recv.is_end_stream(), "no reset");
}

#[tokio::test]
async fn a_client_closes_with_end_stream_and_no_reset() {
    let (mut connection, (mut send, mut recv)) = peer::opened().await;
    let closing = tokio::spawn(async move { connection.close(CloseCode::NORMAL, "").await });
    read_exact(&mut recv, 8).await;
    send.send_data(Bytes::from(close(1000)), true).unwrap();
    assert_eq!(read_to_end(&mut recv).await.unwrap(), b"");
    closing.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_client_ends_its_side_also_where_the_server_does_not() {
    let (mut connection, (mut send, mut recv)) = peer::opened().await;
    let closing = tokio::spawn(async move { connection.close(CloseCode::NORMAL, "").await });
    read_exact(&mut recv, 8).await;
    send.send_data(Bytes::from(close(1000)), false).unwrap();
    assert_eq!(read_to_end(&mut recv).await.unwrap(), b"", "the end, and no reset");
    closing.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_reset_is_a_cut() {
    let (mut connection, (mut send, _recv)) = peer::opened().await;
    send.send_reset(Reason::CANCEL);
    let error = connection.recv().await.unwrap_err();
    assert!(matches!(error, Error::Cut(_)), "{error:?}");
    let error = connection.send("late").await.unwrap_err();
    assert!(matches!(error, Error::Io(_)), "{error:?}");
}

#[tokio::test]
async fn an_end_without_a_close_frame_is_a_cut() {
    let (mut connection, (mut send, _recv)) = peer::opened().await;
    send.send_data(Bytes::from_static(&[0x81, 2, b'h']), true).unwrap();
    let error = connection.recv().await.unwrap_err();
    assert!(matches!(error, Error::Cut(None)), "{error:?}");
}

#[tokio::test]
async fn a_connection_that_is_dropped_is_reset_with_cancel_behind_what_was_sent() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    let server = server.http2(Http2Options::default());
    tokio::spawn(async move {
        server.serve(async |mut connection: Connection| connection.send("last words").await).await;
    });
    let mut requests = client(address).await;
    let (_send, mut recv) = websocket(&mut requests).await;
    assert_eq!(read_exact(&mut recv, 12).await, b"\x81\x0alast words");
    let error = recv.data().await.unwrap().unwrap_err();
    assert_eq!((error.is_reset(), error.reason()), (true, Some(Reason::CANCEL)));
}

#[tokio::test]
async fn a_request_that_nobody_answers_is_reset() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    let server = server.http2(Http2Options::default());
    tokio::spawn(async move { server.serve_incoming(async |incoming| drop(incoming)).await });
    let mut requests = client(address).await;
    let (response, _send) = requests.send_request(peer::request(), false).unwrap();
    assert_eq!(response.await.unwrap_err().reason(), Some(Reason::CANCEL));
}

#[tokio::test]
async fn a_violation_is_told_by_a_close_frame_before_the_end() {
    let (address, _server) = echo_server(AcceptOptions::default()).await;
    let mut requests = client(address).await;
    let (mut send, mut recv) = websocket(&mut requests).await;
    // Not masked.
    send.send_data(Bytes::from_static(&[0x81, 1, b'a']), false).unwrap();
    let last = read_to_end(&mut recv).await.unwrap();
    assert_eq!(last[2..4], 1002_u16.to_be_bytes());
}

#[tokio::test]
async fn a_shutdown_closes_each_websocket_with_1001_and_counts_them() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    let (signal, signalled) = oneshot::channel::<()>();
    let tracker = Tracker::new();
    let server = server.options(AcceptOptions::default().tracker(&tracker));
    let serving = server
        .http2(Http2Options::default())
        .serve(crate::echo)
        .with_graceful_shutdown(signalled, SOON);
    let serving = tokio::spawn(serving);
    let session = session(address);
    let mut connections = Vec::new();
    for _ in 0..10 {
        let mut connection = open(&session, "/").await;
        echoes(&mut connection, "hi").await;
        connections.push(connection);
    }
    assert_eq!(tracker.len(), 10);
    signal.send(()).unwrap();
    for mut connection in connections {
        assert_eq!(connection.recv().await.unwrap(), None);
        assert_eq!(connection.close_frame().unwrap().code(), CloseCode::GOING_AWAY);
    }
    let shutdown = timeout(SOON, serving).await.unwrap().unwrap();
    assert_eq!((shutdown.closed, shutdown.cut), (10, vec![]));
}

#[tokio::test]
async fn who_comes_late_is_refused_with_503_or_told_to_go_elsewhere() {
    let tracker = Tracker::new();
    let (address, _server) = echo_server(AcceptOptions::default().tracker(&tracker)).await;
    let session = session(address);
    let mut early = open(&session, "/").await;
    let shutdown = tokio::spawn({
        let tracker = tracker.clone();
        async move { tracker.shutdown(SOON).await }
    });
    tracker.closing().await;
    let late = session.open("/", &ws_tokio::ConnectOptions::default()).await.unwrap_err();
    assert_eq!(late.status().map(|status| status.as_u16()), Some(503), "{late}");
    assert_eq!(early.recv().await.unwrap(), None);
    assert_eq!(shutdown.await.unwrap().cut, vec![]);
}
