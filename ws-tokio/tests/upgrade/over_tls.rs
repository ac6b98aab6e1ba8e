//! TLS below hyper: both kinds of streams are taken out of its connection.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use ws_tokio::rustls::crypto::ring;
use ws_tokio::rustls::pki_types::CertificateDer;
use ws_tokio::rustls::{RootCertStore, ServerConfig};
use ws_tokio::tokio_rustls::TlsAcceptor;
use ws_tokio::{AcceptOptions, ConnectOptions, ServerTls, Transport};

use crate::{Taken, respond};

/// A certificate, and a server's configuration with it.
fn config() -> (CertificateDer<'static>, Arc<ServerConfig>) {
    // Another provider may be built in, and clients ask for the process's. Another test may have been first.
    _ = ring::default_provider().install_default();
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("signed");
    let root = signed.cert.der().clone();
    let builder = ServerConfig::builder().with_no_client_auth();
    let config = builder.with_single_cert(vec![root.clone()], signed.signing_key.into());
    (root, Arc::new(config.expect("a certificate")))
}

/// A hyper server of one connection over TLS: ours, or by tokio-rustls.
async fn hyper_taking_tls(config: Arc<ServerConfig>, is_ours: bool) -> (SocketAddr, Taken) {
    let (sender, taken) = mpsc::unbounded_channel();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let service = service_fn(move |mut request| {
        let response = respond(&AcceptOptions::default(), &mut request, &sender);
        async move { Ok::<_, Infallible>(response) }
    });
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a client");
        if is_ours {
            let stream = ServerTls::new(config).accept(stream).await.expect("TLS");
            let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            _ = serving.with_upgrades().await;
        } else {
            let stream = TlsAcceptor::from(config).accept(stream).await.expect("TLS");
            let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            _ = serving.with_upgrades().await;
        }
    });
    (address, taken)
}

#[tokio::test]
async fn streams_of_tls_are_taken_out_of_hypers_connection() {
    let (root, config) = config();
    for is_ours in [true, false] {
        let (server, mut taken) = hyper_taking_tls(config.clone(), is_ours).await;
        let options = ConnectOptions::default().tls_roots(RootCertStore::empty());
        let options = options.add_tls_root(root.clone());
        let url = format!("wss://localhost:{}/", server.port());
        let (mut client, _) = options.connect(&url).await.unwrap();
        let mut connection = taken.recv().await.unwrap().unwrap();
        match connection.get_ref() {
            Transport::Tls(_) => assert!(is_ours),
            Transport::ServerTls(_) => assert!(!is_ours),
            other => panic!("{other:?}"),
        }
        assert!(connection.get_ref().tls().is_some());
        assert!(connection.peer_addr().is_some());
        client.send("hello").await.unwrap();
        assert_eq!(connection.recv().await.unwrap(), Some("hello".into()));
    }
}
