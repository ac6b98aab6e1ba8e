//! A TCP server: accepts connections up to a limit, and serves each in its own task.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;

use super::error::AcceptError;
#[cfg(feature = "http2")]
use super::http2::Http2Connection;
use super::incoming::Incoming;
#[cfg(feature = "http2")]
use super::layer::WithHttp2;
use super::layer::{Layer, Opened, Plain};
use super::options::AcceptOptions;
use super::served::Served;
use super::serving::Serving;
use crate::connection::Connection;
use crate::events;
#[cfg(feature = "http2")]
use crate::http2::Http2Options;
#[cfg(feature = "rustls")]
use crate::tls::ServerTls;
#[cfg(feature = "http2")]
use crate::transport::Transport;

/// Shortest and longest pause after an error that may pass, such as too many open files.
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));

/// A TCP server, which accepts WebSocket connections and serves each in its own task.
///
/// Sets `TCP_NODELAY`, and the connection's peer address. Connections over a limit wait in the system's backlog. When
/// file descriptors run out, the server pauses, for 5 ms at first and then for up to 1 s.
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// use ws_tokio::Server;
///
/// let server = Server::bind("127.0.0.1:9001").await?.max_connections(10_000);
/// println!("listening on {}", server.local_addr()?);
/// server
///     .serve(|mut connection| async move {
///         _ = connection.run(|message, outbox| outbox.send(message)).await;
///     })
///     .await;
/// # Ok(())
/// # }
/// ```
///
/// # Graceful shutdown
///
/// As axum's users know it, [`Serving::with_graceful_shutdown`] goes on until a signal, and then closes the connections and waits
/// for them. The server keeps running meanwhile, so that late clients get a 503 and can retry elsewhere:
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// use std::time::Duration;
///
/// use ws_tokio::Server;
///
/// let server = Server::bind("127.0.0.1:9001").await?;
/// let shutdown = server
///     .serve(|mut connection| async move {
///         connection.run(|message, outbox| outbox.send(message)).await
///     })
///     .with_graceful_shutdown(tokio::signal::ctrl_c(), Duration::from_secs(10))
///     .await;
/// println!("{} connections were cut", shutdown.cut.len());
/// # Ok(())
/// # }
/// ```
pub struct Server<L = Plain> {
    listener: TcpListener,
    layer: L,
    options: AcceptOptions,
    max_connections: usize,
    max_handshakes: usize,
}

impl Server {
    /// Creates a server from a listener.
    #[must_use]
    pub fn new(listener: TcpListener) -> Self {
        Self {
            listener,
            layer: Plain,
            options: AcceptOptions::default(),
            max_connections: Semaphore::MAX_PERMITS,
            max_handshakes: 1024,
        }
    }

    /// Creates a server that listens on this address.
    ///
    /// # Errors
    /// As for [`TcpListener::bind`].
    pub async fn bind(address: impl tokio::net::ToSocketAddrs) -> io::Result<Self> {
        TcpListener::bind(address).await.map(Self::new)
    }

    /// Speaks TLS. Handshakes of TLS count against the handshake timeout and [`max_handshakes`](Self::max_handshakes); one that
    /// fails or stalls doesn't delay others. A connection's `get_ref` has the client's certificates and the protocol chosen by
    /// ALPN.
    ///
    /// See [`ServerTls`] for an example.
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn tls(self, tls: ServerTls) -> Server<ServerTls> {
        let Self { listener, layer: Plain, options, max_connections, max_handshakes } = self;
        Server { listener, layer: tls, options, max_connections, max_handshakes }
    }
}

