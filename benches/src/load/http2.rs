//! Echoes over the streams of one HTTP/2 connection, as `echo` does it over TCP. A server may answer with the bytes that were sent:
//! then it is compared with those.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::client::{Builder, SendRequest};
use h2::ext::Protocol;
use h2::{RecvStream, SendStream};
use tokio::net::TcpStream;
use tokio::task::LocalSet;
use tokio::time::sleep;
use ws_tokio::http::{Method, Request, StatusCode, Version};

use super::raw::{Checker, masked, payload};
use super::{Process, Span, Took};

/// The shape of the load.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// How many streams of the connection.
    pub streams: usize,
    /// How many messages a stream sends before it takes the answers.
    pub in_flight: usize,
    /// Bytes of a message.
    pub size: usize,
}

/// Puts the load on a server, and says what it took.
///
/// # Errors
///
/// If the connection fails.
///
/// # Panics
///
/// If an answer is not what was sent.
pub fn run(address: SocketAddr, server: Process, shape: Shape, span: Span) -> io::Result<Took> {
    on_a_runtime(async {
        let answers = Rc::new(Cell::new(0));
        let session = connect(address).await?;
        for _ in 0..shape.streams {
            let mut stream = Stream::open(&session, shape).await?;
            let answers = answers.clone();
            tokio::task::spawn_local(async move {
                loop {
                    stream.burst().await;
                    answers.set(answers.get() + shape.in_flight as u64);
                }
            });
        }
        sleep(span.warm_up).await;
        let (start, cpu, before) = (Instant::now(), server.cpu(), answers.get());
        sleep(span.measured).await;
        Ok(Took {
            answers: answers.get() - before,
            cpu: server.cpu() - cpu,
            time: start.elapsed(),
            sent: 0,
        })
    })
}

/// Resident KiB per stream that echoed one KiB, of the streams of one connection.
///
/// # Errors
///
/// If the connection fails.
///
/// # Panics
///
/// If an answer is not what was sent.
pub fn idle(address: SocketAddr, server: Process, streams: usize) -> io::Result<f64> {
    const SHARED: usize = 100;
    let shape = Shape { streams, in_flight: 1, size: 1024 };
    on_a_runtime(async {
        let session = connect(address).await?;
        let mut held = Vec::new();
        let mut before = 0;
        for opened in 0..SHARED + streams {
            if opened == SHARED {
                sleep(Duration::from_millis(500)).await;
                before = server.resident_kib();
            }
            let mut stream = Stream::open(&session, shape).await?;
            stream.burst().await;
            held.push(stream);
        }
        sleep(Duration::from_millis(500)).await;
        Ok((server.resident_kib() - before) as f64 / streams as f64)
    })
}

fn on_a_runtime<T>(load: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, load)
}

async fn connect(address: SocketAddr) -> io::Result<SendRequest<Bytes>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut builder = Builder::new();
    builder.initial_window_size(1 << 20).initial_connection_window_size(1 << 30);
    let (session, connection) = builder.handshake(stream).await.map_err(io::Error::other)?;
    tokio::task::spawn_local(connection);
    while !session.is_extended_connect_protocol_enabled() {
        sleep(Duration::from_millis(1)).await;
    }
    Ok(session)
}

/// A WebSocket.
struct Stream {
    send: SendStream<Bytes>,
    recv: RecvStream,
    burst: Bytes,
    payload: Vec<u8>,
    in_flight: usize,
    checker: Checker,
}

impl Stream {
    async fn open(session: &SendRequest<Bytes>, shape: Shape) -> io::Result<Self> {
        let mut request = Request::new(());
        *request.method_mut() = Method::CONNECT;
        *request.version_mut() = Version::HTTP_2;
        *request.uri_mut() = "http://localhost/".parse().expect("a URI");
        request.headers_mut().insert("sec-websocket-version", "13".parse().expect("a value"));
        request.extensions_mut().insert(Protocol::from_static("websocket"));
        let mut session = session.clone().ready().await.map_err(io::Error::other)?;
        let asked = session.send_request(request, false).map_err(io::Error::other)?;
        let (response, send) = asked;
        let response = response.await.map_err(io::Error::other)?;
        assert_eq!(response.status(), StatusCode::OK, "not accepted");
        let (recv, payload) = (response.into_body(), payload(shape.size));
        let message = |i: usize| masked(&payload, 1, (0x9e37_79b9 ^ i as u32).to_ne_bytes());
        let burst: Vec<u8> = (0..shape.in_flight).flat_map(message).collect();
        let (burst, checker, in_flight) = (burst.into(), Checker::default(), shape.in_flight);
        Ok(Self { send, recv, burst, payload, in_flight, checker })
    }

    /// Sends the messages, and takes the answers.
    async fn burst(&mut self) {
        self.send.reserve_capacity(self.burst.len());
        while self.send.capacity() < self.burst.len() {
            let more = poll_fn(|cx| self.send.poll_capacity(cx)).await;
            more.expect("open").expect("a window");
        }
        self.send.send_data(self.burst.clone(), false).expect("open");
        let (mut answers, mut mirrored) = (0, 0);
        while answers < self.in_flight && mirrored < self.burst.len() {
            let chunk = self.recv.data().await.expect("not the end").expect("not reset");
            self.recv.flow_control().release_capacity(chunk.len()).expect("held");
            if mirrored > 0 || self.burst.starts_with(&chunk[..chunk.len().min(2)]) {
                assert_eq!(chunk, self.burst[mirrored..][..chunk.len()], "it came back different");
                mirrored += chunk.len();
            } else {
                answers += self.checker.take(&chunk, &self.payload);
            }
        }
    }
}
