//! One message to many connections over TCP. One iteration is the message to one connection: what takes the bytes off the
//! sockets again isn't timed.

use std::convert::identity;
use std::io::Read;
use std::iter::repeat_with;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::Criterion;
use fastwebsockets::{Frame, Payload, WebSocket};
use futures_util::{FutureExt, SinkExt};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite;
use ws_core::PreparedMessage;
use ws_tokio::{Connection, Message, Negotiated, Role, Settings};

use crate::echo::runtime;

const CONNECTIONS: usize = 1000;

pub(super) fn over_tcp(criterion: &mut Criterion) {
    for size in [100, 1024, 16_384] {
        let payload = Bytes::from(ws_benches::load::raw::payload(size));
        let frame = frame(&payload);
        let mut broadcast = Broadcast { criterion, frame: &frame };
        broadcast.measure("a bare write", identity, async |stream| {
            stream.write_all(&frame).await.expect("open");
        });
        let prepared = PreparedMessage::new(Message::Binary(payload.clone()));
        broadcast.measure("ws-tokio prepared", ours, async |ws| {
            ws.send_prepared(&prepared).await.expect("open");
        });
        broadcast.measure("ws-tokio send", ours, async |ws| {
            ws.send(Message::Binary(payload.clone())).await.expect("open");
        });
        let sockudo =
            |stream| sockudo_ws::WebSocketStream::server(stream, sockudo_ws::Config::default());
        broadcast.measure("sockudo-ws", sockudo, async |ws| {
            ws.send(sockudo_ws::Message::Binary(payload.clone())).await.expect("open");
        });
        let yawc = |stream| {
            let options = yawc::Options::default().without_compression();
            yawc::WebSocket::from_stream(stream, yawc::Role::Server, options).expect("no extension")
        };
        broadcast.measure("yawc", yawc, async |ws| {
            ws.send(yawc::Frame::binary(payload.clone())).await.expect("open");
        });
        let fastwebsockets =
            |stream| WebSocket::after_handshake(stream, fastwebsockets::Role::Server);
        broadcast.measure("fastwebsockets", fastwebsockets, async |ws| {
            ws.write_frame(Frame::binary(Payload::Borrowed(&payload))).await.expect("open");
        });
        let tokio_websockets = |stream| tokio_websockets::ServerBuilder::new().serve(stream);
        broadcast.measure("tokio-websockets", tokio_websockets, async |ws| {
            ws.send(tokio_websockets::Message::binary(payload.clone())).await.expect("open");
        });
        let tungstenite = |stream| {
            let role = tungstenite::protocol::Role::Server;
            let made = tokio_tungstenite::WebSocketStream::from_raw_socket(stream, role, None);
            made.now_or_never().expect("it waits for nothing")
        };
        broadcast.measure("tokio-tungstenite", tungstenite, async |ws| {
            ws.send(tungstenite::Message::Binary(payload.clone())).await.expect("open");
        });
    }
}

fn ours(stream: TcpStream) -> Connection<TcpStream> {
    let (negotiated, settings) = (Negotiated::default(), Settings::default());
    Connection::from_upgraded(stream, Role::Server, Default::default(), negotiated, settings)
}

/// The message as a server sends it.
fn frame(payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x82];
    match payload.len() {
        short @ 0..126 => frame.push(short as u8),
        long => {
            frame.push(126);
            frame.extend((long as u16).to_be_bytes());
        }
    }
    frame.extend(payload);
    frame
}

struct Broadcast<'a> {
    criterion: &'a mut Criterion,
    frame: &'a [u8],
}

impl Broadcast<'_> {
    /// Times `send` to connections that `make` made, in turn.
    fn measure<C>(
        &mut self,
        name: &str,
        make: impl Fn(TcpStream) -> C,
        mut send: impl AsyncFnMut(&mut C),
    ) {
        let runtime = runtime();
        let _inside = runtime.enter();
        // Made when it is first measured: whoever asks for other benchmarks doesn't wait for it.
        let mut connected = None;
        let frame = self.frame;
        let mut group = self.criterion.benchmark_group(format!("broadcast {} B", frame.len()));
        group.bench_function(name, |bencher| {
            let (servers, clients) = connected.get_or_insert_with(|| {
                let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
                let pair = || {
                    let (server, client) = pair(&listener);
                    (make(server), client)
                };
                repeat_with(pair).take(CONNECTIONS).unzip::<_, _, Vec<_>, Vec<_>>()
            });
            bencher.iter_custom(|iterations| {
                let (mut time, mut left) = (Duration::ZERO, iterations as usize);
                while left > 0 {
                    let now = left.min(CONNECTIONS);
                    let start = Instant::now();
                    runtime.block_on(async {
                        for server in &mut servers[..now] {
                            send(server).await;
                        }
                    });
                    time += start.elapsed();
                    clients[..now].iter_mut().for_each(|client| drain(client, frame));
                    left -= now;
                }
                time
            });
        });
    }
}

/// Both ends of a TCP connection.
fn pair(listener: &TcpListener) -> (TcpStream, std::net::TcpStream) {
    let address = listener.local_addr().expect("it is bound");
    let client = std::net::TcpStream::connect(address).expect("it listens");
    let (server, _) = listener.accept().expect("a client");
    server.set_nonblocking(true).expect("a socket");
    server.set_nodelay(true).expect("a socket");
    (TcpStream::from_std(server).expect("a runtime"), client)
}

fn drain(client: &mut std::net::TcpStream, frame: &[u8]) {
    let mut received = vec![0; frame.len()];
    client.read_exact(&mut received).expect("open");
    assert!(received == frame, "the message came different");
}
