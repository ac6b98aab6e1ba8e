//! Reading and writing: the queue is written before input is read.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite};
use ws_core::{Message, PreparedMessage};

use super::Shared;
use super::phase::End;
use super::watch::{Waits, Watch};
use crate::error::Error;
use crate::machine::failure::Failure;
use crate::machine::inbound::Inbound;
use crate::machine::outbound::Outbound;

impl<S: AsyncWrite + Unpin> Shared<S> {
    /// Queues the message, taking it out of the option, unless it would have to wait or to write first.
    #[inline]
    pub(crate) fn feed_at_once(
        &mut self,
        message: &mut Option<Message>,
    ) -> Option<Result<(), Box<Error>>> {
        let len = message.as_ref().map_or(0, |message| message.as_bytes().len());
        let at_once = self.outbound.has_room_at_once(len);
        at_once.then(|| message.take().map_or(Ok(()), |message| self.queue(message)))
    }

    /// Queues the message once there is room, taking it out of the option.
    #[inline]
    pub(crate) fn poll_feed(
        &mut self,
        cx: &mut Context<'_>,
        message: &mut Option<Message>,
    ) -> Poll<Result<(), Error>> {
        let len = message.as_ref().map_or(0, |message| message.as_bytes().len());
        ready!(self.poll_room(cx, len))?;
        Poll::Ready(
            message.take().map_or(Ok(()), |message| self.queue(message).map_err(|error| *error)),
        )
    }

    /// Queues a prepared message once there is room.
    pub(crate) fn poll_feed_prepared(
        &mut self,
        cx: &mut Context<'_>,
        message: &PreparedMessage,
    ) -> Poll<Result<(), Error>> {
        ready!(self.poll_room(cx, message.message().as_bytes().len()))?;
        Poll::Ready(self.outbound.prepared(message))
    }

    /// Waits until there is room for a message of `len` bytes. Starts writing if the high-water mark is reached.
    #[inline]
    pub(crate) fn poll_room(
        &mut self,
        cx: &mut Context<'_>,
        len: usize,
    ) -> Poll<Result<(), Error>> {
        self.outbound.may_send()?;
        if self.outbound.is_high() {
            // The next flush writes the rest.
            let written = self.write(|outbound, stream| outbound.poll_flush(cx, stream));
            if let Poll::Ready(written) = written {
                written?;
            }
        }
        if self.outbound.has_room(len) {
            return Poll::Ready(Ok(()));
        }
        self.poll_write(cx, |outbound, stream, cx| outbound.poll_room(cx, stream, len))
    }

    /// Writes, subject to the write timeout.
    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        mut write: impl FnMut(&mut Outbound, &mut S, &mut Context<'_>) -> Poll<io::Result<()>>,
    ) -> Poll<Result<(), Error>> {
        loop {
            if self.is_tracked && self.is_told_to_go() {
                self.go_away();
            }
            let written = self.write(|outbound, stream| write(outbound, stream, cx));
            if let Poll::Ready(written) = written {
                return Poll::Ready(written.map_err(Error::Io));
            }
            let writing = self.writing();
            if self.watch.get_or_insert_with(Watch::of_write).stalled(writing) {
                self.outbound.life().stalled();
            }
            ready!(self.poll_parked(cx, Waits::ToWrite));
        }
    }

    /// Writes. Resets the write timeout if nothing is left to write, or nothing can be written.
    fn write(
        &mut self,
        write: impl FnOnce(&mut Outbound, &mut S) -> Poll<io::Result<()>>,
    ) -> Poll<io::Result<()>> {
        let written = write(&mut self.outbound, &mut self.stream);
        if self.watch.is_some() {
            self.watch_write();
        }
        written
    }

    fn watch_write(&mut self) {
        if let Some(watch) = &mut self.watch {
            watch.wrote(self.outbound.written());
            if self.outbound.is_flushed() {
                watch.drained();
            }
        }
    }

    #[inline]
    pub(crate) fn queue(&mut self, message: Message) -> Result<(), Box<Error>> {
        self.outbound.owned(message, &self.stream)
    }

    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.poll_write(cx, |outbound, stream, cx| outbound.poll_flush(cx, stream))
    }

    /// Writes what was queued when this was first polled, which sets `mark`.
    pub(crate) fn poll_flush_to(
        &mut self,
        cx: &mut Context<'_>,
        mark: &mut Option<u64>,
    ) -> Poll<Result<(), Error>> {
        let mark = *mark.get_or_insert(self.outbound.mark());
        self.poll_write(cx, |outbound, stream, cx| outbound.poll_flush_to(cx, stream, mark))
    }

    /// Ends the connection without a closing handshake.
    pub(crate) fn close_now(&mut self) {
        if self.phase.ended().is_some() {
            return;
        }
        self.end(End::Cut(None));
        // Best effort, without waiting: a socket shuts down its write side immediately.
        _ = Pin::new(&mut self.stream).poll_shutdown(&mut Context::from_waker(Waker::noop()));
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Shared<S> {
    /// Writes the queue, then reads once. Reading goes on while output is unwritten.
    #[inline]
    pub(crate) fn poll_exchange(
        &mut self,
        cx: &mut Context<'_>,
        inbound: &mut Inbound,
    ) -> Poll<()> {
        // Write errors are reported to senders; the peer's close frame may still be readable.
        if !self.outbound.is_flushed() {
            _ = self.poll_flush(cx);
        }
        let read = inbound.poll_fill(cx, &mut self.stream);
        self.count_read(inbound, if let Poll::Ready(Ok(bytes)) = read { bytes } else { 0 });
        match read {
            Poll::Pending => return self.poll_parked(cx, Waits::ToRead),
            Poll::Ready(Ok(0)) => {
                self.end(self.outbound.broken().cloned().map_or(End::Cut(None), End::from));
            }
            Poll::Ready(Ok(_)) => self.heard(),
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Poll::Ready(Err(error)) => self.end(Failure::from(error).into()),
        }
        Poll::Ready(())
    }

    /// Records that something arrived.
    #[inline]
    fn heard(&mut self) {
        if let Some(watch) = &mut self.watch {
            watch.heard();
        }
    }

    /// Writes until the queue is below its limit.
    pub(crate) fn poll_below(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // Write errors are reported to senders.
        self.poll_write(cx, |outbound, stream, cx| outbound.poll_below(cx, stream)).map(drop)
    }

    /// Writes everything; used when no more messages can be queued.
    pub(crate) fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // Write errors are reported to senders.
        self.poll_flush(cx).map(drop)
    }
}
