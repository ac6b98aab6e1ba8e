//! One message put together from its fragments, judged as they come.

use bytes::Bytes;
use ws_mask::{MaskKey, mask_extend};

use crate::error::DecodeError;
use crate::message::{Message, MessageKind, MessageRef};
use crate::pool::Pool;
use crate::utf8_bytes::Utf8Buf;

/// A payload of up to this many bytes moves out of a pooled buffer while its reader is parked.
const SMALL_REMAINDER: usize = 16 * 1024;

/// The payload so far.
#[derive(Debug)]
pub(super) enum Assembler {
    Text(Utf8Buf),
    Binary(Vec<u8>),
}

impl Assembler {
    pub(super) fn new(kind: MessageKind, pool: &mut dyn Pool) -> Self {
        let mut memory = pool.take();
        memory.clear();
        match kind {
            MessageKind::Text => Self::Text(Utf8Buf::new(memory)),
            MessageKind::Binary => Self::Binary(memory),
        }
    }

    /// Unmasks more of the message and adds it. `data` may be changed.
    pub(super) fn unmask(&mut self, data: &mut [u8], key: MaskKey) -> Result<MaskKey, DecodeError> {
        match self {
            Self::Text(text) => Ok(text.unmask(data, key)?),
            Self::Binary(bytes) => Ok(mask_extend(bytes, data, key)),
        }
    }

    /// The message, once all of it is here.
    pub(super) fn finish(&self) -> Result<MessageRef<'_>, DecodeError> {
        match self {
            Self::Text(text) => Ok(MessageRef::Text(text.finish()?)),
            Self::Binary(bytes) => Ok(MessageRef::Binary(bytes)),
        }
    }

    /// The message, once all of it is here, owned: in this memory where it fills at least half of it, else copied,
    /// so that a small message never pins a large buffer.
    pub(super) fn into_message(self, pool: &mut dyn Pool) -> Result<Message, DecodeError> {
        let message = self.finish()?;
        if message.as_bytes().len() < self.capacity() / 2 {
            let copy = message.to_message();
            pool.give(self.into_memory());
            return Ok(copy);
        }
        match self {
            Self::Text(text) => Ok(Message::Text(text.into_text()?)),
            Self::Binary(bytes) => Ok(Message::Binary(Bytes::from(bytes))),
        }
    }

    /// Moves what little has arrived out of a large buffer, which goes back to the pool.
    pub(super) fn park(&mut self, pool: &mut dyn Pool) {
        if self.len() > SMALL_REMAINDER || self.capacity() <= 2 * SMALL_REMAINDER {
            return;
        }
        pool.give(match self {
            Self::Text(text) => text.move_out(),
            Self::Binary(bytes) => {
                let moved = bytes.to_vec();
                std::mem::replace(bytes, moved)
            }
        });
    }

    fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
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
