//! A connection as a byte stream, for protocols without messages.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};
use ws_core::{CloseCode, CloseFrame, Delivery, Limits, MessageKind, More, PieceRef, Utf8};

use crate::connection::Connection;
use crate::error::{Error, closed};
use crate::machine::{Inbound, Shared, Waiter, Want};
use crate::split::{RecvHalf, SendHalf};

/// Maximum size of a written message, in bytes. Larger received frames are read in pieces of this size.
const CHUNK: NonZeroUsize = NonZeroUsize::new(64 * 1024).expect("not zero");

/// A connection as a byte stream. Message boundaries carry no meaning.
///
/// - **Reading** continues across messages of any size and any number of fragments. The message limits don't apply,
///   because no message is buffered whole: at most 64 KiB of it, plus the result of one read. A close with 1000, 1001
///   or no code is the end of the stream.
/// - **Writing** sends each write as one message of up to 64 KiB, immediately if the transport accepts it. The rest is
///   written by the next read, write or flush; flush to be sure.
/// - **Shutting down** closes with 1000 and waits for the peer's answer, within
///   [`Settings::close_timeout`](crate::Settings). If bytes still arrive, it stops waiting, and they can be read. The
///   peer can't send after it has seen our close frame: a WebSocket has no half-close.
///
/// All messages are of one kind. If the peer sends the other kind, the connection is closed with 1003.
///
/// It works with everything in `tokio::io`; different tasks may use the halves of [`tokio::io::split`]. Pings are
/// answered only while it is being read or shut down.
///
/// ```
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// use ws_tokio::{ByteStream, MessageKind};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let (client, mut server) = ws_tokio::pipe().await;
/// let mut stream = ByteStream::new(client, MessageKind::Binary);
/// server.send(b"mess".to_vec()).await?;
/// server.send(b"ages".to_vec()).await?;
/// let mut read = [0; 8];
/// stream.read_exact(&mut read).await?;
/// assert_eq!(&read, b"messages");
/// stream.write_all(b"bytes").await?;
/// assert_eq!(server.recv().await?, Some(b"bytes".to_vec().into()));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Reading and writing fail as [`Connection::recv`] and [`Connection::send`] do, with the [`Error`] inside the
/// [`io::Error`]; an [`Error::Io`] becomes the transport's own error. A message of the other kind is [`Error::Failed`].
/// A close in the middle of a message is [`io::ErrorKind::UnexpectedEof`]. As text, writing bytes that are not UTF-8 is
/// [`io::ErrorKind::InvalidData`], and none of them are queued.
pub struct ByteStream<S> {
    // Halves and a waiter for each direction, since different tasks may read and write: neither's waker replaces the
    // other's.
    reading: Reading<S>,
    reader: Waiter,
    sending: SendHalf<S>,
    writer: Waiter,
    /// Validates the text written so far. A write that ends inside a code point doesn't end its message.
    written: Utf8,
    /// The connection's limits.
    limits: Limits,
}

/// The receiving side.
struct Reading<S> {
    half: RecvHalf<S>,
    kind: MessageKind,
    /// Bytes that were received but not read yet.
    bytes: Bytes,
    /// Whether their message continues.
    more: More,
}

impl<S> ByteStream<S> {
    /// Creates a stream that sends and receives messages of this kind. Use text only if the peer requires it: the bytes
    /// must be UTF-8, but a write may end inside a code point.
    #[must_use]
    pub fn new(connection: Connection<S>, kind: MessageKind) -> Self {
        let (mut half, sending) = connection.split();
        let limits = half.inbound().limits();
        half.inbound().set_limits(Limits::UNLIMITED);
        half.inbound().set_delivery(Delivery::Pieces(CHUNK));
        let reading = Reading { half, kind, bytes: Bytes::new(), more: More::Ended };
        let (reader, writer) = (Waiter::default(), Waiter::default());
        Self { reading, reader, sending, writer, written: Utf8::new(), limits }
    }

    /// Returns the connection, with its limits restored. Unread bytes of the current message are dropped. Written bytes
    /// are sent or queued; text that ends inside a code point leaves its message unfinished.
    #[must_use]
    pub fn into_inner(self) -> Connection<S> {
        let Self { mut reading, sending, limits, .. } = self;
        let inbound = reading.half.inbound();
        inbound.set_limits(limits);
        inbound.set_delivery(Delivery::Messages);
        if reading.more == More::Follows {
            inbound.drop_rest();
        }
        reading.half.reunite(sending).expect("there are no other halves")
    }

