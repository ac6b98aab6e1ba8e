//! One of the echo servers: `peer_server NAME [off|alone:LEVEL|takeover:LEVEL [each:THREADS|pool:THREADS [tls]]]`; says where
//! it listens. `ws-tokio Hub`, or `ws-tokio Hub over URL`, is a node whose members are all in one topic; `flow: NAME` takes
//! messages or gives them, as the client asks by its path.
//!
//! On one thread, unless it is told otherwise: `each` has a current-thread runtime and a listener of its own for each thread,
//! among which the kernel deals out the connections (`SO_REUSEPORT`); `pool` is one multi-thread runtime.

use std::io;
use std::net::SocketAddr;
use std::thread;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::{Builder, Runtime};
use ws_benches::ends::{self, drive};
use ws_benches::servers::{BROADCASTERS, Deflate, SERVERS, find_tcp, find_tls, tls};
use ws_tokio::tokio_rustls::TlsAcceptor;

fn main() -> io::Result<()> {
    let mut args = std::env::args().skip(1);
    let name = args.next().unwrap_or_default();
    let deflate = args.next().map_or(Some(Deflate::OFF), |text| Deflate::parse(&text));
    let threads = args.next().map_or(Some(Threads::Each(1)), |text| Threads::parse(&text));
    let tls = args.next().is_some_and(|text| text == "tls");
    let find = |deflate| match name.strip_prefix("flow: ") {
        Some(end) => flow(end, tls),
        None if tls => find_tls(&name, deflate),
        None => find_tcp(&name, deflate),
    };
    let server = deflate.and_then(find);
    let (Some(server), Some(threads)) = (server, threads) else {
        let names = SERVERS.iter().map(|server| server.name);
        let names: Vec<_> =
            names.chain(BROADCASTERS.iter().map(|broadcaster| broadcaster.name)).collect();
        panic!(
            "usage: peer_server NAME [DEFLATE [each:THREADS|pool:THREADS]], NAME one of {names:?}"
        );
    };
    let (runtime, listener) = threads.open("127.0.0.1:0".parse().expect("an address"))?;
    let address = listener.local_addr()?;
    let others = (1..threads.listeners()).map(|_| threads.open(address));
    let others = others.collect::<io::Result<Vec<_>>>()?;
    println!("{address}");
    let serve = async |listener: TcpListener| {
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            server(stream);
        }
    };
    let serve = &serve;
    thread::scope(|scope| {
        for (runtime, listener) in others {
            scope.spawn(move || -> io::Result<()> { runtime.block_on(serve(listener)) });
        }
        runtime.block_on(serve(listener))
    })
}

/// A server whose ends take or give.
fn flow(name: &str, tls: bool) -> Option<Box<dyn Fn(TcpStream) + Send + Sync>> {
    let end = ends::find(name).ok()?;
    let acceptor = tls.then(|| TlsAcceptor::from(tls::config()));
    Some(Box::new(move |stream| {
        tokio::spawn(drive::serve(end, stream, acceptor.clone()));
    }))
}

/// How a server uses threads.
#[derive(Clone, Copy)]
enum Threads {
    Each(usize),
    Pool(usize),
}

impl Threads {
    fn parse(text: &str) -> Option<Self> {
        let (way, threads) = text.split_once(':')?;
        let threads = threads.parse().ok().filter(|&threads| threads > 0)?;
        match way {
            "each" => Some(Self::Each(threads)),
            "pool" => Some(Self::Pool(threads)),
            _ => None,
        }
    }

    const fn listeners(self) -> usize {
        match self {
            Self::Each(threads) => threads,
            Self::Pool(_) => 1,
        }
    }

    /// A runtime, and a listener of it.
    fn open(self, address: SocketAddr) -> io::Result<(Runtime, TcpListener)> {
        let runtime = match self {
            Self::Each(_) => Builder::new_current_thread().enable_all().build()?,
            Self::Pool(threads) => {
                Builder::new_multi_thread().worker_threads(threads).enable_all().build()?
            }
        };
        let socket = TcpSocket::new_v4()?;
        #[cfg(unix)]
        socket.set_reuseport(self.listeners() > 1)?;
        socket.bind(address)?;
        let listener = {
            let _inside = runtime.enter();
            socket.listen(1024)?
        };
        Ok((runtime, listener))
    }
}
