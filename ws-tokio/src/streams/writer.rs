//! A message as a byte sink, sent while it is written.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;
use tokio::sync::SemaphorePermit;
use ws_core::{MessageKind, More, PieceRef};

use crate::connection::Connection;
use crate::error::Error;
use crate::machine::{Shared, Waiter, Want};
use crate::split::SendHalf;

/// Maximum size of the frames that writes are collected into, in bytes.
const CHUNK: usize = 64 * 1024;

/// A message that is sent while it is written. Created by [`Connection::writer`] and [`SendHalf::writer`].
///
/// All writes form one message, in frames of up to 64 KiB; a flush sends what was written so far as a frame. The
/// message ends with [`finish`](Self::finish) or a shutdown.
///
/// If it is dropped before the message has ended but after part of it was queued, the message stays unfinished, and
/// every later message is an error ([`EncodeError::MessageUnderWay`](crate::EncodeError)): ending it would make it look
/// complete.
///
/// Text must be UTF-8 as a whole; otherwise the peer closes the connection with 1007.
pub struct MessageWriter<'a, S> {
    sink: Sink<'a, S>,
    kind: MessageKind,
    /// Bytes that were written but not queued yet.
    gathered: Vec<u8>,
    state: State,
}

/// The sender.
enum Sink<'a, S> {
    Whole(&'a mut Shared<S>),
    Half {
        half: &'a SendHalf<S>,
        waiter: Waiter,
        /// Makes other tasks' messages wait.
        _turn: SemaphorePermit<'a>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// The last frame was queued.
    Ended,
}

impl<S: AsyncWrite + Unpin> Connection<S> {
    /// Begins a message that is sent while it is written.
    ///
    /// ```no_run
    /// # async fn example(
    /// #     mut file: impl tokio::io::AsyncRead + Unpin,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// # let (mut connection, _peer) = ws_tokio::pipe().await;
    /// use ws_tokio::MessageKind;
    ///
    /// let mut message = connection.writer(MessageKind::Binary)?;
    /// tokio::io::copy(&mut file, &mut message).await?;
    /// message.finish().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`send`](Self::send); also [`Error::Send`] if an earlier message was left unfinished.
    pub fn writer(&mut self, kind: MessageKind) -> Result<MessageWriter<'_, S>, Error> {
        let shared = self.shared();
        shared.outbound().may_stream()?;
        Ok(MessageWriter::new(Sink::Whole(shared), kind))
    }
}

impl<S: AsyncWrite + Unpin> SendHalf<S> {
    /// Begins a message that is sent while it is written. Waits while another task streams one. Until it is finished or
    /// dropped, other tasks' messages wait; pings, pongs and the close frame don't.
    ///
    /// # Errors
    /// As for [`Connection::writer`].
    ///
    /// # Cancel safety
    /// This method is cancel-safe: if dropped, no message was begun.
    pub async fn writer(&self, kind: MessageKind) -> Result<MessageWriter<'_, S>, Error> {
        let _turn = self.turn().await?;
        self.may_stream()?;
        Ok(MessageWriter::new(Sink::Half { half: self, waiter: Waiter::default(), _turn }, kind))
    }
}

impl<'a, S> MessageWriter<'a, S> {
    const fn new(sink: Sink<'a, S>, kind: MessageKind) -> Self {
        Self { sink, kind, gathered: Vec::new(), state: State::Open }
    }
}

impl<S: AsyncWrite + Unpin> MessageWriter<'_, S> {
    /// Ends the message, and writes the queue.
    ///
    /// # Errors
    /// As for [`Connection::send`].
    ///
    /// # Cancel safety
    /// If dropped, the message may be unfinished, as if the writer had been dropped.
    pub async fn finish(mut self) -> Result<(), Error> {
        poll_fn(|cx| self.poll_finish(cx)).await
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.state == State::Open {
            ready!(self.poll_queue(cx, More::Ended))?;
            self.state = State::Ended;
        }
        self.sink.poll(Want::Flush, cx, Shared::poll_flush)
    }

    /// Queues the collected bytes as one frame, once there is room.
    fn poll_queue(&mut self, cx: &mut Context<'_>, more: More) -> Poll<Result<(), Error>> {
        let Self { sink, kind, gathered, .. } = self;
        ready!(sink.poll(Want::Room, cx, |shared, cx| {
            ready!(shared.poll_room(cx, gathered.len()))?;
            Poll::Ready(shared.outbound_mut().piece(PieceRef { kind: *kind, data: gathered, more }))
        }))?;
        gathered.clear();
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for MessageWriter<'_, S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.state == State::Ended {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if this.gathered.len() >= CHUNK {
            ready!(this.poll_queue(cx, More::Follows))?;
        }
        let len = buf.len().min(CHUNK - this.gathered.len());
        this.gathered.extend_from_slice(&buf[..len]);
        Poll::Ready(Ok(len))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.gathered.is_empty() {
            ready!(this.poll_queue(cx, More::Follows))?;
        }
        this.sink.poll(Want::Flush, cx, Shared::poll_flush).map_err(io::Error::from)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_finish(cx).map_err(io::Error::from)
    }
}

impl<S> Sink<'_, S> {
    fn poll<R>(
        &mut self,
        want: Want,
        cx: &mut Context<'_>,
        act: impl FnMut(&mut Shared<S>, &mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        match self {
            Self::Whole(shared) => shared.poll_as(want, cx, act),
            Self::Half { half, waiter, .. } => half.poll(waiter, want, cx, act),
        }
    }
}

impl<S> fmt::Debug for MessageWriter<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageWriter").field("kind", &self.kind).finish_non_exhaustive()
    }
}
