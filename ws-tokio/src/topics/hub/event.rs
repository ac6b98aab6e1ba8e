//! What a subscriber hears: messages, and that some were missed.

use super::gap::Gap;
use super::published::Published;

/// What a [`Subscriber`](crate::Subscriber) receives.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum HubEvent {
    /// A message was published.
    Message(Published),
    /// Messages that other nodes published may have been missed: the bus was away, or could not keep up. A program that must know
    /// everything asks again for what it has missed. A hub on one node never tells this.
    Gap(Gap),
}

impl HubEvent {
    /// Returns the message, if it is one.
    #[must_use]
    pub fn into_message(self) -> Option<Published> {
        match self {
            Self::Message(published) => Some(published),
            Self::Gap(_) => None,
        }
    }
}
