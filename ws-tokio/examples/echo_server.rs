//! An echo server: `cargo run --release -p ws-tokio --example echo_server [ADDR] [--compress[=takeover]] ...`
//!
//! With `--threads N`, so many threads serve: each with a current-thread runtime and a listener of its own, among which
//! the kernel deals out the connections (`SO_REUSEPORT`); or, with `--runtime multi`, as workers of one multi-thread
//! runtime. `docs/SCALING.md` says when to use which. `taskset -c 0-7 echo_server --threads 8` keeps them on these cores; to
//! pin each thread to one, call the crate `core_affinity` where a thread begins.
//!
//! On Ctrl-C or SIGTERM every connection of every thread is closed with 1001 and waited for, 10 s or what `--patience` says; it
//! prints how many it had to cut.
//!
//! With `--tls cert.pem key.pem` and the features `ring` or `aws-lc-rs`, it speaks TLS. This makes a certificate for trying:
//!
//! ```console
//! $ openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
//!     -days 30 -keyout key.pem -out cert.pem
//! ```

#[path = "support/signal.rs"]
mod signal;

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime;
use ws_tokio::{
    AcceptOptions, Compression, Connection, Error, Layer, Server, Serving, Settings, Shutdown,
    Tracker,
};

const USAGE: &str = "usage: echo_server [ADDR] [--threads N] [--runtime current|multi] \
    [--max-message BYTES] [--api run|recv] [--compress[=takeover]] [--heartbeat SECONDS] \
    [--patience SECONDS] [--subprotocol NAME] [--tls CERT KEY]";

/// Connections that wait to be accepted at each listener; Linux allows as many as `net.core.somaxconn`.
const BACKLOG: u32 = 4096;

/// What the command line asks for.
struct Config {
    address: String,
    threads: usize,
    runtime: Runtime,
    max_message: usize,
    api: Api,
    compression: Compression,
    /// How long a peer may be silent before it is pinged, and how long it may then take to answer.
    heartbeat: Option<Duration>,
    /// How long a shutdown waits for the connections.
    patience: Duration,
    subprotocol: Option<String>,
    /// The files of the certificate chain and of the private key.
    tls: Option<(String, String)>,
}

#[derive(Clone, Copy)]
enum Runtime {
    /// One for each thread.
    Current,
    /// One over all threads.
    Multi,
}

/// Which way of receiving the server shows.
#[derive(Clone, Copy)]
enum Api {
    /// `run`: a function for each message.
    Run,
    /// `recv` and `feed`: a loop.
    Recv,
}

impl Config {
    fn listeners(&self) -> usize {
        match self.runtime {
            Runtime::Current => self.threads,
            Runtime::Multi => 1,
        }
    }
}

fn main() -> ExitCode {
    let Some(config) = parse(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match serve(&config) {
        Ok(shutdown) => {
            println!("{} closed, {} cut", shutdown.closed, shutdown.cut.len());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}: {error}", config.address);
            ExitCode::FAILURE
        }
    }
}

fn parse(mut args: impl Iterator<Item = String>) -> Option<Config> {
    let mut config = Config {
        address: "127.0.0.1:9001".to_owned(),
        threads: 1,
        runtime: Runtime::Current,
        max_message: 1 << 20,
        api: Api::Run,
        compression: Compression::Off,
        heartbeat: None,
        patience: Duration::from_secs(10),
        subprotocol: None,
        tls: None,
    };
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--threads" => config.threads = args.next()?.parse::<NonZeroUsize>().ok()?.get(),
            "--runtime" => {
                config.runtime = match args.next()?.as_str() {
                    "current" => Runtime::Current,
                    "multi" => Runtime::Multi,
                    _ => return None,
                }
            }
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
            "--heartbeat" => {
                config.heartbeat = Some(Duration::from_secs(args.next()?.parse().ok()?));
            }
            "--patience" => config.patience = Duration::from_secs(args.next()?.parse().ok()?),
            "--subprotocol" => config.subprotocol = Some(args.next()?),
            "--tls" => config.tls = Some((args.next()?, args.next()?)),
            flag if flag.starts_with('-') => return None,
            _ => config.address = arg,
        }
    }
    Some(config)
}

