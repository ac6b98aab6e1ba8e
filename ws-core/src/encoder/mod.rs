//! The sending direction: messages in, bytes out.

mod by_ref;
mod compression;
mod messages;
pub(crate) mod payload_writer;
pub(crate) mod send_queue;

use ws_mask::MaskKey;

use crate::counts::Counts;
use crate::deflate::Deflater;
use crate::error::EncodeError;
use crate::extras::Extras;
use crate::frame::close_frame::CloseFrame;
use crate::frame::control::Control;
use crate::frame::header::Header;
use crate::frame::mask_keys::MaskKeys;
use crate::frame::opcode::Opcode;
use crate::message::MessageKind;
use crate::message::piece::{More, PieceRef};
use crate::pool::Pool;
use crate::role::Role;
use send_queue::SendQueue;

/// Smallest payload in bytes that a server queues by reference rather than by copy.
///
/// Below it, a copy is cheaper than two more entries in a vectored write.
pub const BY_REFERENCE_FROM: usize = 16 * 1024;

/// Encodes the messages of one direction into a [`SendQueue`].
///
/// Each call queues its frame whole or, on an error, not at all.
#[derive(Debug)]
pub struct Encoder {
    /// A client owns mask keys.
    keys: Option<Box<MaskKeys>>,
    state: State,
    /// A compressor, if compression was agreed.
    extras: Extras<Deflater>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Between messages.
    Between,
    /// In a message that is sent in pieces.
    Inside(MessageKind, Coding),
    /// A close frame was queued; nothing may follow it.
    Closed,
}

/// How a frame's payload encodes the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Plain,
    Deflated,
}

impl Encoder {
    /// Makes a server's encoder, which doesn't mask.
    #[must_use]
    pub const fn server() -> Self {
        Self { keys: None, state: State::Between, extras: Extras::NONE }
    }

    /// Makes a client's encoder, which masks each frame with the next key.
    #[must_use]
    pub fn client(keys: MaskKeys) -> Self {
        Self { keys: Some(Box::new(keys)), ..Self::server() }
    }

    /// Returns the role of this end: a client masks.
    #[must_use]
    pub const fn role(&self) -> Role {
        if self.keys.is_some() { Role::Client } else { Role::Server }
    }

    /// Enables counting. To be called before the first message.
    #[must_use]
    pub fn counted(mut self) -> Self {
        self.extras.count();
        self
    }

    /// Returns the counts of what was queued, if counting is enabled.
    #[must_use]
    pub fn counts(&self) -> Option<Counts> {
        self.extras.counts()
    }

    /// Queues a piece of a message as one frame. The first piece begins the message, and the one with [`More::Ended`]
    /// ends it. Control frames may be queued in between. The size of the first piece decides whether the message is
    /// compressed; the peer can decompress each piece when it arrives.
    ///
    /// # Errors
    /// [`EncodeError::Closed`] after a close frame, [`EncodeError::KindChanged`] if the piece is of a different kind
    /// than its message.
    pub fn piece(
        &mut self,
        piece: PieceRef<'_>,
        out: &mut SendQueue,
        pool: &mut dyn Pool,
    ) -> Result<(), EncodeError> {
        let PieceRef { kind, data, more } = piece;
        let (opcode, coding) = match (self.state, more) {
            (State::Between, More::Ended) => {
                self.whole(kind, data, out, pool);
                return Ok(());
            }
            (State::Between, More::Follows) => (kind.opcode(), self.coding(data.len())),
            (State::Inside(begun, coding), _) if begun == kind => (Opcode::Continuation, coding),
            (State::Inside(..), _) => return Err(EncodeError::KindChanged),
            (State::Closed, _) => return Err(EncodeError::Closed),
        };
        self.extras.count_frame();
        self.extras.count_part(data.len());
        match (self.extras.stage_mut(), coding) {
            (Some(deflater), Coding::Deflated) => {
                let deflated = deflater.piece(data, more, pool);
                self.queue_deflated(opcode, more, deflated, out, pool);
            }
            (_, Coding::Plain | Coding::Deflated) => {
                out.copy(&self.header(opcode, Coding::Plain, more, data.len()), data, pool);
            }
        }
        self.state = match more {
            More::Follows => State::Inside(kind, coding),
            More::Ended => {
                self.extras.count_end();
                State::Between
            }
        };
        Ok(())
    }

    /// Queues a control frame. Nothing may follow a close frame.
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
        self.extras.count_frame();
        out.copy(&self.header(opcode, Coding::Plain, More::Ended, payload.len()), payload, pool);
        Ok(())
    }

    /// Queues the answer that the protocol requires to a control frame ([`Control::reply`]). After a close frame was queued
    /// it does nothing: the peer's close frame is then the answer to ours.
    pub fn reply(&mut self, to: &Control, out: &mut SendQueue, pool: &mut dyn Pool) {
        if let Some(reply) = to.reply() {
            // It only fails if a close frame was queued.
            _ = self.control(&reply, out, pool);
        }
    }

    /// Returns whether a close frame was queued.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// Checks whether a message may begin.
    ///
    /// # Errors
    /// [`EncodeError::Closed`] after a close frame, [`EncodeError::MessageUnderWay`] inside a streamed message.
    #[inline]
    pub fn may_begin(&self) -> Result<(), EncodeError> {
        match self.state {
            State::Between => Ok(()),
            State::Inside(..) => Err(EncodeError::MessageUnderWay),
            State::Closed => Err(EncodeError::Closed),
        }
    }

    #[inline]
    fn header(&mut self, opcode: Opcode, coding: Coding, more: More, len: usize) -> Header {
        let mask: Option<MaskKey> = self.keys.as_mut().map(|keys| keys.next_key());
        // Only a message's first frame says that it is compressed (RFC 7692, 6.1).
        let rsv1 = coding == Coding::Deflated && opcode != Opcode::Continuation;
        Header { fin: more == More::Ended, rsv1, opcode, mask, len: len as u64 }
    }
}
