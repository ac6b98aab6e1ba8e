//! TLS, both sides: what is trusted and what is not, what is agreed, and how bytes, deadlines and ends pass through it.

mod alerts;
mod authority;
mod bytes;
mod model;
mod peer;
mod refused;
mod serving;
mod stream;
mod trust;

#[path = "../support"]
mod support {
    pub(crate) mod now;
}

use std::net::SocketAddr;
use std::sync::Once;

use tokio::task::JoinHandle;
use ws_tokio::rustls::RootCertStore;
use ws_tokio::rustls::crypto::ring;
use ws_tokio::{ConnectOptions, Connection, Server, ServerTls, Transport};

use authority::Authority;

/// Two providers may be built in: the process chooses.
fn choose_provider() {
    static CHOSEN: Once = Once::new();
    CHOSEN.call_once(|| ring::default_provider().install_default().expect("the first"));
}

/// An echo server for a certificate of these names.
async fn serve(authority: &Authority, names: &[&str]) -> (SocketAddr, JoinHandle<()>) {
    serve_with(authority.server(names)).await
}

async fn serve_with(tls: ServerTls) -> (SocketAddr, JoinHandle<()>) {
    let server = Server::bind("127.0.0.1:0").await.expect("a listener");
    let address = server.local_addr().expect("an address");
    let serving = server.tls(tls).serve(|mut connection| async move {
        _ = connection.run(|message, outbox| outbox.send(message)).await;
    });
    (address, tokio::spawn(serving))
}

/// Options that trust this authority alone, and take every name to be this machine.
fn trusting(authority: &Authority) -> ConnectOptions {
    choose_provider();
    here().tls_roots(roots(authority))
}

fn roots(authority: &Authority) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(authority.root()).expect("a root");
    roots
}

/// Every name is this machine.
fn here() -> ConnectOptions {
    ConnectOptions::default()
        .resolver(|_, port| async move { Ok(vec![SocketAddr::from(([127, 0, 0, 1], port))]) })
}

async fn echoes(connection: &mut Connection<Transport>, text: &str) {
    connection.send(text).await.expect("sent");
    assert_eq!(connection.recv().await.expect("received"), Some(text.into()));
}
