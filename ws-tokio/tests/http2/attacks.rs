//! Peers that flood, stall, or leave at each byte: bounded, and nothing is left of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use ws_tokio::{AcceptError, AcceptOptions, Http2Options, Incoming};

use crate::peer;

const SOON: Duration = Duration::from_secs(20);

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;

const END_HEADERS: u8 = 4;

/// A frame (RFC 9113, 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Bytes {
    let mut frame = BytesMut::new();
    frame.put_uint(payload.len() as u64, 3);
    frame.put_u8(kind);
    frame.put_u8(flags);
    frame.put_u32(stream);
    frame.put_slice(payload);
    frame.freeze()
}

/// An extended CONNECT for `/`, without any compression of headers (RFC 7541, 6.2.2).
fn connect_block() -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in [
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "http"),
        (":path", "/"),
        (":authority", "server"),
        ("sec-websocket-version", "13"),
    ] {
        block.push(0);
        for text in [name, value] {
            block.push(text.len() as u8);
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

fn opening() -> Vec<u8> {
    [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()
}

/// Its frames, by number.
type Flood<'a> = &'a dyn Fn(u32) -> Vec<u8>;

/// An echo server over memory; how many of its WebSockets are open.
fn server() -> (DuplexStream, JoinHandle<Result<(), AcceptError>>, Arc<AtomicUsize>) {
    let (near, far) = duplex(64 << 10);
    let open = Arc::new(AtomicUsize::new(0));
    let count = open.clone();
    let serving = tokio::spawn(async move {
        let serve = |incoming: Incoming<_>| {
            let count = count.clone();
            async move {
                count.fetch_add(1, Ordering::SeqCst);
                if let Ok(mut connection) = incoming.accept().await {
                    _ = connection.run(|message, outbox| outbox.send(message)).await;
                }
                count.fetch_sub(1, Ordering::SeqCst);
            }
        };
        AcceptOptions::default().serve_http2(far, &Http2Options::default(), serve).await
    });
    (near, serving, open)
}

/// Writes the flood until the server ends the connection or takes no more, and reads meanwhile or not. How much it took.
async fn flooded(mut near: DuplexStream, reads: bool, flood: impl Fn(u32) -> Vec<u8>) -> usize {
    near.write_all(&opening()).await.expect("taken");
    let (mut read, mut write) = tokio::io::split(near);
    let reading = tokio::spawn(async move {
        let mut forgotten = BytesMut::new();
        while reads && matches!(read.read_buf(&mut forgotten).await, Ok(1..)) {
            forgotten.clear();
        }
        // Else its half would be gone.
        if !reads {
            std::future::pending::<()>().await;
        }
    });
    let mut taken = 0;
    for number in 0.. {
        let flood = flood(number);
        match timeout(Duration::from_secs(1), write.write_all(&flood)).await {
            Ok(Ok(())) => taken += flood.len(),
            Ok(Err(_)) | Err(_) => break,
        }
        assert!(taken < 64 << 20, "it takes whatever comes");
    }
    reading.abort();
    taken
}

#[tokio::test]
async fn floods_of_frames_end_the_connection_or_wait() {
    let block = connect_block();
    let rapid_reset = |number: u32| {
        let stream = 2 * number + 1;
        let headers = frame(HEADERS, END_HEADERS, stream, &block);
        [headers, frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes())].concat()
    };
    let settings = |_| frame(SETTINGS, 0, 0, &[]).to_vec();
    let pings = |_| frame(PING, 0, 0, &[0; 8]).to_vec();
    let continuations = |number| match number {
        0 => frame(HEADERS, 0, 1, &block).to_vec(),
        _ => frame(CONTINUATION, 0, 1, &[0, 1, b'a', 1, b'b'].repeat(1000)).to_vec(),
    };
    let empty_data = |number| match number {
        0 => frame(HEADERS, END_HEADERS, 1, &block).to_vec(),
        _ => frame(0, 0, 1, &[]).to_vec(),
    };
    let floods: [(&str, bool, Flood<'_>); 6] = [
        ("resets", true, &rapid_reset),
        ("continuations", true, &continuations),
        ("empty frames", true, &empty_data),
        ("settings, unread", false, &settings),
        ("pings, unread", false, &pings),
        ("resets, unread", false, &rapid_reset),
    ];
    for (name, reads, flood) in floods {
        let (near, serving, open) = server();
        let taken = flooded(near, reads, flood).await;
        assert!(taken < 8 << 20, "{name}: {taken}");
        let ended = timeout(SOON, serving).await;
        assert!(ended.is_ok(), "{name}: still served");
        let none_open = async {
            while open.load(Ordering::SeqCst) > 0 {
                tokio::task::yield_now().await;
            }
        };
        timeout(SOON, none_open).await.expect(name);
    }
}

#[tokio::test]
async fn a_peer_that_leaves_at_any_byte_leaves_nothing_behind() {
    let message = peer::frame(0x81, b"hello");
    let close = peer::frame(0x88, &1000_u16.to_be_bytes());
    let all = [
        &opening()[..],
        &frame(SETTINGS, 1, 0, &[]),
        &frame(HEADERS, END_HEADERS, 1, &connect_block()),
        &frame(0, 0, 1, &message),
        &frame(HEADERS, END_HEADERS, 3, &connect_block()),
        &frame(RST_STREAM, 0, 3, &8_u32.to_be_bytes()),
        &frame(0, 1, 1, &close),
    ]
    .concat();
    for end in 0..=all.len() {
        let (mut near, serving, open) = server();
        near.write_all(&all[..end]).await.unwrap();
        if end % 2 == 0 {
            // It has answered then, as far as it could.
            tokio::task::yield_now().await;
        }
        drop(near);
        _ = timeout(SOON, serving).await.expect("it ends").expect("no panic");
        let none_open = async {
            while open.load(Ordering::SeqCst) > 0 {
                tokio::task::yield_now().await;
            }
        };
        timeout(SOON, none_open).await.unwrap_or_else(|_| panic!("left at {end}"));
    }
}

#[tokio::test]
async fn a_client_that_says_it_goes_away_keeps_the_websockets_it_has() {
    let (mut near, _serving, open) = server();
    let goaway = frame(GOAWAY, 0, 0, &[0; 8]);
    let opened = frame(HEADERS, END_HEADERS, 1, &connect_block());
    let message = frame(0, 0, 1, &peer::frame(0x81, b"hello"));
    near.write_all(&[&opening()[..], &opened, &goaway, &message].concat()).await.unwrap();
    let echoed = async {
        loop {
            let mut head = [0; 9];
            near.read_exact(&mut head).await.unwrap();
            let length = usize::from(head[1]) << 8 | usize::from(head[2]);
            let mut payload = vec![0; length];
            near.read_exact(&mut payload).await.unwrap();
            if head[3] == 0 {
                return payload;
            }
        }
    };
    assert_eq!(timeout(SOON, echoed).await.unwrap(), b"\x81\x05hello");
    assert_eq!(open.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn bytes_that_are_no_http2_end_the_connection() {
    let (mut near, serving, _) = server();
    near.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let error = timeout(SOON, serving).await.unwrap().unwrap().unwrap_err();
    assert!(matches!(error, AcceptError::Io(_)), "{error}");
    let (mut near, serving, _) = server();
    near.write_all(&[&opening()[..], &frame(HEADERS, END_HEADERS, 2, &[0xff; 100])].concat())
        .await
        .unwrap();
    timeout(SOON, serving).await.unwrap().unwrap().unwrap();
}
