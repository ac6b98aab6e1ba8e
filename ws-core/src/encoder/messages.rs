//! Whole messages, in one frame each.

use bytes::Bytes;

use super::by_ref::CHUNK;
use super::payload_writer::PayloadWriter;
use super::send_queue::SendQueue;
use super::{BY_REFERENCE_FROM, Coding, Encoder};
use crate::error::EncodeError;
use crate::message::piece::More;
use crate::message::prepared::PreparedMessage;
use crate::message::{Message, MessageKind, MessageRef};
use crate::pool::Pool;

impl Encoder {
    /// Queues a message as one frame, copying its payload; a client masks it in the same pass.
    ///
    /// # Errors
    /// [`EncodeError::Closed`] after a close frame, [`EncodeError::MessageUnderWay`] inside a streamed message.
    #[inline(always)]
    pub fn message(
        &mut self,
        message: MessageRef<'_>,
        out: &mut SendQueue,
        pool: &mut dyn Pool,
    ) -> Result<(), EncodeError> {
        self.may_begin()?;
        self.whole(message.kind(), message.as_bytes(), out, pool);
        Ok(())
    }

    /// Queues a message as one frame. An uncompressed payload is queued by reference if it is large: by a server from 16 KiB
    /// on, by a client, which masks it in parts as they are written, above 512 KiB. The payload is never changed.
    ///
    /// # Errors
    /// As [`message`](Self::message).
    pub fn owned(
        &mut self,
        message: Message,
        out: &mut SendQueue,
        pool: &mut dyn Pool,
    ) -> Result<(), EncodeError> {
        if !self.shares(message.as_bytes()) {
            return self.message(message.as_ref(), out, pool);
        }
        self.may_begin()?;
        let kind = message.kind();
        self.extras.count_whole(message.as_bytes().len());
        match self.deflated(message.as_bytes(), pool) {
            Some(deflated) => self.queue_deflated(kind.opcode(), More::Ended, deflated, out, pool),
            None => self.share(kind, Coding::Plain, message.into_bytes(), out, pool),
        }
        Ok(())
    }

    /// Queues a message that was prepared for many connections, as [`owned`](Self::owned) does. It is compressed once
    /// for all connections that keep no context to send and have a large enough window; others are sent it
    /// uncompressed.
    ///
    /// # Errors
    /// As [`message`](Self::message).
    pub fn prepared(
        &mut self,
        message: &PreparedMessage,
        out: &mut SendQueue,
        pool: &mut dyn Pool,
    ) -> Result<(), EncodeError> {
        self.may_begin()?;
        let (plain, kind) = (message.message().as_bytes(), message.message().kind());
        let (coding, payload) = match message.deflated_for(self.extras.stage(), pool) {
            Some(deflated) => (Coding::Deflated, deflated),
            None => (Coding::Plain, plain),
        };
        self.extras.count_whole(plain.len());
        self.share(kind, coding, payload.clone(), out, pool);
        Ok(())
    }

    /// Queues a message as one frame whose payload `fill` writes, straight into the queue unless it is compressed. Text
    /// must be UTF-8; otherwise the peer closes the connection with 1007.
    ///
    /// # Errors
    /// As [`message`](Self::message), or the error of `fill`; nothing is queued then.
    pub fn message_with<E: From<EncodeError>>(
        &mut self,
        kind: MessageKind,
        out: &mut SendQueue,
        pool: &mut dyn Pool,
        fill: impl FnOnce(&mut PayloadWriter<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.may_begin()?;
        // Its length, which decides about compression, isn't known in advance.
        if self.extras.stage().is_none_or(|deflater| deflater.is_off()) {
            let header = self.header(kind.opcode(), Coding::Plain, More::Ended, 0);
            return out.fill(header, pool, fill).map(|len| self.extras.count_whole(len));
        }
        let mut payload = pool.take();
        payload.clear();
        let filled = PayloadWriter::fill(&mut payload, fill);
        if filled.is_ok() {
            self.whole(kind, &payload, out, pool);
        }
        pool.give(payload);
        filled
    }

    /// Queues a whole message, copying its payload.
    #[inline]
    pub(super) fn whole(
        &mut self,
        kind: MessageKind,
        payload: &[u8],
        out: &mut SendQueue,
        pool: &mut dyn Pool,
    ) {
        self.extras.count_whole(payload.len());
        if self.coding(payload.len()) == Coding::Deflated {
            if let Some(deflated) = self.deflated(payload, pool) {
                return self.queue_deflated(kind.opcode(), More::Ended, deflated, out, pool);
            }
        }
        let header = self.header(kind.opcode(), Coding::Plain, More::Ended, payload.len());
        out.copy(&header, payload, pool);
    }

    /// Queues a payload as it is: by reference if it is large.
    fn share(
        &mut self,
        kind: MessageKind,
        coding: Coding,
        payload: Bytes,
        out: &mut SendQueue,
        pool: &mut dyn Pool,
    ) {
        let header = self.header(kind.opcode(), coding, More::Ended, payload.len());
        if self.shares(&payload) {
            out.reference(&header, payload, pool);
        } else {
            out.copy(&header, &payload, pool);
        }
    }

    /// Whether an uncompressed payload is queued by reference.
    #[inline]
    const fn shares(&self, payload: &[u8]) -> bool {
        if self.keys.is_none() { payload.len() >= BY_REFERENCE_FROM } else { payload.len() > CHUNK }
    }
}
