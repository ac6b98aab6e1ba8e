//! What `tracing` is told of connections.
#![cfg(feature = "tracing")]

#[path = "support"]
mod support {
    #[expect(dead_code, reason = "these tests need few faults")]
    pub(crate) mod exchange;
}

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::TcpStream;
use tokio::time::sleep;
use tracing::field::{Field, Visit};
use tracing::instrument::WithSubscriber;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use ws_tokio::{
    AcceptOptions, CloseCode, ConnectOptions, Connection, Hub, HubOptions, Negotiated, Role,
    Server, Settings, pipe, pipe_with,
};

use support::exchange::Exchange;

/// Writes down what it is told, a line for each event, spans too.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// What was told while `act` ran.
    async fn of<F: Future>(act: F) -> (F::Output, Vec<String>) {
        let log = Self::default();
        let output = act.with_subscriber(log.clone()).await;
        let lines = log.0.lock().expect("no panic").clone();
        (output, lines)
    }

    fn line(&self, metadata: &Metadata<'_>, fields: String) {
        assert_eq!(metadata.target(), "ws_tokio");
        self.0.lock().expect("no panic").push(format!("{}{fields}", metadata.level()));
    }
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            // How long it took.
            "after" => Ok(()),
            "message" => write!(self.0, " {value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        }
        .expect("a string takes it");
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("ws_tokio")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = Fields(format!(" span {}", span.metadata().name()));
        span.record(&mut fields);
        self.line(span.metadata(), fields.0);
        Id::from_u64(1)
    }

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields(String::new());
        event.record(&mut fields);
        self.line(event.metadata(), fields.0);
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// A connection, and the raw end of its peer.
fn connection(role: Role, settings: Settings) -> (Connection<DuplexStream>, DuplexStream) {
    let (stream, peer) = duplex(4096);
    let negotiated = Negotiated::default();
    (Connection::from_upgraded(stream, role, BytesMut::new(), negotiated, settings), peer)
}

#[tokio::test]
async fn a_connection_from_its_handshake_to_its_end() {
    let talk = async {
        let connect = ConnectOptions::default().subprotocols(["chat"]);
        let accept = AcceptOptions::default().subprotocols(["chat"]);
        let (mut client, mut server) = pipe_with(&connect, &accept, 4096).await.unwrap();
        client.send("hello").await.unwrap();
        server.recv().await.unwrap();
        let (closed, received) = tokio::join!(client.close(CloseCode::NORMAL, ""), server.recv());
        closed.unwrap();
        received.unwrap();
    };
    let ((), mut lines) = Log::of(talk).await;
    lines.sort();
    let once_for_each = [
        "DEBUG close queued code=1000",
        "DEBUG close queued code=1000",
        "DEBUG close received code=1000",
        "DEBUG close received code=1000",
        "DEBUG connected subprotocol=\"chat\"",
        "DEBUG connection ended code=1000 by=\"peer\"",
        "DEBUG connection ended code=1000 by=\"us\"",
        "DEBUG handshake accepted subprotocol=\"chat\"",
    ];
    assert_eq!(lines, once_for_each, "and nothing of the message");
}

#[tokio::test]
async fn a_violation_with_what_it_was() {
    let (mut connection, mut peer) = connection(Role::Server, Settings::default());
    peer.write_all(&[0x81, 0x00]).await.unwrap();
    peer.shutdown().await.unwrap();
    let (error, lines) = Log::of(connection.recv()).await;
    let error = error.unwrap_err();
    let ended = format!("DEBUG connection ended code=1002 by=\"us\" error={error}");
    let told = ["DEBUG close queued code=1002", &ended];
    assert_eq!(lines, told);
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_and_its_heartbeat() {
    let second = Duration::from_secs(1);
    let settings = Settings::default().heartbeat(second, second);
    let (mut connection, _peer) = connection(Role::Client, settings);
    let (error, lines) = Log::of(connection.recv()).await;
    let error = error.unwrap_err();
    let ended = format!("DEBUG connection ended code=1006 error={error}");
    let told = ["TRACE heartbeat ping queued", &ended];
    assert_eq!(lines, told);
}

#[tokio::test]
async fn a_handshake_that_fails_at_both_ends() {
    let (mut client, stream) = duplex(4096);
    client.write_all(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n").await.unwrap();
    client.shutdown().await.unwrap();
    let (error, lines) = Log::of(ws_tokio::accept(stream)).await;
    let why = error.unwrap_err();
    assert_eq!(lines, [format!("DEBUG handshake not accepted status=426 why={why}")]);

    let (stream, mut server) = duplex(4096);
    server.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    let options = ConnectOptions::default();
    let (error, lines) = Log::of(options.connect_over(stream, "ws://here/")).await;
    let why = error.unwrap_err();
    assert_eq!(lines, [format!("DEBUG not connected why={why}")]);
    _ = server.read(&mut [0; 1024]).await;
}

#[tokio::test]
async fn a_served_connection_has_a_span_with_its_peers_address() {
    let serve = async {
        let server = Server::bind("127.0.0.1:0").await.unwrap();
        let address = server.local_addr().unwrap();
        let serving = server.serve(|mut connection| async move { _ = connection.recv().await });
        let client = async {
            let stream = TcpStream::connect(address).await.unwrap();
            let near = stream.local_addr().unwrap();
            let url = format!("ws://{address}/");
            let (mut client, _) =
                ConnectOptions::default().connect_over(stream, &url).await.unwrap();
            client.close(CloseCode::NORMAL, "").await.unwrap();
            near
        };
        tokio::select! {
            () = serving => unreachable!("it serves for ever"),
            near = client => near,
        }
    };
    let (near, lines) = Log::of(serve).await;
    let span = format!("DEBUG span connection peer={near}");
    assert!(lines.contains(&span), "{lines:?}");
}

#[tokio::test]
async fn a_connection_that_is_dropped_in_the_middle() {
    let drops = async {
        let (connection, _peer) = connection(Role::Server, Settings::default());
        drop(connection);
    };
    assert_eq!(Log::of(drops).await.1, ["DEBUG connection dropped"]);
}

#[tokio::test]
async fn nothing_is_told_per_message() {
    let (mut client, mut server) = pipe().await;
    let talk = async {
        for _ in 0..10 {
            client.send("hello").await.unwrap();
            server.recv().await.unwrap();
            _ = client.ping().unwrap();
            client.flush().await.unwrap();
        }
    };
    assert_eq!(Log::of(talk).await.1, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_goes_and_comes_and_what_it_drops_in_one_line() {
    let log = Log::default();
    // The hub's task is none of this one's: it sees what is set for the thread.
    let _guard = tracing::subscriber::set_default(log.clone());
    let exchange = Exchange::default();
    let hub = Hub::over(exchange.node(0), HubOptions::default().max_waiting(1, 1 << 20));
    exchange.connect(0);
    sleep(Duration::from_millis(1)).await;
    exchange.cut(0);
    sleep(Duration::from_millis(1)).await;
    for _ in 0..1000 {
        hub.publish("a", "1");
    }
    exchange.connect(0);
    sleep(Duration::from_secs(10)).await;
    let expected = [
        "INFO bus connected",
        "WARN bus disconnected: messages for other nodes wait",
        "INFO bus connected",
        "WARN messages for other nodes were dropped dropped=999",
    ];
    assert_eq!(*log.0.lock().expect("no panic"), expected);
}
