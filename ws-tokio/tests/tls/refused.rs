//! What is not trusted, and what the error says.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use ws_tokio::rustls::{self, CertificateError, ClientConfig, RootCertStore, ServerConfig};
use ws_tokio::{ConnectError, ConnectOptions, ServerTls, Step, TlsError};

use crate::authority::{Authority, Issued};
use crate::{choose_provider, here, serve, serve_with, trusting};

/// What rustls found wrong.
fn found(error: &ConnectError) -> &rustls::Error {
    let ConnectError::Tls(tls) = error else { panic!("not of TLS: {error}") };
    tls.rustls().unwrap_or_else(|| panic!("not of rustls: {tls}"))
}

#[tokio::test]
async fn an_unknown_root_another_name_and_an_expired_certificate_are_told_apart() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let (address, _server) = serve(&theirs, &["localhost"]).await;
    let url = format!("wss://localhost:{}/", address.port());
    let error = trusting(&ours).connect(&url).await.unwrap_err();
    let unknown = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
    assert_eq!(found(&error), &unknown, "{error}");

    let url = format!("wss://a.example:{}/", address.port());
    let error = trusting(&theirs).connect(&url).await.unwrap_err();
    let rustls::Error::InvalidCertificate(why) = found(&error) else { panic!("{error}") };
    assert!(matches!(why, CertificateError::NotValidForNameContext { .. }), "{error}");

    let (certificate, key) = ours.issue_expired(&["localhost"]).pem;
    let tls = ServerTls::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap();
    let (address, _server) = serve_with(tls).await;
    let url = format!("wss://localhost:{}/", address.port());
    let error = trusting(&ours).connect(&url).await.unwrap_err();
    let rustls::Error::InvalidCertificate(why) = found(&error) else { panic!("{error}") };
    assert!(matches!(why, CertificateError::ExpiredContext { .. }), "{error}");
}

#[tokio::test]
async fn a_self_signed_certificate_is_refused_unless_it_is_a_root() {
    choose_provider();
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (signed.cert.pem(), signed.signing_key.serialize_pem());
    let tls = ServerTls::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap();
    let (address, _server) = serve_with(tls).await;
    let url = format!("wss://localhost:{}/", address.port());
    let error = trusting(&Authority::new()).connect(&url).await.unwrap_err();
    assert!(matches!(found(&error), rustls::Error::InvalidCertificate(_)), "{error}");
    let root = signed.cert.der().clone();
    here().tls_roots(RootCertStore::empty()).add_tls_root(root).connect(&url).await.unwrap();
}

#[tokio::test]
async fn no_roots_and_what_is_no_certificate_are_errors() {
    choose_provider();
    let (address, _server) = serve(&Authority::new(), &["localhost"]).await;
    let url = format!("wss://localhost:{}/", address.port());
    let error = here().tls_roots(RootCertStore::empty()).connect(&url).await.unwrap_err();
    assert!(matches!(error, ConnectError::Tls(TlsError::NoRoots)), "{error}");
    let nonsense = vec![1, 2, 3].into();
    let options = here().tls_roots(RootCertStore::empty()).add_tls_root(nonsense);
    let error = options.connect(&url).await.unwrap_err();
    assert!(matches!(error, ConnectError::Tls(TlsError::Config(_))), "{error}");
    let ours = Authority::new().issue(&["localhost"]).pem;
    let theirs = Authority::new().issue(&["localhost"]).pem;
    for (certificate, key) in [(&*ours.0, &*theirs.1), ("", &ours.1), (&ours.0, ""), ("x", "y")] {
        ServerTls::from_pem(certificate.as_bytes(), key.as_bytes())
            .expect_err("nothing to serve with");
    }
}

#[tokio::test]
async fn what_tls_lacks_is_said_before_anything_is_opened() {
    choose_provider();
    let dialed = Arc::new(AtomicUsize::new(0));
    let counted = dialed.clone();
    let options = ConnectOptions::default().tls_roots(RootCertStore::empty()).dialer(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        async { Err::<TcpStream, _>(io::ErrorKind::ConnectionRefused.into()) }
    });
    let error = options.connect("wss://localhost/").await.unwrap_err();
    assert!(matches!(error, ConnectError::Tls(TlsError::NoRoots)), "{error}");
    assert_eq!(dialed.load(Ordering::Relaxed), 0);
    // Over plain text nothing of it is asked for.
    let error = options.connect("ws://localhost/").await.unwrap_err();
    assert!(matches!(error, ConnectError::Io(_)), "{error}");
    assert_eq!(dialed.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_protocol_that_is_not_spoken_is_an_error() {
    let authority = Authority::new();
    let Issued { chain, key, .. } = authority.issue(&["localhost"]);
    choose_provider();
    let mut config =
        ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let (address, _server) = serve_with(ServerTls::new(config)).await;
    let url = format!("wss://localhost:{}/", address.port());
    // It refuses what a client offers by itself.
    let error = trusting(&authority).connect(&url).await.unwrap_err();
    let alert = rustls::AlertDescription::NoApplicationProtocol;
    assert_eq!(found(&error), &rustls::Error::AlertReceived(alert), "{error}");
    // And agrees to what a client of the caller's offers, who doesn't speak it then.
    let mut roots = RootCertStore::empty();
    roots.add(authority.root()).unwrap();
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let error = ConnectOptions::default().tls(config).connect(&url).await.unwrap_err();
    let ConnectError::Tls(TlsError::Protocol(chosen)) = error else { panic!("{error}") };
    assert_eq!(chosen, b"h2");
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_or_says_nothing_is_an_error_of_tls() {
    let authority = Authority::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("wss://localhost:{}/", listener.local_addr().unwrap().port());
    let plain = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await
            .unwrap();
        _ = stream.read_to_end(&mut Vec::new()).await;
    };
    let options = trusting(&authority);
    let (error, ()) = tokio::join!(options.connect(&url), plain);
    let error = error.unwrap_err();
    let invalid = matches!(found(&error), rustls::Error::InvalidMessage(_));
    assert!(invalid, "{error}");

    let silent = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        _ = stream.read_to_end(&mut Vec::new()).await;
    };
    let options = trusting(&authority).handshake_timeout(Duration::from_millis(100));
    let (error, ()) = tokio::join!(options.connect(&url), silent);
    let error = error.unwrap_err();
    assert!(matches!(error, ConnectError::Timeout(Step::Tls)), "{error}");
    assert_eq!(error.to_string(), "connecting took too long, at the TLS handshake");
}
