//! The items of a `Stream` of messages: messages, then at most one error, then `None` forever.

use ws_core::Message;

use crate::error::Error;

/// The kind of the last item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Items {
    #[default]
    Message,
    Error,
    End,
}

impl Items {
    /// Converts the result of a receive into an item.
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

    /// Returns whether the stream has ended.
    pub(crate) fn has_ended(self) -> bool {
        self == Self::End
    }
}
