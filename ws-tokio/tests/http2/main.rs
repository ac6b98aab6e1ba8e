//! WebSockets over HTTP/2 (RFC 8441), both sides: who is let in, how bytes flow and stop, and how streams and connections end.

mod attacks;
#[path = "../tls/authority.rs"]
#[expect(dead_code, reason = "the tests of TLS need all of it")]
mod authority;
mod ends;
mod flow;
mod peer;
mod serving;
mod sessions;

use std::net::SocketAddr;
use std::sync::Once;

use tokio::task::JoinHandle;
use ws_tokio::rustls::RootCertStore;
use ws_tokio::rustls::crypto::ring;
use ws_tokio::{
    AcceptOptions, ConnectOptions, Connection, Http2Options, Http2Session, Server, Transport,
};

use authority::Authority;

/// Two providers may be built in: the process chooses.
fn choose_provider() {
    static CHOSEN: Once = Once::new();
    CHOSEN.call_once(|| ring::default_provider().install_default().expect("the first"));
}

/// An echo server over plain TCP.
async fn echo_server(options: AcceptOptions) -> (SocketAddr, JoinHandle<()>) {
    let server = Server::bind("127.0.0.1:0").await.expect("a listener");
    let address = server.local_addr().expect("an address");
    let serving = server.options(options).http2(Http2Options::default()).serve(echo);
    (address, tokio::spawn(serving))
}

/// An echo server over TLS.
async fn tls_server(authority: &Authority) -> SocketAddr {
    let server = Server::bind("127.0.0.1:0").await.expect("a listener");
    let address = server.local_addr().expect("an address");
    let server = server.tls(authority.server(&["localhost"])).http2(Http2Options::default());
    tokio::spawn(async move { server.serve(echo).await });
    address
}

async fn echo(mut connection: Connection) -> Result<(), ws_tokio::Error> {
    connection.run(|message, outbox| outbox.send(message)).await
}

/// Options that trust this authority alone.
fn trusting(authority: &Authority) -> ConnectOptions {
    choose_provider();
    let mut roots = RootCertStore::empty();
    roots.add(authority.root()).expect("a root");
    ConnectOptions::default().tls_roots(roots)
}

fn session(address: SocketAddr) -> Http2Session {
    let (options, http2) = (ConnectOptions::default(), Http2Options::default());
    Http2Session::new(format!("ws://{address}"), &options, http2).expect("a URL")
}

async fn open(session: &Http2Session, path: &str) -> Connection {
    session.open(path, &ConnectOptions::default()).await.expect("a WebSocket").0
}

async fn echoes(connection: &mut Connection<Transport>, text: &str) {
    connection.send(text).await.expect("sent");
    assert_eq!(connection.recv().await.expect("received"), Some(text.into()));
}
