//! Writing the queue to the transport.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;
use ws_core::SendQueue;

use super::Outbound;
use crate::machine::failure::Failure;
use crate::machine::pool::ThreadPool;
use crate::machine::wants::Wants;

/// Maximum number of slices in one vectored write.
const SLICES: usize = 32;

impl Outbound {
    /// Writes until the queue is below its limit.
    pub(crate) fn poll_below<S: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut S,
    ) -> Poll<io::Result<()>> {
        while self.is_full() {
            ready!(self.poll_write(cx, stream))?;
        }
        Poll::Ready(Ok(()))
    }

    /// Writes until there is room for a message of `len` bytes.
    pub(crate) fn poll_room<S: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut S,
        len: usize,
    ) -> Poll<io::Result<()>> {
        while !self.has_room(len) {
            ready!(self.poll_write(cx, stream))?;
        }
        Poll::Ready(Ok(()))
    }

    /// Writes the whole queue, and flushes the transport.
    #[inline]
    pub(crate) fn poll_flush<S: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut S,
    ) -> Poll<io::Result<()>> {
        self.poll_flush_to(cx, stream, u64::MAX)
    }

    /// Writes what was queued before `mark`, and flushes the transport.
    #[inline]
    pub(crate) fn poll_flush_to<S: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut S,
        mark: u64,
    ) -> Poll<io::Result<()>> {
        if self.broken {
            return Poll::Ready(self.nothing_lost(mark));
        }
        while !self.queue.is_empty() && self.written < mark {
            ready!(self.poll_write(cx, stream))?;
        }
        if self.unflushed {
            if let Err(error) = ready!(Pin::new(stream).poll_flush(cx)) {
                return Poll::Ready(Err(self.failed(error)));
            }
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Returns the transport's error, if it failed.
    pub(crate) fn broken(&self) -> Option<&Failure> {
        self.rare.as_ref()?.failure.as_ref()
    }

    /// Returns the result of a flush after the transport failed or ended. Another task may have written everything
    /// earlier.
    #[cold]
    fn nothing_lost(&self, mark: u64) -> io::Result<()> {
        let lost = self.rare.as_ref().is_some_and(|rare| rare.lost);
        if lost && self.written < mark { Err(self.failure()) } else { Ok(()) }
    }

    #[cold]
    pub(super) fn failure(&self) -> io::Error {
        self.broken().map_or_else(|| io::ErrorKind::NotConnected.into(), Failure::error)
    }

    /// Ends writing and pings, and frees all memory.
    pub(crate) fn end(&mut self, why: Failure) {
        if !self.broken {
            self.break_down(why);
        }
        let rare = self.rare();
        rare.pings.clear(&mut rare.news.answered);
        self.wake(Wants::ALL.or(Wants::MORE));
    }

    /// Drops the queue's contents, and frees its memory.
    pub(super) fn release(&mut self) {
        _ = self.take_owed();
        self.queue.advance(self.queue.len());
        self.queue.park(&mut ThreadPool);
    }

    /// Writes once. If the transport accepts nothing, a small remainder moves out of its pooled buffer.
    fn poll_write<S: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut S,
    ) -> Poll<io::Result<()>> {
        match write_some(&self.queue, cx, stream) {
            Poll::Pending => {
                self.queue.park(&mut ThreadPool);
                Poll::Pending
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(self.failed(error))),
            Poll::Ready(Ok(written)) => {
                self.queue.advance(written);
                self.written += written as u64;
                self.unflushed = true;
                if self.queue.is_empty() {
                    self.drained();
                }
                Poll::Ready(Ok(()))
            }
        }
    }

    /// Frees the memory of the empty queue, unless a pong is still owed.
    fn drained(&mut self) {
        self.pongs = 0;
        match self.take_owed() {
            Some(pong) => self.reply(*pong),
            None => self.queue.park(&mut ThreadPool),
        }
    }

    fn break_down(&mut self, failure: Failure) {
        let lost = !self.is_flushed();
        let rare = self.rare();
        (rare.failure, rare.lost) = (Some(failure), lost);
        (self.broken, self.unflushed) = (true, false);
        self.wake(Wants::ALL);
        self.release();
    }

    fn failed(&mut self, error: io::Error) -> io::Error {
        self.break_down(error.into());
        self.failure()
    }
}

/// Writes the front of the queue once, with several slices if it contains large payloads.
fn write_some<S: AsyncWrite + Unpin>(
    queue: &SendQueue,
    cx: &mut Context<'_>,
    stream: &mut S,
) -> Poll<io::Result<usize>> {
    let first = queue.first_slice();
    let written = if first.len() == queue.len() || !stream.is_write_vectored() {
        ready!(Pin::new(stream).poll_write(cx, first))?
    } else {
        let mut slices = [IoSlice::new(&[]); SLICES];
        let filled = queue.slices(&mut slices);
        ready!(Pin::new(stream).poll_write_vectored(cx, &slices[..filled]))?
    };
    // A transport that accepts nothing would cause an endless loop.
    if written == 0 {
        Poll::Ready(Err(io::ErrorKind::WriteZero.into()))
    } else {
        Poll::Ready(Ok(written))
    }
}
