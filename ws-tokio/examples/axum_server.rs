//! An echo server behind axum, with the layers that people stack: `cargo run --release -p ws-tokio --features axum --example
//! axum_server [ADDR] [--max-message BYTES] [--compress[=takeover]] [--heartbeat SECONDS] [--patience SECONDS]`
//!
//! Every path but `/health` is a WebSocket. On SIGTERM or Ctrl-C it takes no more requests, closes
//! every connection with 1001, and waits for them, 10 s or what `--patience` says; it prints how many it had to cut.

#[path = "support/signal.rs"]
mod signal;

use std::future::IntoFuture;
use std::process::ExitCode;
use std::time::Duration;

use axum::response::Response;
use axum::routing::{any, get};
use axum::serve::ListenerExt;
use axum::{Extension, Router};
use tokio::net::TcpListener;
use tower_http::compression::CompressionLayer;
use tower_http::cors::CorsLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;
use ws_tokio::http::StatusCode;
use ws_tokio::{AcceptOptions, Compression, Connection, Error, Settings, Tracker, Upgrade};

const USAGE: &str = "usage: axum_server [ADDR] [--max-message BYTES] [--compress[=takeover]] \
    [--heartbeat SECONDS] [--patience SECONDS]";

/// What the command line asks for.
struct Config {
    address: String,
    max_message: usize,
    compression: Compression,
    heartbeat: Duration,
    patience: Duration,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Some(config) = parse(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match serve(&config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", config.address);
            ExitCode::FAILURE
        }
    }
}

async fn serve(config: &Config) -> std::io::Result<()> {
    let tracker = Tracker::new();
    // A peer that is silent for an interval is pinged, and is lost if it doesn't answer within another.
    let settings = Settings::default()
        .max_message(config.max_message)
        .heartbeat(config.heartbeat, config.heartbeat);
    let options = AcceptOptions::default()
        .settings(settings)
        .compression(config.compression)
        .tracker(&tracker);
    let router = Router::new()
        .route("/health", get(async || "fine"))
        .fallback_service(any(ws))
        .layer(Extension(options))
        .layer(CompressionLayer::new())
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, Duration::from_secs(5)))
        .layer(CorsLayer::permissive())
        .layer(TraceLayer::new_for_http());
    let listener = TcpListener::bind(&config.address).await?;
    println!("listening on ws://{}", listener.local_addr()?);
    // A WebSocket does it for itself, but where others share its connection, over HTTP/2.
    let listener = listener.tap_io(|tcp| _ = tcp.set_nodelay(true));
    let served =
        axum::serve(listener, router).with_graceful_shutdown(signal::told_to_go()).into_future();
    let closed = async {
        signal::told_to_go().await;
        tracker.shutdown(config.patience).await
    };
    // At once: over HTTP/2, axum waits for the WebSockets.
    let (served, shutdown) = tokio::join!(served, closed);
    served?;
    println!("{} closed, {} cut", shutdown.closed, shutdown.cut.len());
    Ok(())
}

async fn ws(upgrade: Upgrade) -> Response {
    upgrade.accept(echo)
}

async fn echo(mut connection: Connection) -> Result<(), Error> {
    connection.run(|message, outbox| outbox.send(message)).await
}

fn parse(mut args: impl Iterator<Item = String>) -> Option<Config> {
    let mut config = Config {
        address: "127.0.0.1:9001".to_owned(),
        max_message: 1 << 20,
        compression: Compression::Off,
        heartbeat: Duration::from_secs(30),
        patience: Duration::from_secs(10),
    };
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--max-message" => config.max_message = args.next()?.parse().ok()?,
            "--compress" => config.compression = Compression::NoContextTakeover,
            "--compress=takeover" => config.compression = Compression::ContextTakeover,
            "--heartbeat" => config.heartbeat = Duration::from_secs(args.next()?.parse().ok()?),
            "--patience" => config.patience = Duration::from_secs(args.next()?.parse().ok()?),
            flag if flag.starts_with('-') => return None,
            _ => config.address = arg,
        }
    }
    Some(config)
}
