//! A message as a byte stream, read while it arrives.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use ws_core::{Delivery, MessageKind, More, Piece};

use crate::connection::Connection;
use crate::error::Error;
use crate::machine::{Inbound, Receives};
use crate::split::RecvHalf;

/// Maximum size of a piece, in bytes. Larger frames are read in several pieces.
const CHUNK: NonZeroUsize = NonZeroUsize::new(64 * 1024).expect("not zero");

/// A message that is read while it arrives. Created by [`Connection::reader`] and [`RecvHalf::reader`].
///
/// The stream ends with the message. The message limits apply. If it is dropped early, the next receiving call drops
/// the rest of the message.
pub struct MessageReader<'a, S> {
    source: Source<'a, S>,
    /// Bytes of the message that were received but not read yet.
    piece: Piece,
}

/// The receiver.
enum Source<'a, S> {
    Whole(&'a mut Connection<S>),
    Half(&'a mut RecvHalf<S>),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Waits for the next message, to be read while it arrives. Returns `None` as [`recv`](Self::recv) does.
    ///
    /// ```no_run
    /// # async fn example(
    /// #     mut file: impl tokio::io::AsyncWrite + Unpin,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// # let (mut connection, _peer) = ws_tokio::pipe().await;
    /// if let Some(mut message) = connection.reader().await? {
    ///     tokio::io::copy(&mut message, &mut file).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`recv`](Self::recv). Reading converts these errors to [`io::Error`]; a close in the middle of the
    /// message is [`io::ErrorKind::UnexpectedEof`].
    ///
    /// # Cancel safety
    /// This method is cancel-safe: if dropped, no message is lost.
    pub async fn reader(&mut self) -> Result<Option<MessageReader<'_, S>>, Error> {
        MessageReader::open(Source::Whole(self)).await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> RecvHalf<S> {
    /// Waits for the next message, to be read while it arrives, as [`Connection::reader`] does.
    ///
    /// # Errors
    /// As for [`Connection::reader`].
    ///
    /// # Cancel safety
    /// This method is cancel-safe: if dropped, no message is lost.
    pub async fn reader(&mut self) -> Result<Option<MessageReader<'_, S>>, Error> {
        MessageReader::open(Source::Half(self)).await
    }
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> MessageReader<'a, S> {
    async fn open(mut source: Source<'a, S>) -> Result<Option<Self>, Error> {
        let first = poll_fn(|cx| source.poll_first(cx)).await?;
        Ok(first.map(|piece| Self { source, piece }))
    }
}

impl<S> MessageReader<'_, S> {
    /// Returns whether the message is text or binary. Text is validated as it arrives; reading bytes that are not UTF-8
    /// is an error. A read may end inside a code point.
    #[must_use]
    pub const fn kind(&self) -> MessageKind {
        self.piece.kind
    }
}

impl<S> Source<'_, S> {
    fn inbound(&mut self) -> &mut Inbound {
        match self {
            Self::Whole(connection) => connection.inbound(),
            Self::Half(half) => half.inbound(),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Source<'_, S> {
    /// Receives the first piece of the next message. A message starts to be streamed only within this call.
    fn poll_first(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Piece>, Error>> {
        self.inbound().set_delivery(Delivery::Pieces(CHUNK));
        let first = self.poll_piece(cx);
        self.inbound().set_delivery(Delivery::Messages);
        first
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Piece>, Error>> {
        match self {
            Self::Whole(connection) => connection.poll_receive(cx, Inbound::piece),
            Self::Half(half) => half.poll_receive(cx, Inbound::piece),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for MessageReader<'_, S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { source, piece } = self.get_mut();
        while piece.data.is_empty() && piece.more == More::Follows {
            match ready!(source.poll_piece(cx))? {
                Some(next) => *piece = next,
                // A close frame interrupted the message.
                None => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
            }
        }
        let len = piece.data.len().min(buf.remaining());
        buf.put_slice(&piece.data[..len]);
        piece.data.advance(len);
        Poll::Ready(Ok(()))
    }
}

impl<S> Drop for MessageReader<'_, S> {
    fn drop(&mut self) {
        if self.piece.more == More::Follows {
            self.source.inbound().drop_rest();
        }
    }
}

impl<S> fmt::Debug for MessageReader<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageReader").field("kind", &self.kind()).finish_non_exhaustive()
    }
}
