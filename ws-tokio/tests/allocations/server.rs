//! Memory of the connections of a [`Server`](ws_tokio::Server), over TCP.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use tokio::runtime::Builder;
use tokio::task::yield_now;
use ws_tokio::{AcceptOptions, Connection, Server, Tracker};

use crate::counting::held;

/// Connections before those that are measured: until then, what all share has come to be.
const BEFORE: usize = 16;

const MEASURED: usize = 64;

/// What Tokio holds for a task and for its socket, and what the task holds.
const TASK_AND_SOCKET: usize = 656;

/// What a place in a tracker takes.
const PLACE: usize = 320;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

/// Opens a connection, and lets the server run until the client has its answer and the server waits.
async fn open(address: SocketAddr) -> TcpStream {
    let mut client = TcpStream::connect(address).expect("a connection");
    client.write_all(REQUEST).expect("it is open");
    client.set_nonblocking(true).expect("a socket");
    while client.read(&mut [0; 1024]).is_err() {
        yield_now().await;
    }
    for _ in 0..8 {
        yield_now().await;
    }
    client
}

/// Bytes for each connection of a server with these options.
fn each(options: AcceptOptions) -> usize {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let server = Server::bind("127.0.0.1:0").await.expect("a port").options(options);
        let address = server.local_addr().expect("an address");
        tokio::spawn(server.serve(async |mut connection: Connection<_>| {
            connection.run(|message, outbox| outbox.send(message)).await
        }));
        let mut clients = Vec::with_capacity(BEFORE + MEASURED);
        for _ in 0..BEFORE {
            clients.push(open(address).await);
        }
        let before = held();
        for _ in 0..MEASURED {
            clients.push(open(address).await);
        }
        usize::try_from(held() - before).expect("no less than before") / MEASURED
    })
}

#[test]
fn a_connection_of_a_server_that_waits_holds_its_task_its_socket_and_its_state() {
    let told = match (cfg!(feature = "metrics"), cfg!(feature = "tracing")) {
        (true, _) => 488,
        (false, true) => 32,
        (false, false) => 0,
    };
    let alone = each(AcceptOptions::default());
    let bound = 336 + told + TASK_AND_SOCKET;
    assert!((bound / 2..=bound).contains(&alone), "{alone} bytes, over {bound}");
    let tracked = each(AcceptOptions::default().tracker(&Tracker::new()));
    let place = tracked - alone;
    assert!((PLACE / 2..=PLACE).contains(&place), "{place} bytes, over {PLACE}");
}
