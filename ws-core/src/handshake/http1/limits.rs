//! Limits on the size of a head.

use http::HeaderMap;

use super::error::HeadError;

/// Limits of a head. Default: 16 KiB, 128 headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    pub(super) bytes: usize,
    pub(super) headers: usize,
}

impl HeadLimits {
    /// Returns the longest head in bytes, for servers and clients that read heads by other means.
    pub fn longest(&self) -> usize {
        self.bytes
    }

    /// Checks the number of headers, where the head was read by other means.
    ///
    /// # Errors
    ///
    /// There are too many.
    pub fn check(&self, headers: &HeaderMap) -> Result<(), HeadError> {
        if headers.len() > self.headers {
            return Err(HeadError::TooManyHeaders { limit: self.headers });
        }
        Ok(())
    }

    /// Sets the longest head in bytes, including its empty line. Default 16 KiB; each handshake under way can make us
    /// hold that much.
    pub fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// Sets the most header lines; repeated headers count each. Default 128.
    pub fn headers(mut self, headers: usize) -> Self {
        self.headers = headers;
        self
    }
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self { bytes: 16 * 1024, headers: 128 }
    }
}
