//! One message for many connections, encoded once.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use super::Message;
use crate::deflate::Deflater;
use crate::pool::Pool;

/// A message to send to many connections. Cloning it is cheap, a large payload is never copied for a server's
/// connections, and it is compressed at most once.
///
/// ```
/// use ws_core::{Encoder, PreparedMessage, SendQueue, Unpooled};
///
/// let news = PreparedMessage::new("news");
/// for mut encoder in [Encoder::server(), Encoder::server()] {
///     let mut queue = SendQueue::new();
///     encoder.prepared(&news, &mut queue, &mut Unpooled)?;
///     assert_eq!(queue.first_slice(), b"\x81\x04news");
/// }
/// # Ok::<(), ws_core::EncodeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct PreparedMessage(Arc<Forms>);

#[derive(Debug)]
struct Forms {
    plain: Message,
    /// Made for the first connection that can share it, at that connection's level; `None` inside if it isn't worth it.
    deflated: Option<OnceLock<Bytes>>,
}

impl PreparedMessage {
    /// Prepares a message.
    #[must_use]
    pub fn new(message: impl Into<Message>) -> Self {
        Self(Arc::new(Forms { plain: message.into(), deflated: Some(OnceLock::new()) }))
    }

    /// Prepares a message that is never compressed, because it is compressed already or because its length must not
    /// reveal a secret in it.
    #[must_use]
    pub fn plain(message: impl Into<Message>) -> Self {
        Self(Arc::new(Forms { plain: message.into(), deflated: None }))
    }

    /// Returns whether it is never compressed: whether [`plain`](Self::plain) prepared it.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.0.deflated.is_none()
    }

    /// Returns the message.
    #[must_use]
    pub fn message(&self) -> &Message {
        &self.0.plain
    }

    /// Returns the compressed payload, if this connection can share it and it is shorter.
    pub(crate) fn deflated_for(
        &self,
        deflater: Option<&Deflater>,
        pool: &mut dyn Pool,
    ) -> Option<&Bytes> {
        let plain = self.0.plain.as_bytes();
        let deflater = deflater.filter(|deflater| deflater.can_share(plain.len()))?;
        let deflated = self.0.deflated.as_ref()?.get_or_init(|| deflater.share(plain, pool));
        (deflated.len() < plain.len()).then_some(deflated)
    }
}
