//! Proxies: which one is for a target, and the tunnel through it.

use std::error;
use std::fmt;
use std::future::{Ready, ready};
use std::io;
use std::str::FromStr;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::BytesMut;
use http::header::{HOST, HeaderValue, PROXY_AUTHORIZATION};
use http::{Method, Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::connect::proxy::SocksV5;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use tower_service::Service;
use ws_core::handshake::client::{Security, Target};
use ws_core::handshake::http1::{HeadError, HeadLimits, HeadReader, write_request};

use crate::opening::{Rewound, read_head, write_head};
use crate::transport::{AnyStream, Transport};

/// A proxy that connections go through.
///
/// ```
/// use ws_tokio::{ConnectOptions, Proxy};
///
/// let proxy: Proxy = "http://user:password@proxy.example:3128".parse()?;
/// let options = ConnectOptions::default().proxy(proxy);
/// # Ok::<(), ws_tokio::ProxyError>(())
/// ```
///
/// | URL | protocol |
/// |---|---|
/// | `http://host:port` | CONNECT (RFC 9110, 9.3.6); default port 80 |
/// | `https://host:port` | CONNECT over TLS to the proxy, with the feature `rustls`; default port 443 |
/// | `socks5://host:port`, `socks5h://host:port` | SOCKS5 (RFC 1928, 1929), which looks up names itself; default port 1080 |
///
/// A user and password in the URL are for the proxy alone.
#[derive(Clone)]
pub struct Proxy(Intercept);

/// Which proxy is for a target.
#[derive(Clone, Debug, Default)]
pub(super) enum Proxies {
    #[default]
    None,
    All(Proxy),
    Environment(Arc<Matcher>),
}

/// An error of a proxy.
#[derive(Debug)]
#[non_exhaustive]
pub enum ProxyError {
    /// The proxy's URL can't be used: it is no URL, or of another scheme. It is not shown, since it may hold a password.
    Url,
    /// The proxy refused the tunnel; its response.
    Refused(Box<Response<()>>),
    /// The proxy's answer is not HTTP, or exceeds the limits.
    Head(HeadError),
    /// The proxy ended the stream without an answer.
    NoAnswer,
    /// A SOCKS5 proxy refused, or its answer can't be read.
    Socks(Box<dyn error::Error + Send + Sync>),
    /// The stream to the proxy failed.
    Io(io::Error),
}

impl Proxies {
    /// Those of the environment's variables, as they are now.
    pub(super) fn environment() -> Self {
        Self::Environment(Arc::new(Matcher::from_env()))
    }

    pub(super) fn proxy_for(&self, target: &Target) -> Option<Proxy> {
        match self {
            Self::None => None,
            Self::All(proxy) => Some(proxy.clone()),
            Self::Environment(matcher) => {
                let scheme = match target.security() {
                    Security::Plain => "http",
                    Security::Tls => "https",
                };
                let uri = format!("{scheme}://{}/", authority(target)).parse().ok()?;
                matcher.intercept(&uri).map(Proxy)
            }
        }
    }
}

impl Proxy {
    /// The host and port of the proxy.
    pub(super) fn address(&self) -> (&str, u16) {
        let uri = self.0.uri();
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let default = match self.scheme() {
            "https" => 443,
            "http" => 80,
            _ => 1080,
        };
        (host, uri.port_u16().unwrap_or(default))
    }

    /// Whether the proxy itself is spoken to over TLS.
    pub(super) fn security(&self) -> Security {
        if self.scheme() == "https" { Security::Tls } else { Security::Plain }
    }

    fn scheme(&self) -> &str {
        self.0.uri().scheme_str().unwrap_or("http")
    }
}

impl FromStr for Proxy {
    type Err = ProxyError;

    fn from_str(url: &str) -> Result<Self, ProxyError> {
        let any = Uri::from_static("http://host/");
        let proxy = Matcher::builder().all(url.trim()).build().intercept(&any).map(Self);
        let proxy = proxy.ok_or(ProxyError::Url)?;
        match proxy.scheme() {
            "http" | "https" | "socks5" | "socks5h" => Ok(proxy),
            _ => Err(ProxyError::Url),
        }
    }
}

impl fmt::Debug for Proxy {
    /// Without user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, port) = self.address();
        write!(f, "Proxy({}://{host}:{port})", self.scheme())
    }
}