impl<L: Layer> Server<L> {
    /// Speaks HTTP/2 as well (RFC 8441), by which one TCP connection carries many WebSockets: over TLS where the client chooses it
    /// (ALPN; the configuration of TLS need not name `h2`), over plain TCP where it begins with it. Each stream is served as a
    /// connection of its own, in a task of its own.
    ///
    /// A TCP connection over HTTP/2 counts as a connection, and so does each of its WebSockets; beyond
    /// [`max_connections`](Self::max_connections), of which one is kept for the next client, streams are refused. One on which no WebSocket is open
    /// for as long as a handshake may take is closed.
    ///
    /// ```no_run
    /// # async fn example() -> std::io::Result<()> {
    /// use ws_tokio::{Connection, Http2Options, Server};
    ///
    /// let server = Server::bind("127.0.0.1:9001").await?.http2(Http2Options::default());
    /// server
    ///     .serve(async |mut connection: Connection| {
    ///         connection.run(|message, outbox| outbox.send(message)).await
    ///     })
    ///     .await;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "http2")]
    #[must_use]
    pub fn http2(self, http2: Http2Options) -> Server<WithHttp2<L>>
    where
        WithHttp2<L>: Layer,
    {
        let Self { listener, layer, options, max_connections, max_handshakes } = self;
        let layer = WithHttp2 { below: layer, options: http2 };
        Server { listener, layer, options, max_connections, max_handshakes }
    }

    /// Sets the options for accepting connections.
    #[must_use]
    pub fn options(self, options: AcceptOptions) -> Self {
        Self { options, ..self }
    }

    /// Sets the maximum number of concurrent connections, at least 1. Default no limit; the system's limit on open
    /// files still applies.
    #[must_use]
    pub fn max_connections(self, most: usize) -> Self {
        Self { max_connections: most.clamp(1, Semaphore::MAX_PERMITS), ..self }
    }

    /// Sets the maximum number of concurrent handshakes, at least 1. Default 1024. A client that connects and sends
    /// nothing occupies one for up to [`AcceptOptions::handshake_timeout`].
    #[must_use]
    pub fn max_handshakes(self, most: usize) -> Self {
        Self { max_handshakes: most.clamp(1, Semaphore::MAX_PERMITS), ..self }
    }

    /// Returns the address that the server listens on.
    ///
    /// # Errors
    /// As for [`TcpListener::local_addr`].
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Accepts connections forever, and calls `handler` with each in its own task. An error that it returns is told to `tracing`,
    /// at DEBUG.
    ///
    /// # Cancel safety
    /// If dropped, no more connections are accepted; existing ones are still served.
    pub fn serve<H, F>(self, handler: H) -> Serving
    where
        H: Fn(Connection<L::Stream>) -> F + Send + Sync + 'static,
        F: Future<Output: Served> + Send + 'static,
    {
        let handler = Arc::new(handler);
        self.serve_incoming(move |incoming: Incoming<L::Stream>| {
            let handler = handler.clone();
            // On the heap, so that the task is no larger for it.
            let accepting = Box::pin(async { incoming.accept().await.ok() });
            async move {
                let Some(connection) = accepting.await else { return };
                handler(connection).await.tell();
            }
        })
    }

    /// Like [`serve`](Self::serve), but calls `handler` with each request, to accept or refuse it.
    ///
    /// # Cancel safety
    /// If dropped, no more connections are accepted; existing ones are still served.
    pub fn serve_incoming<H, F>(self, handler: H) -> Serving
    where
        H: Fn(Incoming<L::Stream>) -> F + Send + Sync + 'static,
        F: Future<Output: Served> + Send + 'static,
    {
        Serving::new(self.options.tracker.clone(), move |tracker| {
            let options = AcceptOptions { tracker, ..self.options };
            Box::pin(Self { options, ..self }.accept_forever(handler))
        })
    }

