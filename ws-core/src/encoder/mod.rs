//! Messages in, bytes out: what the decoder yields is what the encoder takes.

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
use send_queue::SendQueue;

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
    /// A deflater, where permessage-deflate was agreed.
    extras: Extras<Deflater>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Between messages.
    Between,
    /// In a message that is sent in pieces.
    Inside(MessageKind, Coding),
    /// A close frame was queued: nothing may follow it.
    Closed,
}

/// What a frame's payload is of the message's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Plain,
    Deflated,
}

impl Encoder {
    /// The encoder of a server, which masks nothing.
    #[must_use]
    pub const fn server() -> Self {
        Self { keys: None, state: State::Between, extras: Extras::NONE }
    }

    /// The encoder of a client, which masks each frame with the next of these keys.
    #[must_use]
    pub fn client(keys: MaskKeys) -> Self {
        Self { keys: Some(Box::new(keys)), ..Self::server() }
    }

    /// Counts what is queued. To be said at the start of a connection.
    #[must_use]
    pub fn counted(mut self) -> Self {
        self.extras.count();
        self
    }

    /// What was queued so far, where it is counted.
    #[must_use]
    pub fn counts(&self) -> Option<Counts> {
        self.extras.counts()
    }

    /// Queues a part of a message as one frame; the first piece begins the message, and the one that says
    /// [`More::Ended`] ends it. Control frames may pass between. Whether the message is deflated depends on the size of
    /// its first piece; the peer can inflate each piece when it arrives.
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
        self.extras.count_frame();
        out.copy(&self.header(opcode, Coding::Plain, More::Ended, payload.len()), payload, pool);
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
