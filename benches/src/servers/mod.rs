//! Echo servers, each as its crate's own documentation shows it at its best: ours, a floor, and the published peers.

mod asked;
mod broadcast;
pub(crate) mod floor;
mod http;
mod http2;
mod nodes;
mod ours;
pub(crate) mod peers;
pub mod tls;
pub(crate) mod upgrade;

use tokio::io::DuplexStream;
use tokio::net::TcpStream;
use ws_tokio::ServerTls;
use ws_tokio::tokio_rustls::TlsAcceptor;
use ws_tokio::tokio_rustls::server::TlsStream;

pub use asked::Deflate;
pub(crate) use asked::Ended;
use asked::spawn;

/// One way of serving one connection.
pub struct Server {
    /// What the tables call it.
    pub name: &'static str,
    /// Serves a TCP connection in a task of its own.
    pub tcp: fn(TcpStream, Deflate),
    /// Serves a connection over TLS by tokio-rustls in a task of its own.
    pub tls: fn(TlsStream<TcpStream>, Deflate),
    /// Serves a connection in memory in a task of its own.
    pub memory: fn(DuplexStream, Deflate),
}

/// One way of sending to all what one says.
pub struct Broadcaster {
    /// What the tables call it.
    pub name: &'static str,
    /// Serves a TCP connection in a task of its own.
    pub tcp: fn(TcpStream),
}

/// A row of [`SERVERS`].
macro_rules! server {
    ($name:literal, $echo:expr) => {
        Server {
            name: $name,
            tcp: |stream, deflate| spawn($echo(stream, deflate)),
            tls: |stream, deflate| spawn($echo(stream, deflate)),
            memory: |stream, deflate| spawn($echo(stream, deflate)),
        }
    };
}

/// Every server; the first is the floor that the others are compared with.
pub static SERVERS: &[Server] = &[
    server!("floor", floor::echo),
    server!("ws-tokio run", ours::run),
    server!("ws-tokio recv+feed", ours::recv),
    server!("ws-tokio recv+feed, split", ours::halves),
    server!("sockudo-ws", peers::sockudo_fed),
    server!("sockudo-ws send", peers::sockudo_sent),
    server!("yawc", peers::yawc_fed),
    server!("yawc send", peers::yawc_sent),
    server!("yawc small buffers", peers::yawc_small),
    server!("fastwebsockets", peers::fastwebsockets),
    server!("tokio-websockets", peers::tokio_websockets),
    server!("tokio-tungstenite", peers::tungstenite_fed),
    server!("tokio-tungstenite send", peers::tungstenite_sent),
];

/// One way of serving one connection over this project's own stream of TLS.
struct OwnTls {
    name: &'static str,
    tls: fn(ws_tokio::TlsStream<TcpStream>, Deflate),
}

static OWN_TLS: &[OwnTls] = &[
    OwnTls { name: "ws-tokio run", tls: |stream, deflate| spawn(ours::run(stream, deflate)) },
    OwnTls {
        name: "ws-tokio recv+feed",
        tls: |stream, deflate| spawn(ours::recv(stream, deflate)),
    },
];

/// Servers that send what one client says to all of them. The first is the floor.
pub static BROADCASTERS: &[Broadcaster] = &[
    Broadcaster { name: "broadcast: a bare write", tcp: |stream| spawn(broadcast::bare(stream)) },
    Broadcaster { name: "ws-tokio Broadcast", tcp: |stream| spawn(broadcast::topic(stream)) },
    Broadcaster {
        name: "ws-tokio send_prepared",
        tcp: |stream| spawn(broadcast::prepared(stream)),
    },
    Broadcaster { name: "broadcast: sockudo-ws", tcp: |stream| spawn(broadcast::sockudo(stream)) },
    Broadcaster {
        name: "broadcast: tokio-tungstenite",
        tcp: |stream| spawn(broadcast::tungstenite(stream)),
    },
];

/// One way of serving one connection behind an HTTP server.
pub struct Behind {
    /// What the tables call it.
    pub name: &'static str,
    /// Serves a TCP connection in tasks of its own.
    pub tcp: fn(TcpStream),
}

