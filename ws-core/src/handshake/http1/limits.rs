//! How much of a head is held for a peer that has proved nothing yet.

/// Limits of a head. Default: 16 KiB, 128 headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    pub(super) bytes: usize,
    pub(super) headers: usize,
}

impl HeadLimits {
    /// Longest head, from its first byte to its empty line's end. Default 16 KiB; each handshake
    /// under way can make us hold that much.
    pub fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// Most header lines, repeated ones counted each. Default 128.
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
