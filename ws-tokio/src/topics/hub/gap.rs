//! That messages were missed between nodes.

use std::fmt;
use std::sync::Arc;

use ws_core::PreparedMessage;

use super::named::Named;
use crate::topics::queue;

/// Says that messages of a topic may have been missed between nodes.
#[derive(Clone)]
pub struct Gap {
    topic: Arc<Named>,
    message: Option<PreparedMessage>,
}

impl Gap {
    pub(super) const fn new(topic: Arc<Named>, message: Option<PreparedMessage>) -> Self {
        Self { topic, message }
    }

    /// Returns the topic's name.
    #[must_use]
    pub fn topic(&self) -> &str {
        self.topic.name()
    }
}

impl queue::Gap for Gap {
    fn message(&self) -> Option<&PreparedMessage> {
        self.message.as_ref()
    }
}

impl PartialEq for Gap {
    fn eq(&self, other: &Self) -> bool {
        self.topic == other.topic
    }
}

impl Eq for Gap {}

impl fmt::Debug for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gap").field("topic", &self.topic()).finish_non_exhaustive()
    }
}
