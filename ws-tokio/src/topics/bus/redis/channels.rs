//! Names of channels: the prefix, a colon, the topic's name.

use std::str;
use std::sync::Arc;

#[derive(Clone)]
pub(super) struct Channels {
    /// With the colon.
    prefix: Arc<str>,
}

impl Channels {
    pub(super) fn new(prefix: &str) -> Self {
        Self { prefix: format!("{prefix}:").into() }
    }

    pub(super) fn of(&self, topic: &str) -> String {
        [&self.prefix, topic].concat()
    }

    pub(super) fn topic<'a>(&self, channel: &'a [u8]) -> Option<&'a str> {
        str::from_utf8(channel.strip_prefix(self.prefix.as_bytes())?).ok()
    }
}
