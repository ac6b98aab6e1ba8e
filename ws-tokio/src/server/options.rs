//! How a server accepts: what it agrees to, and within which bounds.

use std::time::Duration;

#[cfg(feature = "deflate")]
use ws_core::deflate::CompressionOptions;
use ws_core::handshake::http1::HeadLimits;
use ws_core::handshake::origin::OriginPolicy;
use ws_core::handshake::server::Policy;

use crate::opening::HandshakeOptions;
use crate::settings::Settings;

/// How a server accepts connections. Made once, used for each.
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
    /// Subprotocols that this server speaks, the one it likes best first. Default none. They are matched in any
    /// case; none in common is no error, but a browser that asked for one then fails the connection.
    #[must_use]
    pub fn subprotocols<I: IntoIterator<Item: Into<String>>>(self, subprotocols: I) -> Self {
        Self { policy: self.policy.subprotocols(subprotocols), ..self }
    }

    /// Which web pages may connect. Default [`OriginPolicy::SameHost`]: those of the request's own host, and
    /// whoever sends no origin, which browsers always do.
    #[must_use]
    pub fn origins(self, origins: OriginPolicy) -> Self {
        Self { policy: self.policy.origins(origins), ..self }
    }

    /// Whether and how to compress messages, where the client offers to. Default off; see
    /// [`Compression`](crate::Compression) for what it costs.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn compression(mut self, options: impl Into<CompressionOptions>) -> Self {
        self.handshake.compression = options.into();
        Self { policy: self.policy.compression(self.handshake.compression), ..self }
    }

    /// How large a request's head may be. Default 16 KiB and 128 headers; more is refused with 431.
    #[must_use]
    pub fn head_limits(mut self, limits: HeadLimits) -> Self {
        self.handshake.head_limits = limits;
        self
    }

    /// How long the handshake may take. Default 10 s; a silent peer can hold a connection for that long.
    /// [`Duration::MAX`] is for ever.
    #[must_use]
    pub fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.handshake.timeout = timeout;
        self
    }

    /// The settings of the connections.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.handshake.settings = settings;
        self
    }
}