    async fn accept_forever<H, F>(self, handler: H)
    where
        H: Fn(Incoming<L::Stream>) -> F + Send + Sync + 'static,
        F: Future<Output: Served> + Send + 'static,
    {
        let connections = Arc::new(Semaphore::new(self.max_connections));
        let handshakes = Arc::new(Semaphore::new(self.max_handshakes));
        let shared = Arc::new((self.layer, self.options, handler));
        loop {
            let connection = permit(&connections).await;
            let handshake = permit(&handshakes).await;
            let (stream, peer) = accept(|| self.listener.accept()).await;
            let shared = shared.clone();
            #[cfg(feature = "http2")]
            let places = connections.clone();
            // On the heap, so that the task is no larger for it while it serves.
            let opening = Box::pin(async move {
                let opened = open(&shared, stream).await;
                drop(handshake);
                match opened {
                    Ok(Opened::One(incoming)) => {
                        Some(Box::pin((shared.2)(incoming.with_peer_addr(peer))))
                    }
                    #[cfg(feature = "http2")]
                    Ok(Opened::Many(streams)) => {
                        many(peer, streams, shared, places).await;
                        None
                    }
                    Err(_) => None,
                }
            });
            tokio::spawn(events::of_connection(peer, async move {
                if let Some(serving) = opening.await {
                    serving.await.tell();
                }
                drop(connection);
            }));
        }
    }
}

/// Accepts the next connection. Skips errors of a single connection, and pauses after any other.
async fn accept<T, F: Future<Output = io::Result<T>>>(mut next: impl FnMut() -> F) -> T {
    let mut pause = PAUSES.0;
    loop {
        match next().await {
            Ok(accepted) => return accepted,
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                events::cannot_listen(&error);
                sleep(pause).await;
                pause = (pause * 2).min(PAUSES.1);
            }
        }
    }
}

/// Returns whether the client left before it was accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

async fn open<L: Layer, H>(
    shared: &(L, AcceptOptions, H),
    stream: TcpStream,
) -> Result<Opened<L::Stream>, AcceptError> {
    let (layer, options, _) = shared;
    stream.set_nodelay(true)?;
    layer.open(stream, options).await
}

/// Serves each stream of an HTTP/2 connection in its own task.
#[cfg(feature = "http2")]
async fn many<L, H, F>(
    peer: SocketAddr,
    streams: Box<Http2Connection<Transport, L::Stream>>,
    shared: Arc<(L, AcceptOptions, H)>,
    places: Arc<Semaphore>,
) where
    L: Layer,
    H: Fn(Incoming<L::Stream>) -> F + Send + Sync + 'static,
    F: Future<Output: Served> + Send + 'static,
{
    let take = |incoming: Incoming<L::Stream>, place| {
        let shared = shared.clone();
        tokio::spawn(events::of_connection(peer, async move {
            (shared.2)(incoming.with_peer_addr(peer)).await.tell();
            drop(place);
        }));
    };
    // On the heap, so that what opens a connection over HTTP/1.1 is no larger for it.
    Box::pin(streams.serve(&shared.1, &places, take)).await;
}

async fn permit(semaphore: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    semaphore.clone().acquire_owned().await.expect("never closed")
}

impl<L> fmt::Debug for Server<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("listener", &self.listener).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use tokio::time::Instant;

    use super::*;

    /// Returns the total pause of a listener that fails with these errors in turn.
    async fn paused(failures: impl IntoIterator<Item = io::ErrorKind>) -> Duration {
        let mut failures = failures.into_iter();
        let begin = Instant::now();
        accept(|| ready(failures.next().map_or(Ok(()), |kind| Err(kind.into())))).await;
        begin.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn where_descriptors_run_out_it_pauses_longer_and_longer_and_goes_on() {
        // `ErrorKind` has no variant for this error.
        let out_of_descriptors = io::ErrorKind::Other;
        assert_eq!(paused([out_of_descriptors; 3]).await, Duration::from_millis(5 + 10 + 20));
        let long = paused([out_of_descriptors; 100]).await - paused([out_of_descriptors; 99]).await;
        assert_eq!(long, Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_was_gone_before_it_was_accepted_costs_no_pause() {
        let gone = [io::ErrorKind::ConnectionAborted, io::ErrorKind::ConnectionReset];
        assert_eq!(paused(gone).await, Duration::ZERO);
    }
}
