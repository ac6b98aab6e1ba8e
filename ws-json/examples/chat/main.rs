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

mod history;
mod member;
mod messages;
mod names;
mod pace;
mod rooms;
mod serve;
mod site;
mod telling;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use ws_tokio::Tracker;

use crate::rooms::{Bounds, Rooms};

const USAGE: &str = "usage: chat [ADDR] [--origin ORIGIN] [--rooms N] [--members N] [--wasm DIR]";

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

async fn serve(config: Config) -> Result<(), Box<dyn Error + Send + Sync>> {
    let tracker = Tracker::new();
    let mut router = site::router(Rooms::new(config.bounds), config.origins, &tracker);
    if let Some(folder) = config.wasm {
        router = router.merge(site::wasm(&folder)?);
    }
    serve::until_told_to_go(&config.address, router, &tracker).await
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
