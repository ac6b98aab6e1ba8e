//! The peer of our stream of TLS: rustls's own buffered connection, driven by hand, so that a test has each record.

use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex};
use ws_tokio::rustls::crypto::{CryptoProvider, ring};
use ws_tokio::rustls::{
    self, ClientConfig, Connection, RootCertStore, ServerConfig, SupportedProtocolVersion, version,
};
use ws_tokio::tokio_rustls::{TlsAcceptor, TlsConnector};
use ws_tokio::{AcceptOptions, ServerTls};

use crate::authority::{Authority, Issued};
use crate::{choose_provider, here};

/// Which side our stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

/// What is agreed on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) side: Side,
    pub(crate) version: &'static SupportedProtocolVersion,
    /// Bytes that the pipe takes in each direction before its writer waits.
    pub(crate) pipe: usize,
}

/// Both sides, by each version.
pub(crate) fn all_terms(pipe: usize) -> impl Iterator<Item = Terms> {
    let sides = [Side::Client, Side::Server].into_iter();
    sides.flat_map(move |side| {
        [&version::TLS13, &version::TLS12].map(|version| Terms { side, version, pipe })
    })
}

pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

pub(crate) struct Peer {
    pub(crate) session: Connection,
    pub(crate) pipe: DuplexStream,
}

/// Our stream, behind its handshake with a peer.
pub(crate) async fn open(terms: Terms) -> (Box<dyn Stream>, Peer) {
    choose_provider();
    open_with(terms, CryptoProvider::get_default().expect("chosen")).await
}

/// The same, where our side's cryptography is by this provider.
pub(crate) async fn open_with(terms: Terms, ours: &Arc<CryptoProvider>) -> (Box<dyn Stream>, Peer) {
    choose_provider();
    let (near, far) = duplex(terms.pipe);
    let authority = Authority::new();
    match terms.side {
        Side::Server => {
            let server = ServerTls::new(server_config(&authority, terms, ours.clone()));
            let theirs = Arc::new(client_config(&authority, terms, theirs()));
            let connecting = async {
                let name = "localhost".try_into().expect("a name");
                let stream = TlsConnector::from(theirs).connect(name, far).await.expect("TLS");
                let (pipe, session) = stream.into_inner();
                Peer { session: session.into(), pipe }
            };
            let (stream, peer) = tokio::join!(server.accept(near), connecting);
            (Box::new(stream.expect("TLS")), peer)
        }
        Side::Client => {
            let config = client_config(&authority, terms, ours.clone());
            let theirs = Arc::new(server_config(&authority, terms, theirs()));
            let accepting = async {
                let stream = TlsAcceptor::from(theirs).accept(far).await.expect("TLS");
                let connection = AcceptOptions::default().accept(stream).await.expect("accepted");
                let (pipe, session) = connection.into_inner().into_inner();
                Peer { session: session.into(), pipe }
            };
            let near = Mutex::new(Some(near));
            let options = here().tls(config).dialer(move |_| {
                let near = near.lock().expect("no panic").take();
                async move { Ok(near.expect("dialed once")) }
            });
            let ((connection, _), peer) = tokio::join!(
                async { options.connect("wss://localhost/").await.expect("connected") },
                accepting
            );
            (Box::new(connection.into_inner()), peer)
        }
    }
}

fn theirs() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn client_config(
    authority: &Authority,
    terms: Terms,
    provider: Arc<CryptoProvider>,
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(authority.root()).expect("a root");
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_protocol_versions(&[terms.version]).expect("a version");
    builder.with_root_certificates(roots).with_no_client_auth()
}

fn server_config(
    authority: &Authority,
    terms: Terms,
    provider: Arc<CryptoProvider>,
) -> ServerConfig {
    let Issued { chain, key, .. } = authority.issue(&["localhost"]);
    let builder = ServerConfig::builder_with_provider(provider);
    let builder = builder.with_protocol_versions(&[terms.version]).expect("a version");
    let mut config =
        builder.with_no_client_auth().with_single_cert(chain, key).expect("a certificate");
    if terms.pipe < 4096 {
        // They would fill the pipe, while the client writes its request and doesn't read.
        config.send_tls13_tickets = 0;
    }
    config
}

impl Peer {
    /// Encrypts; returns the records.
    pub(crate) fn sealed(&mut self, plain: &[u8]) -> Vec<u8> {
        let mut records = Vec::new();
        // What is larger than rustls's buffer would be taken in part.
        for chunk in plain.chunks(16 << 10) {
            self.session.writer().write_all(chunk).expect("room");
            records.extend(self.unsent());
        }
        records
    }

    /// Returns what waits to be sent.
    pub(crate) fn unsent(&mut self) -> Vec<u8> {
        let mut records = Vec::new();
        while self.session.wants_write() {
            self.session.write_tls(&mut records).expect("a vector takes all");
        }
        records
    }

    pub(crate) async fn send(&mut self, plain: &[u8]) {
        let records = self.sealed(plain);
        self.pipe.write_all(&records).await.expect("an open pipe");
    }

    /// Says that nothing more will come.
    pub(crate) async fn close(&mut self) {
        self.session.send_close_notify();
        let alert = self.unsent();
        self.pipe.write_all(&alert).await.expect("an open pipe");
    }

    /// Reads once, and returns the plaintext.
    pub(crate) async fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut records = vec![0; 16 << 10];
        let len = self.pipe.read(&mut records).await?;
        let mut records = &records[..len];
        let mut plain = Vec::new();
        loop {
            self.session.read_tls(&mut records)?;
            self.session.process_new_packets().map_err(io::Error::other)?;
            // Without an end, there is an error once there is no more.
            _ = self.session.reader().read_to_end(&mut plain);
            if records.is_empty() {
                return Ok(plain);
            }
        }
    }

    /// Reads so many bytes of plaintext.
    pub(crate) async fn receive(&mut self, len: usize) -> Vec<u8> {
        let mut plain = Vec::new();
        while plain.len() < len {
            plain.extend(self.read().await.expect("records"));
        }
        assert_eq!(plain.len(), len);
        plain
    }

    /// Reads until there is an error of TLS.
    pub(crate) async fn fails(&mut self) -> rustls::Error {
        loop {
            if let Err(error) = self.read().await {
                let inner = error.get_ref().and_then(|error| error.downcast_ref());
                return rustls::Error::clone(inner.expect("of rustls"));
            }
        }
    }
}

/// What rustls found wrong.
pub(crate) fn found(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}
