//! HTTP/2: what a thousand WebSockets on one connection hold, of which some are never read, and that it is given back.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::duplex;
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};
use ws_tokio::{AcceptOptions, ConnectOptions, Connection, Http2Options, Http2Session};

use crate::counting::{held, take_peak};
use crate::runtime;

const MINUTE: Duration = Duration::from_secs(60);
const WEBSOCKETS: usize = 1000;
const UNREAD: usize = 10;
/// For one stream: a window that is full, a send buffer, and the queue of the connection that fills them, whose capacity has doubled.
const FOR_UNREAD: isize = (64 << 10) + (64 << 10) + (2 << 20);

/// A session with a server that doesn't read for a minute what is sent to `/stall`, and echoes elsewhere. Both are on this thread.
fn session(http2: Http2Options) -> Http2Session {
    let (near, far) = duplex(256 << 10);
    tokio::spawn(async move {
        let serve = async |incoming: ws_tokio::Incoming<_>| {
            let stalls = incoming.request().uri().path() == "/stall";
            let accepting = Box::pin(incoming.accept());
            let Ok(mut connection) = accepting.await else { return };
            if stalls {
                return sleep(MINUTE).await;
            }
            _ = connection.run(|message, outbox| outbox.send(message)).await;
        };
        _ = AcceptOptions::default().serve_http2(far, &http2, serve).await;
    });
    let near = Arc::new(Mutex::new(Some(near)));
    let options = ConnectOptions::default().dialer(move |_| {
        let near = near.clone();
        async move { Ok(near.lock().await.take().expect("dialed once")) }
    });
    Http2Session::new("ws://server", &options, http2).expect("a URL")
}

async fn open(session: &Http2Session, path: &str) -> Connection {
    session.open(path, &ConnectOptions::default()).await.expect("a WebSocket").0
}

async fn echo(connection: &mut Connection) {
    connection.send(vec![7; 1024]).await.expect("sent");
    let echoed = connection.recv().await.expect("received").expect("a message");
    assert_eq!(echoed.into_bytes().len(), 1024);
}

#[test]
fn of_a_thousand_websockets_ten_that_nobody_reads_hold_their_windows_and_the_others_go_on() {
    let http2 = Http2Options::default().max_streams(WEBSOCKETS as u32).stream_window(64 << 10);
    runtime().block_on(async {
        let session = session(http2);
        let mut all = Vec::with_capacity(WEBSOCKETS);
        for _ in 0..WEBSOCKETS - UNREAD {
            let mut connection = open(&session, "/").await;
            echo(&mut connection).await;
            all.push(connection);
        }
        let idle = held();
        let mut unread = Vec::with_capacity(UNREAD);
        for _ in 0..UNREAD {
            let mut connection = open(&session, "/stall").await;
            let filling = async { while connection.feed(vec![7; 1024]).await.is_ok() {} };
            assert!(timeout(Duration::from_millis(50), filling).await.is_err(), "it has to wait");
            unread.push(connection);
        }
        let for_unread = held() - idle;
        assert!(for_unread < UNREAD as isize * FOR_UNREAD, "{for_unread}");
        take_peak();
        let before = held();
        for _ in 0..5 {
            for connection in &mut all {
                echo(connection).await;
            }
        }
        let (grown, peak) = (held() - before, take_peak() - before);
        assert!(grown < 64 << 10 && peak < 1 << 20, "{grown}, {peak} in between");
    });
}

#[test]
fn streams_that_end_or_are_dropped_give_all_back() {
    runtime().block_on(async {
        let session = session(Http2Options::default());
        // So that the connection stays.
        let _open = open(&session, "/").await;
        let round = async || {
            for number in 0..50 {
                let path = if number % 2 == 0 { "/" } else { "/stall" };
                let mut connection = open(&session, path).await;
                match number % 4 {
                    0 => {
                        echo(&mut connection).await;
                        connection.close(ws_tokio::CloseCode::NORMAL, "").await.expect("closed");
                    }
                    1 => {
                        let filling =
                            async { while connection.send(vec![7; 16 << 10]).await.is_ok() {} };
                        assert!(timeout(Duration::from_millis(5), filling).await.is_err());
                    }
                    2 => connection.feed(vec![7; 300 << 10]).await.expect("room"),
                    _ => {}
                }
            }
            // Until what lingers is gone, and the server has dropped its own.
            sleep(2 * MINUTE).await;
            held()
        };
        // The first ones fill pools and tables.
        let (_, first) = (round().await, round().await);
        let second = round().await;
        assert!(second - first < 16 << 10, "{first} bytes, then {second}");
    });
}
