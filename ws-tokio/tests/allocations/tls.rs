//! Streams of TLS: what one holds that waits, in both directions, and what a peer can make it hold.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use ws_tokio::rustls::crypto::ring;
use ws_tokio::rustls::{ClientConfig, RootCertStore, ServerConfig};
use ws_tokio::tokio_rustls::{TlsAcceptor, TlsConnector};
use ws_tokio::{ServerTls, TlsStream};

use crate::counting::held;
use crate::memory::park;
use crate::runtime;

const STREAMS: usize = 50;
const RECORD: usize = 16 << 10;

fn configs() -> (Arc<ServerConfig>, Arc<ClientConfig>) {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("signed");
    let chain = vec![signed.cert.der().clone()];
    let provider = Arc::new(ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(chain[0].clone()).expect("a root");
    let server = ServerConfig::builder_with_provider(provider.clone());
    let server = server.with_safe_default_protocol_versions().expect("versions");
    let server = server.with_no_client_auth().with_single_cert(chain, signed.signing_key.into());
    let client = ClientConfig::builder_with_provider(provider);
    let client = client.with_safe_default_protocol_versions().expect("versions");
    let client = client.with_root_certificates(roots).with_no_client_auth();
    (Arc::new(server.expect("a certificate")), Arc::new(client))
}

type Client = ws_tokio::tokio_rustls::client::TlsStream<DuplexStream>;

async fn client(config: &Arc<ClientConfig>, pipe: DuplexStream) -> Client {
    let connector = TlsConnector::from(config.clone());
    connector.connect("localhost".try_into().expect("a name"), pipe).await.expect("TLS")
}

/// Bytes that each of many server streams holds besides its pipe, after `act` on it and its client.
fn held_by_ours(act: impl AsyncFn(&mut TlsStream<DuplexStream>, &mut Client)) -> isize {
    let (server, config) = configs();
    let server = ServerTls::new(server);
    runtime().block_on(async {
        let mut all = Vec::with_capacity(2 * STREAMS);
        for _ in 0..2 * STREAMS {
            let (near, far) = duplex(1 << 20);
            let (stream, mut client) = tokio::join!(server.accept(near), client(&config, far));
            let mut stream = stream.expect("TLS");
            act(&mut stream, &mut client).await;
            all.push((stream, client));
        }
        // What is freed with our ends alone: the first half fills the pool.
        all.drain(..STREAMS).for_each(drop);
        let (streams, clients): (Vec<_>, Vec<_>) = all.into_iter().unzip();
        let before = held();
        drop(streams);
        let ours = before - held();
        drop(clients);
        ours / STREAMS as isize
    })
}

async fn echo_once(stream: &mut TlsStream<DuplexStream>, client: &mut Client) {
    let mut read = [0; 1024];
    client.write_all(&[7; 1024]).await.expect("sent");
    stream.read_exact(&mut read).await.expect("received");
    stream.write_all(&read).await.expect("sent");
    stream.flush().await.expect("sent");
    client.read_exact(&mut read).await.expect("received");
    park(stream.read(&mut read)).await;
}

#[test]
fn a_stream_of_tls_that_waits_holds_no_buffers() {
    let ours = held_by_ours(echo_once);
    assert!((1..4 << 10).contains(&ours), "{ours} bytes");
    let theirs = held_by_tokio_rustls();
    assert!(ours + (3 << 10) < theirs, "{ours} bytes, tokio-rustls {theirs}");
}

fn held_by_tokio_rustls() -> isize {
    let (server, config) = configs();
    let acceptor = TlsAcceptor::from(server);
    runtime().block_on(async {
        let mut all = Vec::with_capacity(STREAMS);
        for _ in 0..STREAMS {
            let (near, far) = duplex(1 << 20);
            let (stream, mut client) = tokio::join!(acceptor.accept(near), client(&config, far));
            let mut stream = Box::new(stream.expect("TLS"));
            client.write_all(&[7; 1024]).await.expect("sent");
            stream.read_exact(&mut [0; 1024]).await.expect("received");
            park(stream.read(&mut [0])).await;
            all.push((stream, client));
        }
        let (streams, clients): (Vec<_>, Vec<_>) = all.into_iter().unzip();
        let before = held();
        drop(streams);
        let theirs = before - held();
        drop(clients);
        theirs / STREAMS as isize
    })
}

#[test]
fn a_peer_that_stops_within_a_record_pins_what_it_sent() {
    let ours = held_by_ours(async |stream, client| {
        echo_once(stream, client).await;
        // A header that promises a whole record, and half of it.
        let pipe = client.get_mut().0;
        pipe.write_all(&[0x17, 3, 3, 0x40, 0]).await.expect("sent");
        pipe.write_all(&[7; RECORD / 2]).await.expect("sent");
        park(stream.read(&mut [0; 64])).await;
    });
    assert!((1..(4 << 10) + RECORD as isize / 2).contains(&ours), "{ours} bytes");
}

#[test]
fn a_peer_that_does_not_read_pins_what_was_taken_ahead_of_it() {
    let ours = held_by_ours(async |stream, client| {
        echo_once(stream, client).await;
        let all = vec![7; 2 << 20];
        let write = async { while stream.write(&all).await.is_ok() {} };
        park(write).await;
    });
    assert!((1..(4 << 10) + 82 * 1024).contains(&ours), "{ours} bytes");
}
