//! The receiving direction: bytes are read into a pooled buffer and decoded in place.

mod strays;

use std::future::Future;
use std::io;
use std::pin::pin;
use std::task::{Context, Poll};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};
use ws_core::{
    Control, Counts, DecodeError, Decoder, Delivery, Event, Limits, Message, MessageRef, More,
    OwnedEvent, Piece,
};

use crate::machine::pool::{self, BUFFER, ThreadPool};
use strays::Strays;

/// Maximum number of bytes moved out of a pooled buffer when the connection parks. A peer that sends the start of a
/// frame and then waits pins no more memory than that.
const SMALL_REMAINDER: usize = 16 * 1024;

/// Minimum room for a read, in bytes.
const MIN_ROOM: usize = 4096;

/// The result of one decoding step.
pub(crate) enum Progress<T> {
    /// A value for the caller.
    Value(T),
    /// A message, which was handled.
    Handled,
    /// A control frame.
    Control(Control),
    /// More bytes are needed.
    Starved,
    /// The send queue is full.
    Paused,
}

#[derive(Debug)]
pub(crate) struct Inbound {
    decoder: Decoder,
    /// Bytes that were read but not yet decoded. Borrowed from the thread's pool while in use.
    buffer: BytesMut,
    /// Pieces of a streamed message that is received as a whole message or dropped.
    stray: Strays,
    /// Number of decoded bytes at the front of `buffer`, removed before the next read.
    done: usize,
}

impl Inbound {
    /// Creates it from bytes that were read after the handshake.
    pub(crate) const fn new(decoder: Decoder, leftover: BytesMut) -> Self {
        Self { decoder, buffer: leftover, stray: Strays::NONE, done: 0 }
    }

    /// Returns the next message, if it is small and already there.
    #[inline(always)]
    pub(crate) fn small(&mut self) -> Option<Message> {
        let (message, used) = self.decoder.decode_small(&self.buffer[self.done..])?;
        self.done += used;
        Some(message)
    }

    /// Decodes the next message as an owned one.
    #[inline]
    pub(crate) fn owned(&mut self) -> Result<Progress<Message>, DecodeError> {
        if let Some(message) = self.small() {
            return Ok(Progress::Value(message));
        }
        self.forget_done();
        let decoded = self.decoder.decode_other(&mut self.buffer, &mut ThreadPool);
        // The common event is matched in place: moving it costs as much as the largest control frame.
        match decoded {
            Ok(Some(OwnedEvent::Message(message))) => Ok(Progress::Value(message)),
            Ok(None) => Ok(Progress::Starved),
            Ok(Some(OwnedEvent::Control(control))) => Ok(Progress::Control(control)),
            Ok(Some(OwnedEvent::Piece(piece))) => {
                let limit = self.decoder.limits().message_size();
                let whole = self.stray.take(&piece, limit)?;
                Ok(whole.map_or(Progress::Handled, Progress::Value))
            }
            Err(error) => Err(error),
        }
    }

