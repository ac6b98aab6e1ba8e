//! Flow control: a slow reader stops its own stream and no other, nothing is buffered beyond window and limits, and what is dropped
//! gives all back.

use std::io::ErrorKind;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::timeout;
use ws_tokio::{
    AcceptOptions, ConnectOptions, Connection, Error, Http2Options, Http2Session, Message, Server,
    Settings,
};

use crate::peer::{self, client, frame, read_exact, websocket};
use crate::{echo_server, echoes, open};

const SOON: Duration = Duration::from_secs(20);

/// A server whose connections at `/stall` are never read, and echo elsewhere.
async fn stalling_server(http2: Http2Options) -> std::net::SocketAddr {
    let server = Server::bind("127.0.0.1:0").await.expect("a listener");
    let address = server.local_addr().expect("an address");
    let server = server.http2(http2);
    tokio::spawn(async move {
        server
            .serve_incoming(async |incoming| {
                let stalls = incoming.request().uri().path() == "/stall";
                let mut connection = incoming.accept().await.expect("a client that stays");
                if stalls {
                    std::future::pending::<()>().await;
                }
                connection.run(|message, outbox| outbox.send(message)).await
            })
            .await;
    });
    address
}

#[tokio::test]
async fn connections_that_nobody_reads_stop_no_other() {
    let http2 = Http2Options::default().max_streams(200).stream_window(64 << 10);
    let address = stalling_server(http2).await;
    let options = ConnectOptions::default();
    let session = Http2Session::new(format!("ws://{address}"), &options, http2).unwrap();
    // More of them than one window of 64 KiB, or the 1 MiB of most servers, for all streams together would bear.
    let mut stalled = Vec::new();
    for _ in 0..40 {
        let mut connection = open(&session, "/stall").await;
        let filling = async { while connection.send(vec![7; 16 << 10]).await.is_ok() {} };
        assert!(timeout(Duration::from_millis(20), filling).await.is_err(), "it must wait");
        stalled.push(connection);
    }
    let mut others = Vec::new();
    for _ in 0..10 {
        others.push(open(&session, "/").await);
    }
    for round in 0..10 {
        for connection in &mut others {
            let echoed = timeout(SOON, echoes(connection, &"x".repeat(20_000 + round))).await;
            echoed.expect("in time");
        }
    }
}

#[tokio::test]
async fn many_small_messages_that_nobody_reads_stop_no_other() {
    let http2 = Http2Options::default();
    let address = stalling_server(http2).await;
    let session = crate::session(address);
    let mut stalled = Vec::new();
    for _ in 0..20 {
        let mut connection = open(&session, "/stall").await;
        // A DATA frame each.
        for _ in 0..2000 {
            connection.send("a message of 20 byte").await.unwrap();
        }
        stalled.push(connection);
    }
    echoes(&mut open(&session, "/").await, "still there").await;
}

#[tokio::test]
async fn a_writer_waits_for_the_peers_window_and_its_wait_is_bounded() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    let settings = Settings::default().write_timeout(Duration::from_millis(200));
    let server = server.options(AcceptOptions::default().settings(settings));
    let server = server.http2(Http2Options::default());
    let (sent, mut told) = tokio::sync::mpsc::channel(1);
    tokio::spawn(async move {
        server
            .serve(move |mut connection: Connection| {
                let sent = sent.clone();
                async move { _ = sent.send(connection.send(vec![7; 1 << 20]).await).await }
            })
            .await;
    });
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(0);
    let mut requests = peer::client_with(address, &builder).await;
    let (mut send, mut recv) = websocket(&mut requests).await;
    let error = timeout(SOON, told.recv()).await.unwrap().unwrap().unwrap_err();
    assert!(matches!(&error, Error::Io(it) if it.kind() == ErrorKind::TimedOut), "{error:?}");
    // What was not sent is given up, and so is the stream.
    let error = timeout(SOON, recv.data()).await.unwrap().unwrap().unwrap_err();
    assert!(error.is_reset(), "{error}");
    _ = send.send_data(Bytes::new(), true);
}

#[tokio::test]
async fn a_window_is_given_back_as_bytes_are_taken() {
    let (address, _server) = echo_server(AcceptOptions::default()).await;
    let mut requests = client(address).await;
    let (mut send, mut recv) = websocket(&mut requests).await;
    // Ten windows of the default.
    for _ in 0..160 {
        let message = frame(0x82, &[7; 16 << 10]);
        send.reserve_capacity(message.len());
        while send.capacity() < message.len() {
            std::future::poll_fn(|cx| send.poll_capacity(cx)).await.unwrap().unwrap();
        }
        send.send_data(message, false).unwrap();
        read_exact(&mut recv, 4 + (16 << 10)).await;
    }
}

#[tokio::test]
async fn streams_that_are_dropped_at_any_point_free_their_slots() {
    let http2 = Http2Options::default().max_streams(1);
    let address = stalling_server(http2).await;
    let options = ConnectOptions::default();
    let session = Http2Session::new(format!("ws://{address}"), &options, http2).unwrap();
    for round in 0..20 {
        // While it is being opened, or before that.
        let opening = session.open("/stall", &options);
        _ = timeout(Duration::from_micros(50 * round), opening).await;
        // With more written than the window takes.
        let mut connection = open(&session, "/stall").await;
        let filling = async { while connection.send(vec![7; 64 << 10]).await.is_ok() {} };
        _ = timeout(Duration::from_millis(5), filling).await;
        drop(connection);
        let (reading, _half) = open(&session, "/").await.split();
        drop(reading);
    }
    timeout(SOON, async { echoes(&mut open(&session, "/").await, "hi").await }).await.unwrap();
}

#[tokio::test]
async fn a_burst_is_one_frame_and_so_is_a_header_with_its_payload() {
    let (mut connection, (_send, mut recv)) = peer::opened().await;
    for number in 0..100_u8 {
        connection.feed(vec![number; 20]).await.unwrap();
    }
    connection.flush().await.unwrap();
    assert_eq!(recv.data().await.unwrap().unwrap().len(), 100 * 26);
    connection.send(vec![7; 16_000]).await.unwrap();
    assert_eq!(recv.data().await.unwrap().unwrap().len(), 16_008);
}

#[tokio::test]
async fn a_large_message_is_received_through_a_small_window() {
    let (address, _server) = echo_server(AcceptOptions::default()).await;
    let http2 = Http2Options::default().stream_window(16 << 10).send_buffer(16 << 10);
    let options = ConnectOptions::default();
    let session = Http2Session::new(format!("ws://{address}"), &options, http2).unwrap();
    let connection = open(&session, "/").await;
    let message = Message::from(vec![7; 1 << 20]);
    let (mut recv, send) = connection.split();
    let sent = message.clone();
    let sending = tokio::spawn(async move { send.send(sent).await });
    assert_eq!(timeout(SOON, recv.recv()).await.unwrap().unwrap(), Some(message));
    sending.await.unwrap().unwrap();
    echoes(&mut open(&session, "/").await, "and another").await;
}
