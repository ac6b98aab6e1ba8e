//! What this end wants of compression.

/// Whether to compress, and what to remember for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Not at all.
    #[default]
    Off,
    /// Each message for itself, in both directions: a connection between messages owns no memory for it.
    NoContextTakeover,
    /// Each message with the earlier ones in mind, where the peer agrees: messages that are like each other become
    /// much smaller, and each connection owns up to 380 KiB to send and 32 KiB to receive.
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
    /// The defaults for this kind of compression.
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

    /// Smallest message to deflate, in bytes. Default 128 where our context is kept, else 512; 0 deflates all. Small
    /// messages shrink little, and each costs as much time as several KiB of sending plain.
    #[must_use]
    pub const fn threshold(mut self, bytes: usize) -> Self {
        self.threshold = Some(bytes);
        self
    }

    /// How hard to try, from 0 (not at all) to 9; more is 9. Default 2: with JSON and prose of 4 KiB it takes half the
    /// time of 6, zlib's own default, and its output is 2 to 20 % longer. 1 takes half of that again, and its output
    /// is another 15 to 30 % longer.
    #[must_use]
    pub const fn level(mut self, level: u8) -> Self {
        self.level = Level::nearest(level);
        self
    }

    /// Largest window of the server's direction, as the power of two of its bytes, from 9 to 15; what is outside
    /// counts as the nearest. Default 15, 32 KiB.
    ///
    /// Less costs compression, and saves a server that keeps its context memory (130 KiB of 380 KiB at the most) and
    /// a client as much as the window shrinks.
    #[must_use]
    pub const fn server_max_window_bits(mut self, bits: u8) -> Self {
        self.server_window = WindowBits::nearest(bits);
        self
    }

    /// Largest window of the client's direction, as
    /// [`server_max_window_bits`](Self::server_max_window_bits). A server can only ask for it where the client
    /// offered to be asked, which browsers do.
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

/// How hard to try: 0 to 9.
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

/// The power of two of a window that zlib can write: 9 to 15.
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

    /// What was agreed; `None` for 8, which zlib can't write.
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
