//! What an end does, and the count of what it did.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;

use crate::load::raw::payload;
use crate::servers::Ended;

/// What an end does, with the same message again and again.
#[derive(Debug)]
pub struct Work {
    /// Which of them.
    pub kind: Kind,
    /// The message.
    pub payload: Bytes,
    /// What was done, by all ends with this work.
    pub tally: Tally,
}

/// What an end does.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Sends a burst of so many messages, takes as many answers, and sends the next.
    Ask(usize),
    /// Takes messages.
    Take,
    /// Sends messages, as fast as the other end takes them.
    Give,
    /// Sends one message, and takes what comes: one answer, so that it waits from then on.
    Wait,
}

/// What was done.
#[derive(Debug)]
pub struct Tally {
    messages: AtomicU64,
    /// Why the first connection ended.
    ended: OnceLock<String>,
    /// Whether every byte that comes is compared.
    thorough: AtomicBool,
}

impl Work {
    /// This, with messages of `size` bytes.
    #[must_use]
    pub fn new(kind: Kind, size: usize) -> Self {
        let tally = Tally {
            messages: AtomicU64::new(0),
            ended: OnceLock::new(),
            thorough: AtomicBool::new(true),
        };
        Self { kind, payload: payload(size).into(), tally }
    }

    /// Reads the path that asks a server for this work.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let (kind, size) = path.split_once('/')?;
        let kind = match kind {
            "take" => Kind::Take,
            "give" => Kind::Give,
            _ => return None,
        };
        Some(Self::new(kind, size.parse().ok()?))
    }

    /// The path that asks a server for the other end's work.
    pub(super) fn asked(&self) -> String {
        match self.kind {
            Kind::Ask(_) | Kind::Wait => String::new(),
            Kind::Take => format!("give/{}", self.payload.len()),
            Kind::Give => format!("take/{}", self.payload.len()),
        }
    }

    /// Compares a message that came with the one that it has to be: all of it at first, then the length and both ends, so that
    /// comparing costs nothing beside receiving.
    ///
    /// # Panics
    ///
    /// If it isn't that.
    #[inline]
    pub fn check(&self, came: &[u8]) {
        let expected = &self.payload[..];
        assert_eq!(came.len(), expected.len(), "a message of another length");
        let same = if self.tally.thorough.load(Ordering::Relaxed) {
            came == expected
        } else {
            let some = came.len().min(16);
            came[..some] == expected[..some]
                && came[came.len() - some..] == expected[expected.len() - some..]
        };
        assert!(same, "a message came different");
    }

    /// Counts messages.
    #[inline]
    pub fn done(&self, messages: usize) {
        self.tally.messages.fetch_add(messages as u64, Ordering::Relaxed);
    }
}

impl Tally {
    /// Messages so far.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.messages.load(Ordering::Relaxed)
    }

    /// Only lengths and ends are compared from here on.
    pub fn trust(&self) {
        self.thorough.store(false, Ordering::Relaxed);
    }

    /// Fails if a connection ended.
    ///
    /// # Panics
    ///
    /// If one did.
    pub fn check_all_work(&self) {
        assert_eq!(self.ended.get(), None, "a connection ended");
    }

    pub(super) fn ended(&self, ended: Ended) {
        _ = self.ended.set(ended.map_or_else(|error| error.to_string(), |()| "closed".to_owned()));
    }
}
