//! Messages in, bytes out: what the decoder yields is what the encoder takes.

mod compression;

use bytes::Bytes;
use ws_mask::MaskKey;

use crate::close_frame::CloseFrame;
use crate::counts::Counts;
use crate::deflate::Deflater;
use crate::error::EncodeError;
use crate::extras::Extras;
use crate::header::Header;
use crate::mask_keys::MaskKeys;
use crate::message::{Control, Message, MessageKind, MessageRef, More, PieceRef};
use crate::opcode::Opcode;
use crate::pool::Pool;
use crate::prepared::PreparedMessage;
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

    /// Queues a message as one frame, its payload copied, and masked on the way where this is a client.
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

    /// Queues a message as one frame. A server queues a payload of 16 KiB or more that stays plain by reference; the
    /// payload is never changed.
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

    /// Queues a message that many connections are sent, as [`owned`](Self::owned) queues one of its own. It is
    /// deflated once for all connections that keep no context to send and have a window that is large enough;
    /// the others are sent it plain.
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

    /// Queues a message as one frame whose payload `fill` writes, straight into the queue where it stays plain. What
    /// it writes as text must be UTF-8: the peer would close the connection with 1007.
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
        // How long it will be is known too late.
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

    /// Queues a whole message, its payload copied.
    #[inline]
    fn whole(
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

    /// Queues a payload as it is: by reference where it is large and this is a server.
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

    /// Whether a payload that stays plain is queued by reference.
    #[inline]
    const fn shares(&self, payload: &[u8]) -> bool {
        self.keys.is_none() && payload.len() >= BY_REFERENCE_FROM
    }

    #[inline]
    fn header(&mut self, opcode: Opcode, coding: Coding, more: More, len: usize) -> Header {
        let mask: Option<MaskKey> = self.keys.as_mut().map(|keys| keys.next_key());
        // Only a message's first frame says that it is compressed (RFC 7692, 6.1).
        let rsv1 = coding == Coding::Deflated && opcode != Opcode::Continuation;
        Header { fin: more == More::Ended, rsv1, opcode, mask, len: len as u64 }
    }
}
