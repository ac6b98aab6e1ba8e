//! TLS to the server: what a client of the crate `redis` trusts, with the process's provider of cryptography.

use std::fs;
use std::io::{self, Write};
use std::time::Duration;

use redis::{Client, TlsCertificates};
use tokio::time::{sleep, timeout};
use ws_tokio::rustls::crypto::ring;
use ws_tokio::{BusEvent, Redis};

use crate::node::{LONG, Node};
use crate::redis_server::Engine;

#[tokio::test]
async fn rediss_urls_need_a_provider_and_roots() {
    let Some(engine) = Engine::start() else { return };
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let [certificate, key] = ["certificate", "key"].map(|name| engine.folder().join(name));
    fs::write(&certificate, signed.cert.pem()).unwrap();
    fs::write(&key, signed.signing_key.serialize_pem()).unwrap();
    let port = Engine::free_port();
    let reply = engine.command(&format!(
        "CONFIG SET tls-cert-file \"{0}\" tls-key-file \"{1}\" tls-ca-cert-file \"{0}\" tls-auth-clients no tls-port {port}",
        certificate.display(),
        key.display()
    ));
    if reply != "+OK" {
        let _ = writeln!(io::stderr(), "SKIPPED: this Redis has no TLS: {reply}");
        return;
    }
    let url = format!("rediss://localhost:{port}");
    let trusted =
        TlsCertificates { client_tls: None, root_cert: Some(signed.cert.pem().into_bytes()) };
    let client = Client::build_with_tls(&*url, trusted).unwrap();

    let early = Node(Redis::with(client.clone()));
    refused(&early, "install_default").await;
    ring::default_provider().install_default().expect("nobody else does");
    let node = Node(Redis::with(client));
    assert_eq!(node.event().await, BusEvent::Connected);
    assert_eq!(early.event().await, BusEvent::Connected, "it has gone on trying");
    node.subscribe(&["a"]).await.expect("subscribed");
    early.publish("a", vec![7; 1_000_000]).await.expect("published");
    assert_eq!(node.message().await, ("a".into(), vec![7; 1_000_000]));
    // The operating system's roots don't have it.
    refused(&Node(Redis::new(&url).unwrap()), "certificate").await;
}

/// Waits until the node says so.
async fn refused(node: &Node, why: &str) {
    let told = async {
        loop {
            let error = node.publish("a", "").await.expect_err("there is no connection");
            if error.to_string().contains(why) {
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(LONG, told).await.unwrap_or_else(|_| panic!("no word of {why}"));
}
