//! What each server is asked for, and what it comes to.

use std::error::Error;

use ws_tokio::{Compression, CompressionOptions};

/// How a connection ended is the peer's business.
pub(crate) type Ended = Result<(), Box<dyn Error + Send + Sync>>;

/// Serves a connection in a task of its own.
pub(super) fn spawn(echo: impl Future<Output = Ended> + Send + 'static) {
    drop(tokio::spawn(echo));
}

/// What is asked of a server's compression.
#[derive(Clone, Copy, Debug)]
pub struct Deflate {
    /// Whether, and whether with context takeover.
    pub takeover: Compression,
    /// How hard to try, from 0 to 9.
    pub level: u8,
}

impl Deflate {
    /// No compression.
    pub const OFF: Self = Self { takeover: Compression::Off, level: 0 };

    /// The same for this project: every message is deflated, however short.
    #[must_use]
    pub fn options(self) -> CompressionOptions {
        CompressionOptions::new(self.takeover).level(self.level).threshold(0)
    }

    /// Reads `off`, or `alone:LEVEL` or `takeover:LEVEL`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let Some((takeover, level)) = text.split_once(':') else {
            return (text == "off").then_some(Self::OFF);
        };
        let takeover = match takeover {
            "alone" => Compression::NoContextTakeover,
            "takeover" => Compression::ContextTakeover,
            _ => return None,
        };
        Some(Self { takeover, level: level.parse().ok()? })
    }

    /// What [`parse`](Self::parse) reads.
    #[must_use]
    pub fn to_argument(self) -> String {
        match self.takeover {
            Compression::Off => "off".to_owned(),
            Compression::NoContextTakeover => format!("alone:{}", self.level),
            Compression::ContextTakeover => format!("takeover:{}", self.level),
        }
    }
}