fn serve(config: &Config) -> io::Result<Shutdown> {
    let address = config.address.to_socket_addrs()?.next().ok_or(io::ErrorKind::NotFound)?;
    let tls = tls(config)?;
    // One for all threads: a shutdown ends where the last connection of any of them has ended. It is touched when connections
    // begin and end, and never by a message.
    let tracker = Tracker::new();
    let (runtime, listener) = open(address, config)?;
    let address = listener.local_addr()?;
    let others =
        (1..config.listeners()).map(|_| open(address, config)).collect::<io::Result<Vec<_>>>()?;
    let scheme = if config.tls.is_some() { "wss" } else { "ws" };
    println!("listening on {scheme}://{address}");
    let (tracker, tls) = (&tracker, &tls);
    thread::scope(|scope| {
        for (runtime, listener) in others {
            // The first thread hears of the signal, the others of the shutdown that it begins.
            let serving = serving(listener, config, tls, tracker);
            let stop = tracker.closing();
            let served = serving.with_graceful_shutdown(stop, config.patience);
            scope.spawn(move || runtime.block_on(served));
        }
        let serving = serving(listener, config, tls, tracker);
        let served = serving.with_graceful_shutdown(signal::told_to_go(), config.patience);
        Ok(runtime.block_on(served))
    })
}

/// A runtime and its listener at an address.
fn open(address: SocketAddr, config: &Config) -> io::Result<(runtime::Runtime, TcpListener)> {
    let mut runtime = match config.runtime {
        Runtime::Current => runtime::Builder::new_current_thread(),
        Runtime::Multi => runtime::Builder::new_multi_thread(),
    };
    let runtime = runtime.worker_threads(config.threads).enable_all().build()?;
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    #[cfg(unix)]
    {
        socket.set_reuseaddr(true)?;
        socket.set_reuseport(config.listeners() > 1)?;
    }
    socket.bind(address)?;
    let listener = {
        let _inside = runtime.enter();
        socket.listen(BACKLOG)?
    };
    Ok((runtime, listener))
}

/// What serves a listener's connections, one in each task.
fn serving(listener: TcpListener, config: &Config, tls: &Tls, tracker: &Tracker) -> Serving {
    let mut settings = Settings::default().max_message(config.max_message);
    if let Some(heartbeat) = config.heartbeat {
        settings = settings.heartbeat(heartbeat, heartbeat);
    }
    let options = AcceptOptions::default()
        .settings(settings)
        .compression(config.compression)
        .subprotocols(config.subprotocol.clone())
        .tracker(tracker);
    let server = Server::new(listener).options(options);
    match tls {
        None => echo(server, config.api),
        #[cfg(feature = "rustls")]
        Some(tls) => echo(server.tls(tls.clone()), config.api),
        #[cfg(not(feature = "rustls"))]
        Some(never) => match *never {},
    }
}

fn echo<L: Layer>(server: Server<L>, api: Api) -> Serving {
    match api {
        Api::Run => server.serve(by_run),
        Api::Recv => server.serve(by_recv),
    }
}

async fn by_run<S>(mut connection: Connection<S>) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    connection.run(|message, outbox| outbox.send(message)).await
}

async fn by_recv<S>(mut connection: Connection<S>) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(message) = connection.recv().await? {
        connection.feed(message).await?;
    }
    Ok(())
}

#[cfg(feature = "rustls")]
type Tls = Option<ws_tokio::ServerTls>;
#[cfg(not(feature = "rustls"))]
type Tls = Option<std::convert::Infallible>;

#[cfg(feature = "rustls")]
fn tls(config: &Config) -> io::Result<Tls> {
    let read = |file: &String| {
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{file}: {error}"));
        std::fs::read(file).map_err(named)
    };
    let Some((certificates, key)) = &config.tls else { return Ok(None) };
    let tls = ws_tokio::ServerTls::from_pem(&read(certificates)?, &read(key)?);
    tls.map(Some).map_err(io::Error::other)
}

#[cfg(not(feature = "rustls"))]
fn tls(config: &Config) -> io::Result<Tls> {
    match config.tls {
        None => Ok(None),
        Some(_) => Err(io::Error::other("TLS needs the feature `ring` or `aws-lc-rs`")),
    }
}
