//! Assembling a message from its fragments, validating them as they arrive.

use bytes::Bytes;
use ws_mask::{MaskKey, mask_extend};

use crate::error::DecodeError;
use crate::message::{Message, MessageKind, MessageRef};
use crate::pool::{self, Pool};
use crate::text::utf8_bytes::Utf8Buf;

/// Largest message in bytes that is always copied, because new memory for the next one would cost more.
const COPY_UP_TO: usize = 64 * 1024;

/// The payload so far.
#[derive(Debug)]
pub(super) enum Assembler {
    Text(Utf8Buf),
    Binary(Vec<u8>),
}

impl Assembler {
    /// Makes an empty one in this memory.
    pub(super) fn new(kind: MessageKind, mut memory: Vec<u8>) -> Self {
        memory.clear();
        match kind {
            MessageKind::Text => Self::Text(Utf8Buf::new(memory)),
            MessageKind::Binary => Self::Binary(memory),
        }
    }

    /// Unmasks more of the message and appends it. `data` may be changed.
    pub(super) fn unmask(&mut self, data: &mut [u8], key: MaskKey) -> Result<MaskKey, DecodeError> {
        match self {
            Self::Text(text) => Ok(text.unmask(data, key)?),
            Self::Binary(bytes) => Ok(mask_extend(bytes, data, key)),
        }
    }

    /// Appends more of the message.
    pub(super) fn push(&mut self, data: &[u8]) -> Result<(), DecodeError> {
        match self {
            Self::Text(text) => text.push(data)?,
            Self::Binary(bytes) => bytes.extend_from_slice(data),
        }
        Ok(())
    }

    /// Returns the number of bytes so far.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }

    /// Returns the message, which must be complete.
    pub(super) fn finish(&self) -> Result<MessageRef<'_>, DecodeError> {
        match self {
            Self::Text(text) => Ok(MessageRef::Text(text.finish()?)),
            Self::Binary(bytes) => Ok(MessageRef::Binary(bytes)),
        }
    }

    /// Returns the message, which must be complete, as an owned one: in this memory if it is large and fills at least
    /// half of it, else copied, so that the pool gets its buffer back and a small message never pins a large one.
    pub(super) fn into_message(self, pool: &mut dyn Pool) -> Result<Message, DecodeError> {
        let message = self.finish()?;
        let len = message.as_bytes().len();
        if len <= COPY_UP_TO || len < self.capacity() / 2 {
            let copy = message.to_message();
            pool.give(self.into_memory());
            return Ok(copy);
        }
        match self {
            Self::Text(text) => Ok(Message::Text(text.into_text()?)),
            Self::Binary(bytes) => Ok(Message::Binary(Bytes::from(bytes))),
        }
    }

    /// Moves a small start of a message out of a large buffer, which goes back to the pool.
    pub(super) fn park(&mut self, pool: &mut dyn Pool) {
        match self {
            Self::Text(text) => text.park(pool),
            Self::Binary(bytes) => _ = pool::park(bytes, 0, pool),
        }
    }

    fn capacity(&self) -> usize {
        match self {
            Self::Text(text) => text.capacity(),
            Self::Binary(bytes) => bytes.capacity(),
        }
    }

    pub(super) fn into_memory(self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.into_memory(),
            Self::Binary(bytes) => bytes,
        }
    }
}
