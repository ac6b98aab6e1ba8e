//! A chat with a page: `cargo run -p ws-json --example chat [-- ADDR] [--origin ORIGIN] [--rooms N] [--members N]
//! [--wasm DIR]`, then open http://127.0.0.1:9001 in two browsers, or in one and the terminal (the example `chat_client`).
//!
//! | option | what | default |
//! |---|---|---|
//! | `ADDR` | where to listen | `127.0.0.1:9001` |
//! | `--origin ORIGIN` | pages of one more origin may connect, besides this server's own | |
//! | `--rooms N` | rooms at a time, each with a history of at most 4 MiB, and as much again compressed | 64 |
//! | `--members N` | members of a room | 50 |
//! | `--wasm DIR` | serve the page in Rust (the example `chat_wasm`) from this folder, at `/wasm/` | |
//!
//! On SIGTERM or Ctrl-C it closes every connection with 1001 and says why; pages come back by themselves.

mod member;
mod messages;
mod names;
mod pace;
mod rooms;
mod site;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::future::IntoFuture;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use ws_tokio::Tracker;

use crate::rooms::Bounds;

const USAGE: &str = "usage: chat [ADDR] [--origin ORIGIN] [--rooms N] [--members N] [--wasm DIR]";

/// How long connections may take to close.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the command line asks for.
struct Config {
    address: String,
    origins: Vec<String>,
    bounds: Bounds,
    wasm: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Some(config) = parse(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match serve(config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(config: Config) -> Result<(), Box<dyn Error>> {
    let tracker = Tracker::new();
    let mut router = site::router(config.bounds, config.origins, &tracker);
    if let Some(folder) = config.wasm {
        router = router.merge(site::wasm(&folder)?);
    }
    let address = config.address;
    let listener =
        TcpListener::bind(&address).await.map_err(|error| format!("{address}: {error}"))?;
    println!("listening on http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|tcp| _ = tcp.set_nodelay(true));
    let served = axum::serve(listener, router).with_graceful_shutdown(told_to_go()).into_future();
    let closed = async {
        told_to_go().await;
        tracker.shutdown(PATIENCE).await
    };
    let shutdown = tokio::select! {
        // Not joined: browsers open connections ahead and send no request on them, for which axum would wait.
        shutdown = closed => shutdown,
        Err(error) = served => return Err(error.into()),
    };
    println!("{} closed, {} cut", shutdown.closed, shutdown.cut.len());
    Ok(())
}

/// Waits for Ctrl-C, or for what service managers send.
async fn told_to_go() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminated = signal(SignalKind::terminate()).expect("a handler");
        tokio::select! {
            _ = terminated.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    }
    #[cfg(not(unix))]
    let _ = tokio::signal::ctrl_c().await;
}

fn parse(mut args: impl Iterator<Item = String>) -> Option<Config> {
    let mut config = Config {
        address: "127.0.0.1:9001".to_owned(),
        origins: Vec::new(),
        bounds: Bounds { rooms: 64, members: 50 },
        wasm: None,
    };
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--origin" => config.origins.push(args.next()?),
            "--rooms" => config.bounds.rooms = args.next()?.parse().ok()?,
            "--members" => config.bounds.members = args.next()?.parse().ok()?,
            "--wasm" => config.wasm = Some(args.next()?.into()),
            flag if flag.starts_with('-') => return None,
            _ => config.address = arg,
        }
    }
    Some(config)
}
