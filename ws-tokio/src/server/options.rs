//! Server options.

use std::time::Duration;

#[cfg(feature = "deflate")]
use ws_core::deflate::CompressionOptions;
use ws_core::handshake::http1::HeadLimits;
use ws_core::handshake::origin::OriginPolicy;
use ws_core::handshake::server::{Accepted, Policy, Refusal};

use super::tracker::Tracker;
use crate::connection::Negotiated;
use crate::machine::Ticket;
use crate::opening::HandshakeOptions;
use crate::settings::Settings;

/// Options for accepting connections. Create them once and reuse them.
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
    pub(crate) policy: Policy,
    pub(crate) handshake: HandshakeOptions,
    pub(super) tracker: Option<Tracker>,
}

impl AcceptOptions {
    /// Sets the supported subprotocols, in order of preference. Default none. Names are matched case-insensitively. If
    /// the client offers none of them, the handshake still succeeds, but a browser that offered one fails the
    /// connection.
    #[must_use]
    pub fn subprotocols<I: IntoIterator<Item: Into<String>>>(self, subprotocols: I) -> Self {
        Self { policy: self.policy.subprotocols(subprotocols), ..self }
    }

    /// Sets which web pages may connect. Default [`OriginPolicy::SameHost`]: pages of the request's own host. Clients
    /// that send no `Origin` are always accepted; browsers always send it.
    ///
    /// ```
    /// use ws_tokio::AcceptOptions;
    /// use ws_tokio::handshake::origin::OriginPolicy;
    ///
    /// let pages = OriginPolicy::patterns(["https://example.com", "https://*.example.com"]);
    /// let options = AcceptOptions::default().origins(pages);
    /// ```
    #[must_use]
    pub fn origins(self, origins: OriginPolicy) -> Self {
        Self { policy: self.policy.origins(origins), ..self }
    }

    /// Sets whether and how messages are compressed if the client offers it. Default off; see
    /// [`Compression`](crate::Compression) for the costs.
    ///
    /// ```
    /// use ws_tokio::{AcceptOptions, Compression};
    ///
    /// let options = AcceptOptions::default().compression(Compression::NoContextTakeover);
    /// ```
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn compression(mut self, options: impl Into<CompressionOptions>) -> Self {
        self.handshake.compression = options.into();
        Self { policy: self.policy.compression(self.handshake.compression), ..self }
    }

    /// Sets the limits on the request head. Default 16 KiB and 128 headers; a larger head is refused with 431.
    #[must_use]
    pub fn head_limits(mut self, limits: HeadLimits) -> Self {
        self.handshake.head_limits = limits;
        self
    }

    /// Sets the handshake timeout. Default 10 s, for which a silent client can hold a connection; [`Duration::MAX`]
    /// means no timeout.
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

    /// Sets the tracker that counts the connections and closes them on shutdown. Default none. Requests that come once the
    /// shutdown has begun are refused with 503.
    #[must_use]
    pub fn tracker(self, tracker: &Tracker) -> Self {
        Self { tracker: Some(tracker.clone()), ..self }
    }

    /// Returns what the connection of an accepted request has agreed on, but for the subprotocol, which may still change.
    pub(crate) fn negotiated(&self, accepted: &Accepted) -> Negotiated {
        let negotiated = Negotiated::default();
        #[cfg(feature = "deflate")]
        let negotiated = self.handshake.compressing(negotiated, accepted.compression());
        #[cfg(not(feature = "deflate"))]
        let _ = (self, accepted);
        negotiated
    }

    /// Returns a place for a connection in the tracker, if there is one.
    pub(crate) fn ticket(&self) -> Result<Option<Ticket>, Refusal> {
        self.tracker.as_ref().map(|tracker| tracker.enter().ok_or(Refusal::GoingDown)).transpose()
    }
}