/// Every server behind an HTTP server.
pub static BEHIND_HTTP: &[Behind] = &[
    Behind { name: "ws-tokio run, axum", tcp: http::ours_run },
    Behind { name: "ws-tokio run, hyper", tcp: http::ours_hyper_run },
    Behind { name: "ws-tokio recv+feed, axum", tcp: http::ours_recv },
    Behind { name: "ws-tokio recv+feed, hyper", tcp: http::ours_hyper_recv },
    Behind { name: "axum's own ws", tcp: http::axums_own_fed },
    Behind { name: "axum's own ws, send", tcp: http::axums_own_sent },
    Behind { name: "sockudo-ws, axum", tcp: http::sockudo_fed },
    Behind { name: "sockudo-ws send, axum", tcp: http::sockudo_sent },
    Behind { name: "fastwebsockets, hyper", tcp: http::fastwebsockets },
    Behind { name: "yawc, hyper", tcp: http::yawc_fed },
    Behind { name: "yawc send, hyper", tcp: http::yawc_sent },
    Behind { name: "hyper-tungstenite", tcp: http::tungstenite_fed },
    Behind { name: "hyper-tungstenite send", tcp: http::tungstenite_sent },
];

/// Every server over HTTP/2. The first, and the one behind hyper, are the floors.
pub static OVER_HTTP2: &[Behind] = &[
    Behind { name: "h2: a bare stream", tcp: http2::bare },
    Behind { name: "h2: ws-tokio run", tcp: http2::ours_run },
    Behind { name: "h2: ws-tokio recv+feed", tcp: http2::ours_recv },
    Behind { name: "h2: sockudo-ws", tcp: http2::sockudo },
    Behind { name: "h2: a bare stream, hyper", tcp: http2::bare_hyper },
    Behind { name: "h2: ws-tokio run, hyper", tcp: http2::ours_hyper_run },
    Behind { name: "h2: ws-tokio run, axum", tcp: http2::ours_axum_run },
    Behind { name: "h2: yawc, hyper", tcp: http2::yawc },
    Behind { name: "h2: axum's own ws", tcp: http2::axums_own },
];

/// How the server of this name serves a TCP connection.
#[must_use]
pub fn find_tcp(name: &str, deflate: Deflate) -> Option<Box<dyn Fn(TcpStream) + Send + Sync>> {
    if let Some(server) = find(name) {
        return Some(Box::new(move |stream| (server.tcp)(stream, deflate)));
    }
    if let Some(node) = nodes::find(name) {
        return Some(Box::new(node));
    }
    if let Some(behind) = BEHIND_HTTP.iter().chain(OVER_HTTP2).find(|behind| behind.name == name) {
        return Some(Box::new(behind.tcp));
    }
    let broadcaster = BROADCASTERS.iter().find(|broadcaster| broadcaster.name == name)?;
    Some(Box::new(broadcaster.tcp))
}

/// How the server of this name serves a TCP connection through TLS: this project's by its own stream of TLS, or over that of
/// tokio-rustls if `, tokio-rustls` is behind the name; all others over the latter.
#[must_use]
pub fn find_tls(name: &str, deflate: Deflate) -> Option<Box<dyn Fn(TcpStream) + Send + Sync>> {
    if let Some(own) = OWN_TLS.iter().find(|own| own.name == name) {
        let tls = ServerTls::new(tls::config());
        return Some(Box::new(move |stream| {
            let tls = tls.clone();
            spawn(async move {
                // On the heap, as the handshake is larger than the task needs to be.
                (own.tls)(Box::pin(tls.accept(stream)).await?, deflate);
                Ok(())
            });
        }));
    }
    let name = name.strip_suffix(", tokio-rustls").unwrap_or(name);
    let (server, acceptor) = (find(name)?, TlsAcceptor::from(tls::config()));
    Some(Box::new(move |stream| {
        let accepting = acceptor.accept(stream);
        spawn(async move {
            (server.tls)(accepting.await?, deflate);
            Ok(())
        });
    }))
}

/// The server of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Server> {
    SERVERS.iter().find(|server| server.name == name)
}
