//! Messages in, bytes out: what the decoder yields is what the encoder takes.

use bytes::Bytes;
use ws_mask::MaskKey;

use crate::close_frame::CloseFrame;
use crate::error::EncodeError;
use crate::header::Header;
use crate::mask_keys::MaskKeys;
use crate::message::{Control, Message, MessageKind, MessageRef, More, PieceRef};
use crate::opcode::Opcode;
use crate::pool::Pool;
use crate::send_queue::{PayloadWriter, SendQueue};

/// Smallest payload in bytes that a server queues by reference rather than by copy.
///
/// Below it, a copy is cheaper than two more entries in a vectored write.
pub const BY_REFERENCE_FROM: usize = 16 * 1024;

/// Turns one direction's messages into bytes in a [`SendQueue`].
///
/// Each call queues all of its frame or, with an error, nothing.
#[derive(Debug)]
pub struct Encoder {
    /// To own mask keys is to be the client.
    keys: Option<Box<MaskKeys>>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Between messages.
    Between,
    /// In a message that is sent in pieces.
    Inside(MessageKind),
    /// A close frame was queued: nothing may follow it.
    Closed,
}

impl Encoder {
    /// The encoder of a server, which masks nothing.
    #[must_use]
    pub const fn server() -> Self {
        Self { keys: None, state: State::Between }
    }

    /// The encoder of a client, which masks each frame with the next of these keys.
    #[must_use]
    pub fn client(keys: MaskKeys) -> Self {
        Self { keys: Some(Box::new(keys)), state: State::Between }
    }

    /// Queues a message as one frame, its payload copied, and masked on the way where this is a client.
    ///
    /// # Errors
    /// [`EncodeError::Closed`] after a close frame, [`EncodeError::MessageUnderWay`] inside a streamed message.
    #[inline]
    pub fn message(
        &mut self,
        message: MessageRef<'_>,
        out: &mut SendQueue,
        pool: &mut dyn Pool,
    ) -> Result<(), EncodeError> {
        self.may_begin()?;
        let payload = message.as_bytes();
        out.copy(&self.header(message.kind().opcode(), More::Ended, payload.len()), payload, pool);
        Ok(())
    }

    /// Queues a message as one frame. A server queues a payload of 16 KiB or more by reference; the payload is
    /// never changed.
    ///
    /// # Errors
    /// As [`message`](Self::message).
    pub fn owned(
        &mut self,
        message: Message,
        out: &mut SendQueue,
        pool: &mut dyn Pool,
    ) -> Result<(), EncodeError> {
        if self.keys.is_some() || message.as_bytes().len() < BY_REFERENCE_FROM {
            return self.message(message.as_ref(), out, pool);
        }
        self.may_begin()?;
        let opcode = message.kind().opcode();
        let payload: Bytes = message.into_bytes();
        out.reference(&self.header(opcode, More::Ended, payload.len()), payload, pool);
        Ok(())
    }

    /// Queues a message as one frame whose payload `fill` writes straight into the queue. What it writes as text
    /// must be UTF-8: the peer would close the connection with 1007.
    ///
    /// # Errors
    /// As [`message`](Self::message), or what `fill` failed with; nothing is queued then.
    pub fn message_with<E: From<EncodeError>>(
        &mut self,
        kind: MessageKind,
        out: &mut SendQueue,
        pool: &mut dyn Pool,
        fill: impl FnOnce(&mut PayloadWriter<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.may_begin()?;
        let header = self.header(kind.opcode(), More::Ended, 0);
        out.fill(header, pool, fill)
    }

    /// Queues a part of a message as one frame; the first piece begins the message, and the one that says
    /// [`More::Ended`] ends it. Control frames may pass between.
    ///
    /// # Errors
    /// [`EncodeError::Closed`] after a close frame, [`EncodeError::KindChanged`] where the piece is of another kind
    /// than the message under way.
    pub fn piece(
        &mut self,
        piece: PieceRef<'_>,
        out: &mut SendQueue,
        pool: &mut dyn Pool,
    ) -> Result<(), EncodeError> {
        let opcode = match self.state {
            State::Between => piece.kind.opcode(),
            State::Inside(kind) if kind == piece.kind => Opcode::Continuation,
            State::Inside(_) => return Err(EncodeError::KindChanged),
            State::Closed => return Err(EncodeError::Closed),
        };
        out.copy(&self.header(opcode, piece.more, piece.data.len()), piece.data, pool);
        self.state = match piece.more {
            More::Follows => State::Inside(piece.kind),
            More::Ended => State::Between,
        };
        Ok(())
    }

    /// Queues a control frame. After a close, nothing may follow.
    ///
    /// # Errors
    /// [`EncodeError::Closed`] after a close frame.
    pub fn control(
        &mut self,
        control: &Control,
        out: &mut SendQueue,
        pool: &mut dyn Pool,
    ) -> Result<(), EncodeError> {
        if self.is_closed() {
            return Err(EncodeError::Closed);
        }
        let close;
        let (opcode, payload): (Opcode, &[u8]) = match control {
            Control::Ping(payload) => (Opcode::Ping, payload),
            Control::Pong(payload) => (Opcode::Pong, payload),
            Control::Close(frame) => {
                self.state = State::Closed;
                close = frame.as_ref().map(CloseFrame::payload).unwrap_or_default();
                (Opcode::Close, &close)
            }
        };
        out.copy(&self.header(opcode, More::Ended, payload.len()), payload, pool);
        Ok(())
    }

    /// Whether a close frame was queued.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// Whether a message may begin now.
    ///
    /// # Errors
    /// [`EncodeError::Closed`] after a close frame, [`EncodeError::MessageUnderWay`] inside a streamed message.
    #[inline]
    pub fn may_begin(&self) -> Result<(), EncodeError> {
        match self.state {
            State::Between => Ok(()),
            State::Inside(_) => Err(EncodeError::MessageUnderWay),
            State::Closed => Err(EncodeError::Closed),
        }
    }

    #[inline]
    fn header(&mut self, opcode: Opcode, more: More, len: usize) -> Header {
        let mask: Option<MaskKey> = self.keys.as_mut().map(|keys| keys.next_key());
        Header { fin: more == More::Ended, rsv1: false, opcode, mask, len: len as u64 }
    }
}
