//! The size of what a task holds for each connection: growth is to be a decision.
//!
//! The bounds are what the types have today on a 64-bit target, rounded up.
#![cfg(target_pointer_width = "64")]

use bytes::BytesMut;
use tokio::net::{TcpListener, TcpStream};
use ws_tokio::{AcceptOptions, CloseCode, ConnectOptions, Connection, Message, Negotiated};
use ws_tokio::{Role, Settings};

async fn stream() -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    TcpStream::connect(address).await.expect("a connection")
}

async fn connection() -> Connection<TcpStream> {
    let (stream, nothing) = (stream().await, BytesMut::new());
    let (negotiated, settings) = (Negotiated::default(), Settings::default());
    Connection::from_upgraded(stream, Role::Server, nothing, negotiated, settings)
}

/// Holds a future's size to a bound, and drops it unpolled.
fn holds(name: &str, future: impl Future, bound: usize) {
    let size = size_of_val(&future);
    assert!(size <= bound, "{name} grew to {size} bytes, over {bound}");
    assert!(size >= bound / 2, "{name} shrank to {size} bytes: lower its bound, {bound}");
}

#[test]
fn a_connection_is_a_pointer() {
    assert_eq!(size_of::<Connection<TcpStream>>(), size_of::<usize>());
}

#[test]
fn a_message_is_a_few_words() {
    assert!(size_of::<Message>() <= 5 * size_of::<usize>());
}

#[tokio::test]
async fn the_futures_of_a_connection_are_small() {
    let mut connection = connection().await;
    holds("recv", connection.recv(), 8);
    holds("recv_into", connection.recv_into(&mut Vec::new()), 16);
    holds("run", connection.run(|message, outbox| outbox.send(message)), 8);
    holds("send", connection.send("text"), 48);
    holds("feed", connection.feed("text"), 48);
    holds("flush", connection.flush(), 32);
    holds("close", connection.close(CloseCode::NORMAL, ""), 96);
}

#[tokio::test]
async fn the_futures_of_handshakes_are_small() {
    holds("accept", ws_tokio::accept(stream().await), 8);
    let options = AcceptOptions::default();
    holds("AcceptOptions::accept", options.accept(stream().await), 8);
    holds("AcceptOptions::read", options.read(stream().await), 992);
    holds("connect", ws_tokio::connect("ws://localhost/"), 8);
    let options = ConnectOptions::default();
    holds("connect_over", options.connect_over(stream().await, "ws://localhost/"), 8);
}