    /// Returns the peer's close frame, if it has arrived and has a code.
    #[must_use]
    pub fn close_frame(&self) -> Option<CloseFrame> {
        self.reading.half.close_frame()
    }

    /// Returns the peer's address, if it was set by the handshake or the caller.
    #[must_use]
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.reading.half.peer_addr()
    }

    /// Returns the state after writing these bytes, and whether their message may end.
    fn judge(&self, data: &[u8]) -> io::Result<(Utf8, More)> {
        let mut written = self.written;
        if self.reading.kind == MessageKind::Text {
            written
                .push(data)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        }
        let more = if written.finish().is_ok() { More::Ended } else { More::Follows };
        Ok((written, more))
    }
}

impl<S: AsyncWrite + Unpin> ByteStream<S> {
    /// Queues one message once there is room.
    fn poll_queue(&mut self, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<()>> {
        let begins = self.written.finish().is_ok();
        let (written, more) = self.judge(data)?;
        let piece = PieceRef { kind: self.reading.kind, data, more };
        ready!(self.sending.poll(&mut self.writer, Want::Room, cx, |shared, cx| {
            ready!(shared.poll_room(cx, data.len()))?;
            if begins {
                shared.outbound().may_stream()?;
            }
            Poll::Ready(shared.outbound_mut().piece(piece))
        }))?;
        self.written = written;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Reading<S> {
    /// Waits for bytes to read. At the end of the stream, `bytes` stays empty.
    fn poll_bytes(
        &mut self,
        waiter: &mut Waiter,
        want: Want,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        while self.bytes.is_empty() {
            let received = self.half.poll_receive_as(waiter, want, cx, Inbound::piece);
            let Some(piece) = ready!(received)? else { break };
            if piece.kind == self.kind {
                (self.bytes, self.more) = (piece.data, piece.more);
            } else {
                self.half.fail(CloseCode::UNSUPPORTED, refusal(self.kind))?;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncBufRead for ByteStream<S> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let Self { reading, reader, .. } = self.get_mut();
        ready!(reading.poll_bytes(reader, Want::Message, cx))?;
        if reading.bytes.is_empty() && reading.more == More::Follows {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        Poll::Ready(Ok(&reading.bytes))
    }

    fn consume(mut self: Pin<&mut Self>, amount: usize) {
        let bytes = &mut self.reading.bytes;
        bytes.advance(amount);
        if bytes.is_empty() {
            // An empty remainder would pin the buffer it was read into.
            *bytes = Bytes::new();
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for ByteStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let bytes = ready!(self.as_mut().poll_fill_buf(cx))?;
        let len = bytes.len().min(buf.remaining());
        buf.put_slice(&bytes[..len]);
        self.consume(len);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for ByteStream<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let data = &buf[..buf.len().min(CHUNK.get())];
        if !data.is_empty() {
            ready!(this.poll_queue(cx, data))?;
            // The next write returns the error: this one's message is already queued.
            _ = this.sending.poll(&mut this.writer, Want::Flush, cx, Shared::poll_flush);
        }
        Poll::Ready(Ok(data.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { sending, writer, .. } = self.get_mut();
        let flushed = sending.poll(writer, Want::Flush, cx, Shared::poll_flush);
        flushed.map_err(io::Error::from)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { reading, sending, writer, .. } = self.get_mut();
        sending.start_closing(&CloseFrame::normal());
        let written = ready!(sending.poll(writer, Want::End, cx, |shared, cx| {
            ready!(shared.poll_drain(cx));
            Poll::Ready(shared.result())
        }));
        closed(written)?;
        closed(ready!(reading.poll_bytes(writer, Want::End, cx)))?;
        Poll::Ready(Ok(()))
    }
}

/// Returns the reason in the close frame for a message of the other kind.
const fn refusal(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::Text => "only text messages are taken",
        MessageKind::Binary => "only binary messages are taken",
    }
}

impl<S> fmt::Debug for ByteStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByteStream").field("kind", &self.reading.kind).finish_non_exhaustive()
    }
}
