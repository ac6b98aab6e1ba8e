//! An echo server over HTTP/2 and HTTP/1.1:
//! `cargo run --release -p ws-tokio --features http2,ring --example http2_server [ADDR] [--tls CERT KEY] ...`
//!
//! Over TLS, browsers choose HTTP/2 (ALPN), and all WebSockets of a page share one connection. Over plain TCP, it is for proxies that
//! begin with it, and for `echo_client ws://... --http2`. See `echo_server` for how to make a certificate for trying.

use std::error::Error;
use std::time::Duration;

use ws_tokio::handshake::origin::OriginPolicy;
use ws_tokio::{AcceptOptions, Compression, Connection, Http2Options, Server, Settings};

const USAGE: &str = "usage: http2_server [ADDR] [--tls CERT KEY] [--max-message BYTES] \
    [--max-streams N] [--compress[=takeover]] [--any-origin]";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut address = "127.0.0.1:9001".to_owned();
    let (mut options, mut http2, mut tls) =
        (AcceptOptions::default(), Http2Options::default(), None);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(USAGE);
        match arg.as_str() {
            "--tls" => tls = Some((std::fs::read(value()?)?, std::fs::read(value()?)?)),
            "--max-message" => {
                options = options.settings(Settings::default().max_message(value()?.parse()?));
            }
            "--max-streams" => http2 = http2.max_streams(value()?.parse()?),
            "--compress" => options = options.compression(Compression::NoContextTakeover),
            "--compress=takeover" => options = options.compression(Compression::ContextTakeover),
            "--any-origin" => options = options.origins(OriginPolicy::Any),
            flag if flag.starts_with('-') => return Err(USAGE.into()),
            _ => address = arg,
        }
    }
    let server = Server::bind(&address).await?.options(options);
    let address = server.local_addr()?;
    let (signal, deadline) = (tokio::signal::ctrl_c(), Duration::from_secs(10));
    let shutdown = match tls {
        None => {
            println!("listening on ws://{address}");
            server.http2(http2).serve(echo).with_graceful_shutdown(signal, deadline).await
        }
        #[cfg(feature = "rustls")]
        Some((certificates, key)) => {
            let tls = ws_tokio::ServerTls::from_pem(&certificates, &key)?;
            println!("listening on wss://{address}");
            let server = server.tls(tls).http2(http2);
            server.serve(echo).with_graceful_shutdown(signal, deadline).await
        }
        #[cfg(not(feature = "rustls"))]
        Some(_) => return Err("TLS needs the feature `ring` or `aws-lc-rs`".into()),
    };
    println!("closed {}, cut {}", shutdown.closed, shutdown.cut.len());
    Ok(())
}

async fn echo(mut connection: Connection) -> Result<(), ws_tokio::Error> {
    connection.run(|message, outbox| outbox.send(message)).await
}
