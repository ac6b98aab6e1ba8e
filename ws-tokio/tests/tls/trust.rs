//! Who is trusted, and what both ends know of each other then.

use ws_tokio::http::HeaderValue;
use ws_tokio::rustls::{ClientConfig, RootCertStore};
use ws_tokio::{ConnectOptions, Server, Transport};

use crate::authority::{Authority, Issued};
use crate::{choose_provider, echoes, here, serve, serve_with, trusting};

#[tokio::test]
async fn wss_and_https_urls_are_connected_to_by_tls() {
    let authority = Authority::new();
    let (address, _server) = serve(&authority, &["localhost"]).await;
    for scheme in ["wss", "https", "WSS"] {
        let url = format!("{scheme}://localhost:{}/chat", address.port());
        let (mut connection, response) = trusting(&authority).connect(&url).await.unwrap();
        assert_eq!(response.status(), 101);
        assert_eq!(connection.peer_addr(), Some(address));
        echoes(&mut connection, "hello").await;
    }
}

#[tokio::test]
async fn the_name_of_the_url_counts_and_no_host_header() {
    let authority = Authority::new();
    let (address, _server) = serve(&authority, &["a.example"]).await;
    let options = trusting(&authority).host(HeaderValue::from_static("b.example"));
    let url = format!("wss://a.example:{}/", address.port());
    let (mut connection, _) = options.connect(&url).await.unwrap();
    echoes(&mut connection, "hello").await;
    let options = trusting(&authority).host(HeaderValue::from_static("a.example"));
    let url = format!("wss://b.example:{}/", address.port());
    options.connect(&url).await.expect_err("another name");
}

#[tokio::test]
async fn an_address_is_verified_like_a_name() {
    let authority = Authority::new();
    let (address, _server) = serve(&authority, &["127.0.0.1"]).await;
    let url = format!("wss://127.0.0.1:{}/", address.port());
    let (mut connection, _) = trusting(&authority).connect(&url).await.unwrap();
    echoes(&mut connection, "hello").await;
}

#[tokio::test]
async fn a_root_can_be_added_to_those_that_are_trusted() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let (address, _server) = serve(&theirs, &["localhost"]).await;
    let url = format!("wss://localhost:{}/", address.port());
    trusting(&ours).connect(&url).await.expect_err("an unknown root");
    let (mut connection, _) =
        trusting(&ours).add_tls_root(theirs.root()).connect(&url).await.unwrap();
    echoes(&mut connection, "hello").await;
    // To those of the features, too.
    let (mut connection, _) = here().add_tls_root(theirs.root()).connect(&url).await.unwrap();
    echoes(&mut connection, "hello").await;
}

#[tokio::test]
async fn a_client_with_a_certificate_is_known_to_the_server_and_one_without_is_refused() {
    let authority = Authority::new();
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let url = format!("wss://localhost:{}/", server.local_addr().unwrap().port());
    let tls = authority.server_for_certified_clients(&["localhost"]);
    let Issued { chain, key, .. } = authority.issue(&["client"]);
    let known = chain.clone();
    tokio::spawn(server.tls(tls).serve(move |mut connection| {
        let known = known.clone();
        async move {
            let certificates = connection.get_ref().get_ref().1.peer_certificates();
            let text = if certificates == Some(&known[..]) { "known" } else { "unknown" };
            connection.send(text).await.unwrap();
            _ = connection.recv().await;
        }
    }));
    let mut roots = RootCertStore::empty();
    roots.add(authority.root()).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots);
    let config = config.with_client_auth_cert(chain, key).unwrap();
    let (mut connection, _) = ConnectOptions::default().tls(config).connect(&url).await.unwrap();
    assert_eq!(connection.recv().await.unwrap(), Some("known".into()));
    // In TLS 1.3 a client learns only from its first read that it was refused.
    trusting(&authority).connect(&url).await.expect_err("no certificate");
}

#[tokio::test]
async fn what_was_agreed_can_be_read_on_the_connection() {
    let authority = Authority::new();
    let (address, _server) = serve(&authority, &["localhost"]).await;
    let url = format!("wss://localhost:{}/", address.port());
    let (connection, _) = trusting(&authority).connect(&url).await.unwrap();
    let tls = connection.get_ref().tls().expect("TLS");
    assert_eq!(tls.alpn_protocol(), Some(&b"http/1.1"[..]));
    assert_eq!(tls.peer_certificates().map(<[_]>::len), Some(1));
    assert!(matches!(connection.get_ref(), Transport::Tls(_)));
}

#[tokio::test]
async fn sessions_are_resumed() {
    let authority = Authority::new();
    let (address, _server) = serve(&authority, &["localhost"]).await;
    let url = format!("wss://localhost:{}/", address.port());
    let options = trusting(&authority);
    let mut kinds = Vec::new();
    for _ in 0..2 {
        let (mut connection, _) = options.connect(&url).await.unwrap();
        // The ticket comes behind the handshake.
        echoes(&mut connection, "hello").await;
        kinds.push(connection.get_ref().tls().expect("TLS").handshake_kind().expect("done"));
    }
    let resumed = ws_tokio::rustls::HandshakeKind::Resumed;
    assert_eq!((kinds[0] == resumed, kinds[1]), (false, resumed));
}

#[tokio::test]
async fn a_certificate_can_be_replaced_while_a_server_serves() {
    let (old, new) = (Authority::new(), Authority::new());
    let tls = old.server(&["localhost"]);
    let (address, _server) = serve_with(tls.clone()).await;
    let url = format!("wss://localhost:{}/", address.port());
    let (mut before, _) = trusting(&old).connect(&url).await.unwrap();
    let (certificate, key) = new.issue(&["localhost"]).pem;
    tls.replace_pem(certificate.as_bytes(), key.as_bytes()).unwrap();
    let (mut after, _) = trusting(&new).connect(&url).await.unwrap();
    trusting(&old).connect(&url).await.expect_err("the old one is gone");
    echoes(&mut before, "I stay").await;
    echoes(&mut after, "I am new").await;
    tls.replace_pem(b"no certificate", b"no key").expect_err("nonsense");
    trusting(&new).connect(&url).await.expect("what was there stays");
}

#[tokio::test]
async fn a_dialers_stream_is_spoken_to_through_tls() {
    let authority = Authority::new();
    let (address, _server) = serve(&authority, &["a.example"]).await;
    choose_provider();
    let options = trusting(&authority).dialer(move |target| {
        assert_eq!((target.host(), target.port()), ("a.example", 443));
        tokio::net::TcpStream::connect(address)
    });
    let (mut connection, _) = options.connect("wss://a.example/").await.unwrap();
    echoes(&mut connection, "hello").await;
}
