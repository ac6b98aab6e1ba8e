//! How a client connects: what it asks for, and within which bounds.

use std::time::Duration;

use http::header::{HeaderMap, HeaderName, HeaderValue};
#[cfg(feature = "deflate")]
use ws_core::deflate::CompressionOptions;
use ws_core::handshake::client::Offer;
use ws_core::handshake::http1::HeadLimits;

use super::error::ConnectError;
use crate::opening::HandshakeOptions;
use crate::settings::Settings;

/// How a client connects.
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
    pub(super) handshake: HandshakeOptions,
}

impl ConnectOptions {
    /// Adds a header to the request. Those that are the handshake's own are refused when connecting.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// Sets the request's `Host`. Default: the URL's.
    #[must_use]
    pub fn host(self, host: HeaderValue) -> Self {
        Self { host: Some(host), ..self }
    }

    /// Subprotocols to ask for, the one liked best first. Default none.
    #[must_use]
    pub fn subprotocols<I: IntoIterator<Item: Into<String>>>(self, subprotocols: I) -> Self {
        Self { subprotocols: subprotocols.into_iter().map(Into::into).collect(), ..self }
    }

    /// Whether and how to compress messages, where the server agrees. Default off; see
    /// [`Compression`](crate::Compression) for what it costs.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn compression(mut self, options: impl Into<CompressionOptions>) -> Self {
        self.handshake.compression = options.into();
        self
    }

    /// How large an answer's head may be. Default 16 KiB and 128 headers.
    #[must_use]
    pub fn head_limits(mut self, limits: HeadLimits) -> Self {
        self.handshake.head_limits = limits;
        self
    }

    /// How long connecting and the handshake may take together. Default 10 s; [`Duration::MAX`] is for ever.
    #[must_use]
    pub fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.handshake.timeout = timeout;
        self
    }

    /// How many redirects to follow. Default 0: a redirect is a refusal. Credentials don't go to another host,
    /// and TLS is not left for plain text.
    #[must_use]
    pub fn redirects(self, most: u8) -> Self {
        Self { redirects: most, ..self }
    }

    /// The settings of the connection.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.handshake.settings = settings;
        self
    }

    /// What is asked for, whatever the target.
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
