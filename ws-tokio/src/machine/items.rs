//! What a `Stream` gives for what is received: messages, at most one error, and then its end for ever.

use ws_core::Message;

use crate::error::Error;

/// What it gave last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Items {
    #[default]
    Message,
    Error,
    End,
}

impl Items {
    /// The item for what was received.
    pub(crate) fn next(
        &mut self,
        received: Result<Option<Message>, Error>,
    ) -> Option<Result<Message, Error>> {
        let item = match received {
            Ok(Some(message)) => Some(Ok(message)),
            Err(error) if *self == Self::Message => Some(Err(error)),
            Ok(None) | Err(_) => None,
        };
        *self = match &item {
            Some(Ok(_)) => Self::Message,
            Some(Err(_)) => Self::Error,
            None => Self::End,
        };
        item
    }

    /// Whether the end was given.
    pub(crate) fn has_ended(self) -> bool {
        self == Self::End
    }
}
