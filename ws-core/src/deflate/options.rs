//! Options of compression.

/// Whether to compress, and with which context.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Compression {
    /// No compression.
    #[default]
    Off,
    /// Each message by itself, in both directions: a connection owns no memory for it between messages.
    NoContextTakeover,
    /// Each message with the earlier ones as context, if the peer agrees. Similar messages become much smaller, and
    /// each connection owns up to 380 KiB for sending and 32 KiB for receiving.
    ContextTakeover,
}

/// [`Compression`] in detail.
///
/// ```
/// # #[cfg(feature = "deflate")] {
/// use ws_core::deflate::{Compression, CompressionOptions};
///
/// let options = CompressionOptions::new(Compression::NoContextTakeover).threshold(256).level(6);
/// # _ = options;
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompressionOptions {
    pub(super) compression: Compression,
    pub(super) threshold: Option<usize>,
    pub(super) level: Level,
    pub(super) server_window: WindowBits,
    pub(super) client_window: WindowBits,
}

impl CompressionOptions {
    /// Makes default options for this kind of compression.
    #[must_use]
    pub const fn new(compression: Compression) -> Self {
        Self {
            compression,
            threshold: None,
            level: Level(2),
            server_window: WindowBits::MAX,
            client_window: WindowBits::MAX,
        }
    }

    /// Sets the smallest message to compress, in bytes. Default 128 if we keep our context, else 512; 0 compresses all.
    /// Small messages shrink little, and each costs as much time as sending several KiB uncompressed.
    #[must_use]
    pub const fn threshold(mut self, bytes: usize) -> Self {
        self.threshold = Some(bytes);
        self
    }

    /// Sets the level, from 0 (store only) to 9; more counts as 9. Default 2: with JSON and prose of 4 KiB, it takes
    /// half the time of zlib's default of 6, and its output is 2 to 20 % longer. Level 1 takes half of that again, and
    /// its output is another 15 to 30 % longer.
    #[must_use]
    pub const fn level(mut self, level: u8) -> Self {
        self.level = Level::nearest(level);
        self
    }

    /// Sets the largest window of the server's direction, as the power of two of its bytes, from 9 to 15; other values
    /// count as the nearest. Default 15, which is 32 KiB.
    ///
    /// A smaller window compresses less. It saves memory for a server that keeps its context (at most 130 of 380 KiB),
    /// and for a client as much as the window shrinks.
    #[must_use]
    pub const fn server_max_window_bits(mut self, bits: u8) -> Self {
        self.server_window = WindowBits::nearest(bits);
        self
    }

    /// Sets the largest window of the client's direction, as [`server_max_window_bits`](Self::server_max_window_bits)
    /// does. A server can only ask for it if the client allows that, as browsers do.
    #[must_use]
    pub const fn client_max_window_bits(mut self, bits: u8) -> Self {
        self.client_window = WindowBits::nearest(bits);
        self
    }
}

impl Default for CompressionOptions {
    fn default() -> Self {
        Self::new(Compression::Off)
    }
}

impl From<Compression> for CompressionOptions {
    fn from(compression: Compression) -> Self {
        Self::new(compression)
    }
}

/// A compression level, 0 to 9.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Level(u8);

impl Level {
    pub(crate) const fn nearest(level: u8) -> Self {
        Self(if level > 9 { 9 } else { level })
    }

    pub(crate) const fn get(self) -> u8 {
        self.0
    }
}

/// The power of two of a window that zlib can write, 9 to 15.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WindowBits(u8);

impl WindowBits {
    pub(crate) const MAX: Self = Self(15);

    pub(crate) const fn nearest(bits: u8) -> Self {
        Self(match bits {
            0..=8 => 9,
            9..=15 => bits,
            16.. => 15,
        })
    }

    /// Makes it from what was agreed; `None` for 8, which zlib can't write.
    pub(crate) const fn new(bits: u8) -> Option<Self> {
        match bits {
            9..=15 => Some(Self(bits)),
            _ => None,
        }
    }

    pub(crate) const fn get(self) -> u8 {
        self.0
    }
}
