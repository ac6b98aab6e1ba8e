//! Queueing messages, whole or in pieces.

use tokio::io::AsyncWrite;
use ws_core::{
    EncodeError, Message, MessageKind, MessageRef, PayloadWriter, PieceRef, PreparedMessage, Role,
};

use super::Outbound;
use crate::error::Error;
use crate::machine::failure::boxed;
use crate::machine::pool::ThreadPool;

impl Outbound {
    /// Queues a message, copying its payload.
    #[inline]
    pub(crate) fn message(&mut self, message: MessageRef<'_>) -> Result<(), Error> {
        self.may_send()?;
        Ok(self.encoder.message(message, &mut self.queue, &mut ThreadPool)?)
    }

    /// Queues a message. A large payload is shared, by a server if the transport supports vectored writes; a client writes
    /// masked copies of its parts.
    #[inline]
    pub(crate) fn owned<S: AsyncWrite>(
        &mut self,
        message: Message,
        stream: &S,
    ) -> Result<(), Box<Error>> {
        self.may_send().map_err(boxed)?;
        let queued = if stream.is_write_vectored() || self.role() == Role::Client {
            self.encoder.owned(message, &mut self.queue, &mut ThreadPool)
        } else {
            self.encoder.message(message.as_ref(), &mut self.queue, &mut ThreadPool)
        };
        queued.map_err(boxed)
    }

    /// Queues a message whose payload `fill` writes into the queue.
    pub(crate) fn message_with<E: From<Error>>(
        &mut self,
        kind: MessageKind,
        fill: impl FnOnce(&mut PayloadWriter<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.may_send()?;
        let fill = |writer: &mut PayloadWriter<'_>| fill(writer).map_err(Unfilled);
        let filled = self.encoder.message_with(kind, &mut self.queue, &mut ThreadPool, fill);
        if filled.is_err() && self.queue.is_empty() {
            self.queue.park(&mut ThreadPool);
        }
        filled.map_err(|Unfilled(error)| error)
    }

    /// Queues a message that was prepared for several connections.
    pub(crate) fn prepared(&mut self, message: &PreparedMessage) -> Result<(), Error> {
        self.may_send()?;
        Ok(self.encoder.prepared(message, &mut self.queue, &mut ThreadPool)?)
    }

    /// Returns an error if a streamed message can't begin.
    pub(crate) fn may_stream(&self) -> Result<(), Error> {
        self.may_send()?;
        Ok(self.encoder.may_begin()?)
    }

    /// Queues a piece of a streamed message.
    pub(crate) fn piece(&mut self, piece: PieceRef<'_>) -> Result<(), Error> {
        self.may_send()?;
        Ok(self.encoder.piece(piece, &mut self.queue, &mut ThreadPool)?)
    }
}

/// Carries the error of `fill` through the encoder.
struct Unfilled<E>(E);

impl<E: From<Error>> From<EncodeError> for Unfilled<E> {
    fn from(error: EncodeError) -> Self {
        Self(Error::Send(error).into())
    }
}
