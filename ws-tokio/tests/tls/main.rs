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
use std::sync::{Arc, Once};

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use ws_tokio::rustls::crypto::ring;
use ws_tokio::rustls::{ClientConfig, RootCertStore};
use ws_tokio::tokio_rustls::{TlsAcceptor, TlsConnector};
use ws_tokio::{ConnectOptions, Connection, Server, ServerTls, Transport};

use authority::Authority;
use peer::Stream;

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

/// Whose stream of TLS it is: that of `Server::tls` and of `wss` URLs, or one that callers bring.
#[derive(Clone, Copy, Debug)]
enum By {
    Ours,
    TokioRustls,
}

/// The server's, and the client's.
const ALL: [(By, By); 4] = [
    (By::Ours, By::Ours),
    (By::Ours, By::TokioRustls),
    (By::TokioRustls, By::Ours),
    (By::TokioRustls, By::TokioRustls),
];

impl By {
    /// Listens with the certificate of `localhost`.
    async fn listen(self, authority: &Authority) -> (SocketAddr, Listening) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let address = listener.local_addr().expect("an address");
        let (ours, theirs) = (authority.server(&["localhost"]), authority.config(&["localhost"]));
        (address, Listening { by: self, listener, ours, theirs: theirs.into() })
    }

    /// An echo server for one client.
    async fn echo(self, authority: &Authority) -> (SocketAddr, JoinHandle<()>) {
        let (address, listening) = self.listen(authority).await;
        let serving = async move {
            let mut connection = listening.accept().await;
            _ = connection.run(|message, outbox| outbox.send(message)).await;
        };
        (address, tokio::spawn(serving))
    }

    async fn connect(self, authority: &Authority, address: SocketAddr) -> Connection<Transport> {
        let port = address.port();
        let connected = match self {
            By::Ours => trusting(authority).connect(&format!("wss://localhost:{port}/")).await,
            By::TokioRustls => {
                let config = ClientConfig::builder().with_root_certificates(roots(authority));
                let connector = TlsConnector::from(Arc::new(config.with_no_client_auth()));
                let dialer = move |_| {
                    let connector = connector.clone();
                    async move {
                        let stream = TcpStream::connect(address).await?;
                        connector.connect("localhost".try_into().expect("a name"), stream).await
                    }
                };
                here().dialer(dialer).connect(&format!("ws://localhost:{port}/")).await
            }
        };
        connected.expect("connected").0
    }
}

struct Listening {
    by: By,
    listener: TcpListener,
    ours: ServerTls,
    theirs: TlsAcceptor,
}

impl Listening {
    /// Accepts one client.
    async fn accept(&self) -> Connection<Box<dyn Stream>> {
        let (stream, _) = self.listener.accept().await.expect("a client");
        let stream: Box<dyn Stream> = match self.by {
            By::Ours => Box::new(self.ours.accept(stream).await.expect("TLS")),
            By::TokioRustls => Box::new(self.theirs.accept(stream).await.expect("TLS")),
        };
        ws_tokio::accept(stream).await.expect("accepted")
    }
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
