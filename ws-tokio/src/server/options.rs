//! Options of a server.

use std::time::Duration;

#[cfg(feature = "deflate")]
use ws_core::deflate::CompressionOptions;
use ws_core::handshake::http1::HeadLimits;
use ws_core::handshake::origin::OriginPolicy;
use ws_core::handshake::server::Policy;

use crate::opening::HandshakeOptions;
use crate::settings::Settings;

/// Options for accepting connections. Make them once, and use them for all.
///
/// ```
/// use ws_tokio::{AcceptOptions, Settings};
///
/// let options = AcceptOptions::default()
///     .subprotocols(["chat.v2", "chat"])
///     .settings(Settings::default().max_message(64 << 10));
/// ```
#[derive(Clone, Debug, Default)]
pub struct AcceptOptions {
    pub(super) policy: Policy,
    pub(super) handshake: HandshakeOptions,
}

impl AcceptOptions {
    /// Sets the subprotocols that the server speaks, in order of preference. Default none. Matched in any case. If
    /// there is none in common the handshake still succeeds, but a browser that asked for one fails the connection.
    #[must_use]
    pub fn subprotocols<I: IntoIterator<Item: Into<String>>>(self, subprotocols: I) -> Self {
        Self { policy: self.policy.subprotocols(subprotocols), ..self }
    }

    /// Sets which web pages may connect. Default [`OriginPolicy::SameHost`]: those of the request's own host, and
    /// clients that send no origin, which browsers always do.
    #[must_use]
    pub fn origins(self, origins: OriginPolicy) -> Self {
        Self { policy: self.policy.origins(origins), ..self }
    }

    /// Sets whether and how to compress messages, if the client offers to. Default off; see
    /// [`Compression`](crate::Compression) for its costs.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn compression(mut self, options: impl Into<CompressionOptions>) -> Self {
        self.handshake.compression = options.into();
        Self { policy: self.policy.compression(self.handshake.compression), ..self }
    }

    /// Sets the limits on the request's head. Default 16 KiB and 128 headers; more is refused with 431.
    #[must_use]
    pub fn head_limits(mut self, limits: HeadLimits) -> Self {
        self.handshake.head_limits = limits;
        self
    }

    /// Sets how long the handshake may take. Default 10 s, for which a silent peer can hold a connection;
    /// [`Duration::MAX`] means for ever.
    #[must_use]
    pub fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.handshake.timeout = timeout;
        self
    }

    /// Sets the settings of the connections.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.handshake.settings = settings;
        self
    }
}
