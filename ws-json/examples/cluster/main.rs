//! The chat on several nodes, over NATS or Redis: `cargo run -p ws-json --example cluster -- nats://127.0.0.1:4222 [ADDR ...]
//! [--origin ORIGIN] [--wasm DIR]`, then open http://127.0.0.1:9001 and http://127.0.0.1:9002, and join the same room in both.
//!
//! First start the engine:
//!
//! | engine | install | start | address |
//! |---|---|---|---|
//! | NATS | `apt install nats-server` | `nats-server` | `nats://127.0.0.1:4222` |
//! | Redis | `apt install redis-server` | `redis-server` | `redis://127.0.0.1:6379` |
//!
//! Each `ADDR` is a node; by default there are two, on ports 9001 and 9002. Nodes can also be processes of their own, with one `ADDR` each,
//! started and stopped in any order.
//!
//! In a room that is open on several nodes, people hear each other, no two have the same name, and newcomers get the last 100 messages.
//! While the engine is away, each node goes on for itself, and people elsewhere leave the list. When it is back, what was said elsewhere
//! follows what was said here, and if a name was taken twice, whoever came later has to choose another. The members of a node that dies
//! leave the lists within 8 s. `nats-server` takes messages of up to 1 MiB: other nodes get only the beginning of a longer text.

#[path = "../chat/history.rs"]
mod history;
#[path = "../chat/member.rs"]
mod member;
#[path = "../chat/messages.rs"]
mod messages;
#[path = "../chat/names.rs"]
mod names;
#[path = "../chat/pace.rs"]
mod pace;
#[path = "../chat/serve.rs"]
mod serve;
#[path = "../chat/site.rs"]
mod site;
#[path = "../chat/telling.rs"]
mod telling;

mod ears;
#[cfg(test)]
#[expect(dead_code, reason = "these tests need less of it")]
#[path = "../../../ws-tokio/tests/support/exchange.rs"]
mod exchange;
mod letter;
mod listen;
mod log;
mod others;
mod people;
mod room;
mod rooms;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use tokio::task::JoinSet;
use ws_tokio::{BroadcastOptions, Hub, HubOptions, Nats, Redis, Slow, Tracker};

use crate::rooms::{Bounds, Rooms};

const USAGE: &str =
    "usage: cluster nats://ADDR|redis://ADDR [ADDR ...] [--origin ORIGIN] [--wasm DIR]";

const BOUNDS: Bounds = Bounds { rooms: 64, members: 50 };

/// What the command line asks for.
struct Config {
    engine: String,
    addresses: Vec<String>,
    origins: Vec<String>,
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
    let mut nodes = JoinSet::new();
    for address in config.addresses {
        let (hub, tracker) = (hub(&config.engine)?, Tracker::new());
        let rooms = Rooms::new(BOUNDS, hub);
        let mut router = site::router(rooms, config.origins.clone(), &tracker);
        if let Some(folder) = &config.wasm {
            router = router.merge(site::wasm(folder)?);
        }
        nodes.spawn(async move { serve::until_told_to_go(&address, router, &tracker).await });
    }
    while let Some(served) = nodes.join_next().await {
        served??;
    }
    Ok(())
}

/// Makes a node's hub over the engine with this URL.
fn hub(engine: &str) -> Result<Hub, Box<dyn Error + Send + Sync>> {
    match engine.split_once("://") {
        Some(("redis" | "rediss", _)) => Ok(Hub::over(Redis::new(engine)?, options())),
        _ => Ok(Hub::over(Nats::new(engine)?, options())),
    }
}

fn options() -> HubOptions {
    // Rooms notice what is dropped, and ask for it.
    let queues = BroadcastOptions::default().max_messages(1024).max_bytes(16 << 20);
    HubOptions::default().queues(queues.slow(Slow::DropOldest))
}

fn parse(mut args: impl Iterator<Item = String>) -> Option<Config> {
    let engine = args.next().filter(|engine| engine.contains("://"))?;
    let mut config = Config { engine, addresses: Vec::new(), origins: Vec::new(), wasm: None };
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--origin" => config.origins.push(args.next()?),
            "--wasm" => config.wasm = Some(args.next()?.into()),
            flag if flag.starts_with('-') => return None,
            _ => config.addresses.push(arg),
        }
    }
    if config.addresses.is_empty() {
        config.addresses = vec!["127.0.0.1:9001".to_owned(), "127.0.0.1:9002".to_owned()];
    }
    Some(config)
}
