//! Client options.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncRead, AsyncWrite};
#[cfg(feature = "rustls")]
use tokio_rustls::rustls::pki_types::CertificateDer;
#[cfg(feature = "rustls")]
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
#[cfg(feature = "deflate")]
use ws_core::deflate::CompressionOptions;
use ws_core::handshake::client::{Offer, Target};
use ws_core::handshake::http1::HeadLimits;

use super::dial::Way;
use super::error::ConnectError;
#[cfg(feature = "http2")]
use super::http2::Sessions;
#[cfg(feature = "proxy")]
use super::proxy::{Proxies, Proxy};
#[cfg(feature = "http2")]
use crate::http2::Http2Options;
use crate::opening::HandshakeOptions;
use crate::settings::Settings;
use crate::transport::AnyStream;

/// Options for connecting.
///
/// ```
/// use ws_tokio::ConnectOptions;
/// use ws_tokio::http::header::{AUTHORIZATION, HeaderValue};
///
/// let options = ConnectOptions::default()
///     .header(AUTHORIZATION, HeaderValue::from_static("Bearer token"))
///     .subprotocols(["chat"]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct ConnectOptions {
    headers: HeaderMap,
    host: Option<HeaderValue>,
    subprotocols: Vec<String>,
    pub(super) redirects: u8,
    pub(super) way: Way,
    pub(super) handshake: HandshakeOptions,
    #[cfg(feature = "http2")]
    pub(super) sessions: Option<Sessions>,
}

impl ConnectOptions {
    /// Adds a header to the request. Connecting fails if the handshake itself sets that header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// Sets the request's `Host` header. Default: the URL's host.
    #[must_use]
    pub fn host(self, host: HeaderValue) -> Self {
        Self { host: Some(host), ..self }
    }

    /// Sets the subprotocols to offer, in order of preference. Default none.
    #[must_use]
    pub fn subprotocols<I: IntoIterator<Item: Into<String>>>(self, subprotocols: I) -> Self {
        Self { subprotocols: subprotocols.into_iter().map(Into::into).collect(), ..self }
    }

