//! Where a handler's replies go.

use ws_core::{CloseCode, CloseFrame, MessageRef, Utf8Bytes};

use crate::error::Error;
use crate::outbound::Outbound;

/// The sending side of a connection, as [`Connection::run`](crate::Connection::run) lends it to its handler.
///
/// What is put in leaves in one write, once all that one read brought is handled.
#[derive(Debug)]
pub struct Outbox<'a>(&'a mut Outbound);

impl<'a> Outbox<'a> {
    pub(super) const fn new(outbound: &'a mut Outbound) -> Self {
        Self(outbound)
    }

    /// Queues a message. An outbox over its limit ([`Settings::queue_limit`](crate::Settings), 1 MiB) takes it all
    /// the same, and no further message is handled until the queue has drained.
    ///
    /// # Errors
    /// [`Error::Send`] after a close frame was sent, [`Error::Io`] where the transport failed.
    #[inline]
    pub fn send<'m>(&mut self, message: impl Into<MessageRef<'m>>) -> Result<(), Error> {
        self.0.message(message.into())
    }

    /// Queues a close frame. The handler is still called for the messages that come before the peer's.
    ///
    /// # Errors
    /// [`Error::Send`] for a code that may not be sent or a reason of more than 123 bytes: nothing is sent then.
    pub fn close(&mut self, code: CloseCode, reason: impl Into<Utf8Bytes>) -> Result<(), Error> {
        self.0.close(Some(CloseFrame::new(code, reason)?));
        Ok(())
    }

    /// Bytes queued and not yet written.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.0.queued()
    }
}
