//! The way to a target: addresses, proxy and TLS, up to the stream that a WebSocket handshake goes over.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use tokio::net::{TcpStream, lookup_host};
use ws_core::handshake::client::{Security, Target};

use super::error::ConnectError;
use super::progress::{Progress, Step};
#[cfg(feature = "proxy")]
use super::proxy::{Proxies, tunnel};
use super::race::race;
#[cfg(feature = "rustls")]
use crate::tls::{self, ClientTls};
use crate::transport::{AnyStream, Transport};

#[cfg(feature = "rustls")]
type TlsConfig = Arc<tls::ClientConfig>;
#[cfg(not(feature = "rustls"))]
type TlsConfig = std::convert::Infallible;

type Called<T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send>>;

/// Looks up the addresses of a host and a port.
pub(super) type Resolver = Arc<dyn Fn(String, u16) -> Called<Vec<SocketAddr>> + Send + Sync>;

/// Opens a stream to a target.
pub(super) type Dialer = Arc<dyn Fn(Target) -> Called<AnyStream> + Send + Sync>;

/// Which versions of HTTP a client offers by ALPN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Versions {
    Http1,
    /// HTTP/2 preferred.
    #[cfg(feature = "http2")]
    Both,
}

/// How to get to a target.
#[derive(Clone, Default)]
pub(super) struct Way {
    pub(super) resolver: Option<Resolver>,
    pub(super) dialer: Option<Dialer>,
    #[cfg(feature = "proxy")]
    pub(super) proxies: Proxies,
    #[cfg(feature = "rustls")]
    pub(super) tls: ClientTls,
}

impl Way {
    /// Opens a stream to the target, through TLS if its URL asks for it, to speak one of these versions.
    pub(super) async fn dial(
        &self,
        target: &Target,
        versions: Versions,
        progress: &Progress,
    ) -> Result<Transport, ConnectError> {
        match target.security() {
            Security::Plain => self.open(target, progress).await,
            // A `wss` URL is never spoken to in plain text.
            Security::Tls => {
                let config = self.config(versions)?;
                let stream = self.open(target, progress).await?;
                secure(config, target.host(), versions, stream, progress).await
            }
        }
    }

    async fn open(&self, target: &Target, progress: &Progress) -> Result<Transport, ConnectError> {
        if let Some(dialer) = &self.dialer {
            progress.begin(Step::Dial);
            return Ok(Transport::Any(dialer(target.clone()).await?));
        }
        #[cfg(feature = "proxy")]
        if let Some(proxy) = self.proxies.proxy_for(target) {
            let (host, port) = proxy.address();
            let stream = match proxy.security() {
                Security::Plain => self.tcp(host, port, progress).await?,
                Security::Tls => {
                    let config = self.config(Versions::Http1)?;
                    let stream = self.tcp(host, port, progress).await?;
                    secure(config, host, Versions::Http1, stream, progress).await?
                }
            };
            progress.begin(Step::Proxy);
            return Ok(tunnel(&proxy, stream, target).await?);
        }
        self.tcp(target.host(), target.port(), progress).await
    }

    /// Connects to whichever address of the host answers first.
    async fn tcp(
        &self,
        host: &str,
        port: u16,
        progress: &Progress,
    ) -> Result<Transport, ConnectError> {
        progress.begin(Step::Resolve);
        let addresses = match &self.resolver {
            Some(resolver) => resolver(host.to_owned(), port).await?,
            None => lookup_host((host, port)).await?.collect(),
        };
        progress.begin(Step::Dial);
        let stream = race(addresses, TcpStream::connect).await?;
        stream.set_nodelay(true)?;
        Ok(Transport::Tcp(stream))
    }

    /// The configuration of TLS, asked for before anything is opened: without it, nothing need be.
    #[cfg(feature = "rustls")]
    fn config(&self, versions: Versions) -> Result<TlsConfig, ConnectError> {
        let config = self.tls.config()?;
        #[cfg(feature = "http2")]
        if versions == Versions::Both {
            return Ok(tls::with_http2(&config));
        }
        _ = versions;
        Ok(config)
    }

    #[cfg(not(feature = "rustls"))]
    #[expect(clippy::unused_self, reason = "the feature's needs it")]
    fn config(&self, _: Versions) -> Result<TlsConfig, ConnectError> {
        Err(ConnectError::TlsUnsupported)
    }
}

#[cfg(feature = "rustls")]
async fn secure(
    config: TlsConfig,
    host: &str,
    versions: Versions,
    stream: Transport,
    progress: &Progress,
) -> Result<Transport, ConnectError> {
    progress.begin(Step::Tls);
    let spoken: &[&[u8]] = match versions {
        Versions::Http1 => &[tls::HTTP_1],
        #[cfg(feature = "http2")]
        Versions::Both => &[tls::HTTP_2, tls::HTTP_1],
    };
    Ok(Transport::Tls(Box::new(tls::connect(config, host, spoken, stream).await?)))
}

#[cfg(not(feature = "rustls"))]
#[expect(clippy::unused_async, reason = "the feature's waits")]
async fn secure(
    config: TlsConfig,
    _: &str,
    _: Versions,
    _: Transport,
    _: &Progress,
) -> Result<Transport, ConnectError> {
    match config {}
}

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut way = f.debug_struct("Way");
        way.field("resolver", &self.resolver.is_some()).field("dialer", &self.dialer.is_some());
        #[cfg(feature = "proxy")]
        way.field("proxies", &self.proxies);
        #[cfg(feature = "rustls")]
        way.field("tls", &self.tls);
        way.finish()
    }
}
