//! An echo server: `cargo run --release -p ws-tokio --example echo_server [ADDR] [--compress[=takeover]] ...`
//!
//! Each thread runs its own current-thread runtime and accepts from one shared listener. On Ctrl-C every connection
//! is closed with 1001.

use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;
use ws_tokio::{AcceptOptions, CloseCode, Compression, Connection, Error, Settings};

const USAGE: &str = "usage: echo_server [ADDR] [--threads N] [--max-message BYTES] [--api run|recv] \
    [--compress[=takeover]]";

/// What the command line asks for.
#[derive(Clone)]
struct Config {
    address: String,
    threads: usize,
    max_message: usize,
    api: Api,
    compression: Compression,
}

/// Which way of receiving the server shows.
#[derive(Clone, Copy)]
enum Api {
    /// `run`: a function for each message.
    Run,
    /// `recv` and `feed`: a loop.
    Recv,
}

fn main() -> ExitCode {
    let Some(config) = parse(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match serve(&config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", config.address);
            ExitCode::FAILURE
        }
    }
}

fn parse(mut args: impl Iterator<Item = String>) -> Option<Config> {
    let address = "127.0.0.1:9001".to_owned();
    let compression = Compression::Off;
    let mut config =
        Config { address, threads: 1, max_message: 1 << 20, api: Api::Run, compression };
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--threads" => config.threads = args.next()?.parse::<NonZeroUsize>().ok()?.get(),
            "--max-message" => config.max_message = args.next()?.parse().ok()?,
            "--api" => {
                config.api = match args.next()?.as_str() {
                    "run" => Api::Run,
                    "recv" => Api::Recv,
                    _ => return None,
                }
            }
            "--compress" => config.compression = Compression::NoContextTakeover,
            "--compress=takeover" => config.compression = Compression::ContextTakeover,
            flag if flag.starts_with('-') => return None,
            _ => config.address = arg,
        }
    }
    Some(config)
}

fn serve(config: &Config) -> io::Result<()> {
    let listener = TcpListener::bind(&config.address)?;
    listener.set_nonblocking(true)?;
    println!("listening on ws://{}", listener.local_addr()?);
    thread::scope(|scope| {
        for _ in 1..config.threads {
            let listener = listener.try_clone()?;
            scope.spawn(move || run_thread(listener, config));
        }
        run_thread(listener, config)
    })
}

/// Serves until Ctrl-C, on a runtime of this thread's own.
fn run_thread(listener: TcpListener, config: &Config) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let settings = Settings::default().max_message(config.max_message);
        let options = AcceptOptions::default().settings(settings).compression(config.compression);
        let server = Arc::new(Server { options, api: config.api, stop: Notify::new() });
        let (alive, mut ended) = mpsc::channel::<Infallible>(1);
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        tokio::spawn(serve_one(server.clone(), stream, alive.clone()));
                    }
                    // Out of descriptors, most likely: wait for connections to end.
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                },
                stopped = tokio::signal::ctrl_c() => {
                    stopped?;
                    break;
                }
            }
        }
        drop(alive);
        // Again and again, for those that are still shaking hands.
        loop {
            server.stop.notify_waiters();
            if timeout(Duration::from_millis(100), ended.recv()).await.is_ok() {
                return Ok(());
            }
        }
    })
}

/// What all connections of a thread share.
struct Server {
    options: AcceptOptions,
    api: Api,
    stop: Notify,
}

/// Serves one connection; how it ended is the peer's business. `_alive` tells the server when that was.
async fn serve_one(server: Arc<Server>, stream: TcpStream, _alive: mpsc::Sender<Infallible>) {
    _ = stream.set_nodelay(true);
    let Ok(mut connection) = server.options.accept(stream).await else { return };
    _ = tokio::select! {
        ended = echo(&mut connection, server.api) => ended,
        () = server.stop.notified() => connection.close(CloseCode::GOING_AWAY, "").await,
    };
}

async fn echo(connection: &mut Connection<TcpStream>, api: Api) -> Result<(), Error> {
    match api {
        Api::Run => connection.run(|message, outbox| outbox.send(message)).await,
        Api::Recv => {
            while let Some(message) = connection.recv().await? {
                connection.feed(message).await?;
            }
            Ok(())
        }
    }
}
