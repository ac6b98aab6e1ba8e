//! An echo server: `cargo run --release -p ws-tokio --example echo_server [ADDR] [--compress[=takeover]] ...`
//!
//! With `--threads N`, so many threads serve: each with a current-thread runtime and a listener of its own, among which
//! the kernel deals out the connections (`SO_REUSEPORT`); or, with `--runtime multi`, as workers of one multi-thread
//! runtime. On Ctrl-C every connection is closed with 1001.
//!
//! With `--tls cert.pem key.pem` and the features `ring` or `aws-lc-rs`, it speaks TLS. This makes a certificate for trying:
//!
//! ```console
//! $ openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
//!     -days 30 -keyout key.pem -out cert.pem
//! ```

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime;
use tokio::sync::Notify;
use tokio::time::sleep;
#[cfg(feature = "rustls")]
use tokio::time::timeout;
use ws_tokio::{AcceptOptions, CloseCode, Compression, Error, Settings};

const USAGE: &str = "usage: echo_server [ADDR] [--threads N] [--runtime current|multi] \
    [--max-message BYTES] [--api run|recv] [--compress[=takeover]] [--heartbeat SECONDS] \
    [--subprotocol NAME] [--tls CERT KEY]";

/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;

/// How long a TLS handshake may take.
#[cfg(feature = "rustls")]
const HANDSHAKE: Duration = Duration::from_secs(10);

/// What the command line asks for.
#[derive(Clone)]
struct Config {
    address: String,
    threads: usize,
    runtime: Runtime,
    max_message: usize,
    api: Api,
    compression: Compression,
    /// How long a peer may be silent before it is pinged, and how long it may then take to answer.
    heartbeat: Option<Duration>,
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
        Ok(()) => ExitCode::SUCCESS,
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
            "--subprotocol" => config.subprotocol = Some(args.next()?),
            "--tls" => config.tls = Some((args.next()?, args.next()?)),
            flag if flag.starts_with('-') => return None,
            _ => config.address = arg,
        }
    }
    Some(config)
}

fn serve(config: &Config) -> io::Result<()> {
    let address = config.address.to_socket_addrs()?.next().ok_or(io::ErrorKind::NotFound)?;
    let (runtime, listener) = open(address, config)?;
    let address = listener.local_addr()?;
    let others =
        (1..config.listeners()).map(|_| open(address, config)).collect::<io::Result<Vec<_>>>()?;
    let scheme = if config.tls.is_some() { "wss" } else { "ws" };
    println!("listening on {scheme}://{address}");
    thread::scope(|scope| {
        for (runtime, listener) in others {
            scope.spawn(move || runtime.block_on(accept(listener, config)));
        }
        runtime.block_on(accept(listener, config))
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

/// Accepts until Ctrl-C.
async fn accept(listener: TcpListener, config: &Config) -> io::Result<()> {
    let mut settings = Settings::default().max_message(config.max_message);
    if let Some(heartbeat) = config.heartbeat {
        settings = settings.heartbeat(heartbeat, heartbeat);
    }
    let options = AcceptOptions::default()
        .settings(settings)
        .compression(config.compression)
        .subprotocols(config.subprotocol.clone());
    let layer = Layer::of(config)?;
    let server = Arc::new(Server { options, layer, stop: Notify::new() });
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => spawn(server.clone(), config.api, Box::new(stream)),
                // Out of descriptors, most likely: wait for connections to end.
                Err(_) => sleep(Duration::from_millis(50)).await,
            },
            stopped = tokio::signal::ctrl_c() => {
                stopped?;
                break;
            }
        }
    }
    // Every connection has its hand on the server. Again and again, for those that are still shaking hands.
    while Arc::strong_count(&server) > 1 {
        server.stop.notify_waiters();
        sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// What is spoken below WebSocket.
enum Layer {
    Plain,
    #[cfg(feature = "rustls")]
    Tls(ws_tokio::ServerTls),
}

impl Layer {
    fn of(config: &Config) -> io::Result<Self> {
        match &config.tls {
            None => Ok(Self::Plain),
            #[cfg(feature = "rustls")]
            Some((certificates, key)) => {
                let tls = ws_tokio::ServerTls::from_pem(&read(certificates)?, &read(key)?);
                tls.map(Self::Tls).map_err(io::Error::other)
            }
            #[cfg(not(feature = "rustls"))]
            Some(_) => Err(io::Error::other("TLS needs the feature `ring` or `aws-lc-rs`")),
        }
    }
}

#[cfg(feature = "rustls")]
fn read(file: &str) -> io::Result<Vec<u8>> {
    std::fs::read(file).map_err(|error| io::Error::new(error.kind(), format!("{file}: {error}")))
}

/// What all connections of a listener share.
struct Server {
    options: AcceptOptions,
    layer: Layer,
    stop: Notify,
}

/// Serves one connection; how it ended is the peer's business.
///
/// Most of what an idle connection takes is its task. So each way has a task of its own kind, and the stream, which only
/// the handshake needs, comes boxed.
fn spawn(server: Arc<Server>, api: Api, stream: Box<TcpStream>) {
    _ = stream.set_nodelay(true);
    match &server.layer {
        Layer::Plain => {}
        #[cfg(feature = "rustls")]
        Layer::Tls(tls) => {
            let tls = tls.clone();
            return drop(tokio::spawn(secure(server, tls, api, stream)));
        }
    }
    match api {
        Api::Run => drop(tokio::spawn(serve_by_run(server, stream))),
        Api::Recv => drop(tokio::spawn(serve_by_recv(server, stream))),
    }
}

#[cfg(feature = "rustls")]
async fn secure(server: Arc<Server>, tls: ws_tokio::ServerTls, api: Api, stream: Box<TcpStream>) {
    let Ok(Ok(stream)) = timeout(HANDSHAKE, tls.accept(*stream)).await else { return };
    match api {
        Api::Run => serve_by_run(server, Box::new(stream)).await,
        Api::Recv => serve_by_recv(server, Box::new(stream)).await,
    }
}

async fn serve_by_run<S>(server: Arc<Server>, stream: Box<S>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Ok(mut connection) = server.options.accept(*stream).await else { return };
    tokio::select! {
        _ = connection.run(|message, outbox| outbox.send(message)) => return,
        () = server.stop.notified() => {}
    }
    _ = connection.close(CloseCode::GOING_AWAY, "").await;
}

async fn serve_by_recv<S>(server: Arc<Server>, stream: Box<S>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Ok(mut connection) = server.options.accept(*stream).await else { return };
    let echo = async {
        loop {
            let Some(message) = connection.recv().await? else { return Ok::<(), Error>(()) };
            connection.feed(message).await?;
        }
    };
    tokio::select! {
        _ = echo => return,
        // Boxed, for beside `feed` it is what makes this task large.
        () = Box::pin(server.stop.notified()) => {}
    }
    _ = connection.close(CloseCode::GOING_AWAY, "").await;
}
