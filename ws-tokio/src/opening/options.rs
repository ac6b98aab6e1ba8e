//! Options that both sides of a handshake share.

use std::time::Duration;

#[cfg(feature = "deflate")]
use ws_core::deflate::{AgreedCompression, CompressionOptions};
use ws_core::handshake::http1::{HeadLimits, HeadReader};

use super::head::Deadline;
use crate::connection::Negotiated;
use crate::settings::Settings;

/// Options that both sides of a handshake share.
#[derive(Clone, Debug)]
pub(crate) struct HandshakeOptions {
    pub(crate) head_limits: HeadLimits,
    pub(crate) timeout: Duration,
    #[cfg(feature = "deflate")]
    pub(crate) compression: CompressionOptions,
    pub(crate) settings: Settings,
}

impl HandshakeOptions {
    /// Returns the deadline of a handshake that begins now.
    pub(crate) fn deadline(&self) -> Deadline {
        Deadline::after(self.timeout)
    }

    /// Returns a reader for the peer's head.
    pub(crate) fn reader(&self) -> HeadReader {
        HeadReader::new(self.head_limits)
    }

    /// Adds the negotiated compression, if any, with these options.
    #[cfg(feature = "deflate")]
    pub(crate) fn compressing(
        &self,
        negotiated: Negotiated,
        agreed: Option<AgreedCompression>,
    ) -> Negotiated {
        match agreed {
            Some(agreed) => negotiated.compression(agreed, self.compression),
            None => negotiated,
        }
    }
}

/// Adds the subprotocol, if any.
pub(crate) fn speaking(negotiated: Negotiated, subprotocol: Option<&str>) -> Negotiated {
    match subprotocol {
        Some(subprotocol) => negotiated.subprotocol(subprotocol),
        None => negotiated,
    }
}

impl Default for HandshakeOptions {
    fn default() -> Self {
        Self {
            head_limits: HeadLimits::default(),
            timeout: Duration::from_secs(10),
            #[cfg(feature = "deflate")]
            compression: CompressionOptions::default(),
            settings: Settings::default(),
        }
    }
}