    /// Decodes the next message and calls `handler` with it.
    #[inline]
    pub(crate) fn borrowed<T>(
        &mut self,
        handler: impl FnOnce(MessageRef<'_>) -> Progress<T>,
    ) -> Result<Progress<T>, DecodeError> {
        let limit = self.decoder.limits().message_size();
        let decoded = self.decoder.decode(&mut self.buffer[self.done..], &mut ThreadPool);
        // The common event is matched in place: moving it costs as much as the largest control frame.
        match decoded {
            Ok((Some(Event::Message(message)), used)) => {
                // Before the handler runs, so that the message isn't decoded again after a panic.
                self.done += used;
                Ok(handler(message))
            }
            Ok((None, used)) => {
                self.done += used;
                Ok(Progress::Starved)
            }
            Ok((Some(Event::Control(control)), used)) => {
                self.done += used;
                Ok(Progress::Control(control))
            }
            Ok((Some(Event::Piece(piece)), used)) => {
                self.done += used;
                let whole = self.stray.take(&piece.to_piece(), limit)?;
                Ok(whole.map_or(Progress::Handled, |message| handler(message.as_ref())))
            }
            Err(error) => Err(error),
        }
    }

    /// Decodes the next piece of a streamed message. A message that began as a whole one is a single piece.
    pub(crate) fn piece(&mut self) -> Result<Progress<Piece>, DecodeError> {
        self.forget_done();
        Ok(match self.decoder.decode_owned(&mut self.buffer, &mut ThreadPool)? {
            None => Progress::Starved,
            Some(OwnedEvent::Control(control)) => Progress::Control(control),
            Some(OwnedEvent::Message(message)) => Progress::Value(Piece {
                kind: message.kind(),
                data: message.into_bytes(),
                more: More::Ended,
            }),
            Some(OwnedEvent::Piece(piece)) => {
                self.stray.resume(piece)?.map_or(Progress::Handled, Progress::Value)
            }
        })
    }

    /// Sets how messages are delivered. The current message continues as it began.
    pub(crate) fn set_delivery(&mut self, delivery: Delivery) {
        self.decoder.set_delivery(delivery);
    }

    /// Drops the rest of the streamed message.
    pub(crate) fn drop_rest(&mut self) {
        self.stray.drop_rest();
    }

    /// Reads once. If no input is available, the buffer returns to the pool.
    pub(crate) fn poll_fill<S: AsyncRead + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut S,
    ) -> Poll<io::Result<usize>> {
        self.forget_done();
        self.make_room();
        let read = pin!(stream.read_buf(&mut self.buffer)).poll(cx);
        if read.is_pending() {
            self.park();
        }
        read
    }

    /// Reads once and drops the input.
    pub(crate) fn poll_discard<S: AsyncRead + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut S,
    ) -> Poll<io::Result<usize>> {
        self.done = 0;
        self.buffer.clear();
        self.poll_fill(cx, stream)
    }

    /// Sets the maximum message size, from the next message on.
    pub(crate) fn set_max_message(&mut self, bytes: usize) {
        self.set_limits(self.decoder.limits().with_message_size(bytes));
    }

    /// Returns the limits that apply from the next message on.
    pub(crate) const fn limits(&self) -> Limits {
        self.decoder.limits()
    }

    /// Sets the limits, from the next message on.
    pub(crate) fn set_limits(&mut self, limits: Limits) {
        self.decoder.set_limits(limits);
    }

    /// Returns the counts of received traffic, if counting is enabled.
    pub(crate) fn counts(&self) -> Option<Counts> {
        self.decoder.counts()
    }

    /// Releases all memory.
    pub(crate) fn release(&mut self) {
        self.done = 0;
        self.stray = Strays::NONE;
        pool::give_read(std::mem::take(&mut self.buffer));
    }

    #[inline]
    fn forget_done(&mut self) {
        self.buffer.advance(std::mem::take(&mut self.done));
    }

    /// Makes room for a read. Takes a pooled buffer if there is none. Otherwise reserves what the current frame still
    /// needs, but at most as much as has already arrived, since a frame's length is only a claim.
    fn make_room(&mut self) {
        let held = self.buffer.len();
        // Bytes removed from the front don't matter: unless a message shares the memory, it is reclaimed.
        if self.buffer.capacity() < BUFFER && !self.buffer.try_reclaim(BUFFER - held) {
            let left = std::mem::replace(&mut self.buffer, pool::take_read());
            if held == 0 {
                return;
            }
            self.buffer.extend_from_slice(&left);
            pool::give_read(left);
        }
        let missing = self.decoder.wanted().saturating_sub(held);
        if self.buffer.capacity() - held < missing.clamp(1, MIN_ROOM) {
            // A little more than doubling, whose last bytes would else be a reason to double once more.
            self.buffer.reserve(missing.clamp(MIN_ROOM, held + 3 * MIN_ROOM));
        }
    }

    /// Returns pooled buffers. A small remainder moves to an allocation of its own size.
    fn park(&mut self) {
        self.decoder.park(&mut ThreadPool);
        if self.buffer.is_empty() {
            pool::give_read(std::mem::take(&mut self.buffer));
        } else if self.buffer.len() <= SMALL_REMAINDER && self.buffer.capacity() > SMALL_REMAINDER {
            let rest = BytesMut::from(&self.buffer[..]);
            pool::give_read(std::mem::replace(&mut self.buffer, rest));
        }
    }
}

impl Drop for Inbound {
    fn drop(&mut self) {
        self.release();
    }
}
