//! A message as it is queued: with the topic that it was published to.

use std::fmt;
use std::sync::Arc;

use ws_core::PreparedMessage;

use super::gap::Gap;
use super::named::Named;
use crate::topics::queue::Item;

/// A message that was published to a topic of a [`Hub`](crate::Hub). Cheap to clone.
#[derive(Clone)]
pub struct Published(Arc<Parts>);

struct Parts {
    topic: Arc<Named>,
    key: Option<Arc<str>>,
    message: PreparedMessage,
}

impl Published {
    pub(super) fn new(topic: Arc<Named>, key: Option<&str>, message: PreparedMessage) -> Self {
        Self(Arc::new(Parts { topic, key: key.map(Arc::from), message }))
    }

    /// Returns the topic's name.
    #[must_use]
    pub fn topic(&self) -> &str {
        self.0.topic.name()
    }

    pub(super) fn topic_name(&self) -> &Arc<str> {
        self.0.topic.name()
    }

    /// Returns the key that it was published with.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.0.key.as_deref()
    }

    /// Returns the message.
    #[must_use]
    pub fn message(&self) -> &PreparedMessage {
        &self.0.message
    }
}

impl Item for Published {
    /// The topic by its name: one that ended and began again is the same to a subscriber.
    type Key = (Arc<Named>, Option<Arc<str>>);
    type Gap = Gap;

    fn key(&self) -> Self::Key {
        (self.0.topic.clone(), self.0.key.clone())
    }

    fn message(&self) -> &PreparedMessage {
        &self.0.message
    }

    fn dropped(&self) {
        self.0.topic.count_dropped();
    }
}

impl fmt::Debug for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Published")
            .field("topic", &self.topic())
            .field("key", &self.key())
            .field("message", self.0.message.message())
            .finish()
    }
}
