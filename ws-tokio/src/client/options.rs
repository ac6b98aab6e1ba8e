//! Client options.

use std::time::Duration;

use http::header::{HeaderMap, HeaderName, HeaderValue};
#[cfg(feature = "deflate")]
use ws_core::deflate::CompressionOptions;
use ws_core::handshake::client::Offer;
use ws_core::handshake::http1::HeadLimits;

use super::error::ConnectError;
use crate::opening::HandshakeOptions;
use crate::settings::Settings;

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
    pub(super) handshake: HandshakeOptions,
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

    /// Sets the timeout for connecting and the handshake together. Default 10 s; [`Duration::MAX`] means no timeout.
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