/// Asks the proxy for a tunnel to the target, over a stream to the proxy.
pub(super) async fn tunnel(
    proxy: &Proxy,
    stream: Transport,
    target: &Target,
) -> Result<Transport, ProxyError> {
    match proxy.scheme() {
        "http" | "https" => connect(proxy.0.basic_auth(), stream, target).await,
        "socks5" | "socks5h" => socks(proxy.0.raw_auth(), stream, target).await,
        _ => Err(ProxyError::Url),
    }
}

/// Asks an HTTP proxy (RFC 9110, 9.3.6). Any 2xx is a tunnel; what came behind the answer is part of it.
async fn connect(
    authorization: Option<&HeaderValue>,
    mut stream: Transport,
    target: &Target,
) -> Result<Transport, ProxyError> {
    let mut head = Vec::new();
    write_request(&request(authorization, target)?, &mut head);
    write_head(&mut stream, &head).await?;
    let mut leftover = BytesMut::new();
    let mut reader = HeadReader::new(HeadLimits::default());
    loop {
        let parse = |buffer: &[u8]| reader.response(buffer).map_err(ProxyError::Head);
        let response = read_head(&mut stream, &mut leftover, parse).await?;
        let response = response.ok_or(ProxyError::NoAnswer)?;
        match response.status() {
            status if status.is_success() => {
                return Ok(if leftover.is_empty() {
                    stream
                } else {
                    Transport::Any(AnyStream::new(Rewound::new(stream, leftover)))
                });
            }
            status if status.is_informational() => {}
            _ => return Err(ProxyError::Refused(Box::new(response))),
        }
    }
}

fn request(
    authorization: Option<&HeaderValue>,
    target: &Target,
) -> Result<Request<()>, ProxyError> {
    let authority = authority(target);
    let mut request = Request::new(());
    *request.method_mut() = Method::CONNECT;
    *request.uri_mut() = authority.parse().map_err(|_| ProxyError::Url)?;
    let headers = request.headers_mut();
    headers.insert(HOST, authority.try_into().map_err(|_| ProxyError::Url)?);
    if let Some(authorization) = authorization {
        headers.insert(PROXY_AUTHORIZATION, authorization.clone());
    }
    Ok(request)
}

/// Always with a port, and with brackets around an IPv6 address.
fn authority(target: &Target) -> String {
    let (host, port) = (target.host(), target.port());
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// Asks a SOCKS5 proxy, which looks up the name.
async fn socks(
    credentials: Option<(&str, &str)>,
    stream: Transport,
    target: &Target,
) -> Result<Transport, ProxyError> {
    let mut socks = SocksV5::new(Uri::default(), Opened(Some(TokioIo::new(stream))));
    if let Some((user, password)) = credentials {
        socks = socks.with_auth(user.to_owned(), password.to_owned());
    }
    let uri = format!("http://{}/", authority(target)).parse().map_err(|_| ProxyError::Url)?;
    let tunnel = socks.call(uri).await.map_err(|error| ProxyError::Socks(error.into()))?;
    Ok(tunnel.into_inner())
}

/// A connector that has connected already.
struct Opened(Option<TokioIo<Transport>>);

impl Service<Uri> for Opened {
    type Response = TokioIo<Transport>;
    type Error = io::Error;
    type Future = Ready<io::Result<TokioIo<Transport>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        ready(self.0.take().ok_or_else(|| io::ErrorKind::NotConnected.into()))
    }
}

impl ProxyError {
    /// Returns the status with which an HTTP proxy refused.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Refused(response) => Some(response.status()),
            Self::Url | Self::Head(_) | Self::NoAnswer | Self::Socks(_) | Self::Io(_) => None,
        }
    }
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url => f.write_str("the proxy's URL is not of http, https, socks5 or socks5h"),
            Self::Refused(response) => write!(f, "the proxy refused with {}", response.status()),
            Self::Head(error) => write!(f, "the proxy's answer can't be read: {error}"),
            Self::NoAnswer => f.write_str("the proxy ended the stream without an answer"),
            Self::Socks(error) => write!(f, "the SOCKS5 proxy refused: {error}"),
            Self::Io(error) => write!(f, "the stream to the proxy failed: {error}"),
        }
    }
}

impl error::Error for ProxyError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Head(error) => Some(error),
            Self::Socks(error) => Some(&**error),
            Self::Io(error) => Some(error),
            Self::Url | Self::Refused(_) | Self::NoAnswer => None,
        }
    }
}

impl From<io::Error> for ProxyError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