    /// Sets whether and how messages are compressed if the server agrees. Default off; see
    /// [`Compression`](crate::Compression) for the costs.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn compression(mut self, options: impl Into<CompressionOptions>) -> Self {
        self.handshake.compression = options.into();
        self
    }

    /// Sets the limits on the response head. Default 16 KiB and 128 headers.
    #[must_use]
    pub fn head_limits(mut self, limits: HeadLimits) -> Self {
        self.handshake.head_limits = limits;
        self
    }

    /// Sets how long connecting may take in all: name, addresses, proxy, TLS and handshake. Default 10 s;
    /// [`Duration::MAX`] means for ever.
    #[must_use]
    pub fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.handshake.timeout = timeout;
        self
    }

    /// Sets the maximum number of redirects to follow. Default 0: a redirect is a refusal. Credentials are not sent to
    /// another host, and a redirect from TLS to plain text is an error.
    #[must_use]
    pub fn redirects(self, most: u8) -> Self {
        Self { redirects: most, ..self }
    }

    /// Sets how a host's addresses are looked up, in place of the system's resolver. Called with host and port; the
    /// addresses are tried in its order, families alternating (RFC 8305).
    ///
    /// ```
    /// # use ws_tokio::ConnectOptions;
    /// // What curl's `--resolve` does.
    /// let options = ConnectOptions::default()
    ///     .resolver(|_host, port| async move { Ok(vec![([127, 0, 0, 1], port).into()]) });
    /// ```
    #[must_use]
    pub fn resolver<R, F>(mut self, resolver: R) -> Self
    where
        R: Fn(String, u16) -> F + Send + Sync + 'static,
        F: Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static,
    {
        self.way.resolver = Some(Arc::new(move |host, port| Box::pin(resolver(host, port))));
        self
    }

    /// Sets how streams are opened, in place of TCP: for Unix sockets, tunnels, or tests. Resolver and proxies are not
    /// used then. TLS, if the URL asks for it, and the handshake go over the stream.
    ///
    /// ```
    /// # use ws_tokio::ConnectOptions;
    /// # #[cfg(unix)]
    /// # fn example() -> ConnectOptions {
    /// use tokio::net::UnixStream;
    ///
    /// ConnectOptions::default().dialer(|_target| UnixStream::connect("/run/chat.sock"))
    /// # }
    /// ```
    #[must_use]
    pub fn dialer<D, F, S>(mut self, dialer: D) -> Self
    where
        D: Fn(Target) -> F + Send + Sync + 'static,
        F: Future<Output = io::Result<S>> + Send + 'static,
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        self.way.dialer = Some(Arc::new(move |target| {
            let dialing = dialer(target);
            Box::pin(async move { dialing.await.map(AnyStream::new) })
        }));
        self
    }

    /// Sets a proxy for all connections. Default none.
    #[cfg(feature = "proxy")]
    #[must_use]
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.way.proxies = Proxies::All(proxy);
        self
    }

    /// Takes proxies from the environment's variables, as they are now: `HTTP_PROXY` for `ws`, `HTTPS_PROXY` for `wss`,
    /// `ALL_PROXY` for both, and `NO_PROXY` for hosts without one; upper or lower case. Default: the environment is not
    /// looked at.
    #[cfg(feature = "proxy")]
    #[must_use]
    pub fn proxy_from_env(mut self) -> Self {
        self.way.proxies = Proxies::environment();
        self
    }

    /// Sets the configuration of TLS: roots, client certificates, provider. It replaces everything that the features
    /// would choose. If it names no protocols for ALPN, `http/1.1` is offered.
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn tls(mut self, config: impl Into<Arc<ClientConfig>>) -> Self {
        self.way.tls = self.way.tls.with_config(config.into());
        self
    }

    /// Trusts one more root, beside those of the features or of [`tls_roots`](Self::tls_roots). Not used with a
    /// configuration of the caller's.
    ///
    /// ```no_run
    /// # fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use ws_tokio::ConnectOptions;
    /// use ws_tokio::rustls::pki_types::CertificateDer;
    /// use ws_tokio::rustls::pki_types::pem::PemObject;
    ///
    /// let ours = CertificateDer::from_pem_file("our-ca.pem")?;
    /// let options = ConnectOptions::default().add_tls_root(ours);
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn add_tls_root(mut self, root: CertificateDer<'static>) -> Self {
        self.way.tls = self.way.tls.with_root(root);
        self
    }

    /// Trusts these roots in place of those of the features.
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn tls_roots(mut self, roots: RootCertStore) -> Self {
        self.way.tls = self.way.tls.with_roots(roots);
        self
    }

    /// Prefers HTTP/2 (RFC 8441) for `wss` URLs, with these bounds: where the server speaks it, connections to it share one TCP
    /// connection, as long as these options and their clones are used. A server that doesn't allow WebSockets over HTTP/2 is asked
    /// over HTTP/1.1, then and later. Default: HTTP/1.1.
    ///
    /// See [`Http2Session`](crate::Http2Session) for HTTP/2 or nothing.
    #[cfg(feature = "http2")]
    #[must_use]
    pub fn prefer_http2(self, http2: Http2Options) -> Self {
        let sessions = Some(Sessions::new(http2, self.handshake.head_limits.longest()));
        Self { sessions, ..self }
    }

    /// Sets the settings of the connection.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.handshake.settings = settings;
        self
    }

    /// Returns the handshake offer, which is the same for every target.
    pub(super) fn offer(&self) -> Result<Offer, ConnectError> {
        let offer = Offer::new().headers(self.headers.clone())?.subprotocols(&self.subprotocols)?;
        #[cfg(feature = "deflate")]
        let offer = offer.compression(self.handshake.compression);
        Ok(match &self.host {
            Some(host) => offer.host(host.clone()),
            None => offer,
        })
    }
}
