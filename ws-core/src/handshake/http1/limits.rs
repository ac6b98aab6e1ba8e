//! Limits on the size of a head.

/// Limits of a head. Default: 16 KiB, 128 headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    pub(super) bytes: usize,
    pub(super) headers: usize,
}

impl HeadLimits {
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
