//! TLS, by the options of the caller.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use ws_tokio::async_nats::ConnectOptions;
use ws_tokio::rustls::crypto::ring;
use ws_tokio::rustls::{ClientConfig, RootCertStore};
use ws_tokio::{Bus, BusEvent, Nats};

use crate::nats_server::Engine;
use crate::node::{message, names, soon, text};

#[tokio::test]
async fn nodes_connect_over_tls() {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let (cert_file, key_file) =
        (file("cert", &cert.pem()), file("key", &signing_key.serialize_pem()));
    let arguments = ["--tls", "--tlscert", &cert_file, "--tlskey", &key_file];
    let started = Engine::start_with(&arguments);
    for file in [&cert_file, &key_file] {
        std::fs::remove_file(file).expect("it was there");
    }
    let Some(engine) = started else { return };

    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).expect("a root");
    // Two providers may be built in: one is chosen here.
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has them")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let options = ConnectOptions::new().tls_client_config(config);
    let address = engine.url().replace("nats:", "tls:");
    let [one, other] = [(); 2].map(|()| Nats::with(&address, options.clone()).expect("an address"));
    for node in [&one, &other] {
        assert_eq!(soon(node.event()).await, BusEvent::Connected);
    }
    soon(other.subscribe(&names(&["t"]))).await.expect("it subscribes");
    soon(one.publish(&[message("t", "1")])).await.expect("it is published");
    assert_eq!(text(&other).await, "1");
}

fn file(name: &str, contents: &str) -> String {
    let path: PathBuf = std::env::temp_dir().join(format!("ws-nats-{}.{name}", std::process::id()));
    std::fs::write(&path, contents).expect("it is written");
    path.to_string_lossy().into_owned()
}
