//! A stream of TLS that decrypts and encrypts in buffers of its thread: while it waits, it owns none.

use std::cmp;
use std::fmt;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::rustls::CommonState;

use super::buffer::Buffer;
use super::session::{RECORD, Session};

/// Maximum number of bytes encrypted ahead of the transport. More than 64 KiB, so that a message of that size is one write.
const AHEAD: usize = 5 * RECORD;

/// Slices from this size on are records of their own. Smaller ones are gathered, which copies them once more.
const LARGE: usize = RECORD / 2;

/// Minimum room for a read, in bytes: that of the longest record (RFC 8446, 5.2; RFC 5246, 6.2.3).
const MIN_ROOM: usize = 5 + RECORD + 2048;

/// Maximum number of bytes that wait for the rest of a handshake message, of which rustls takes up to 64 KiB.
const MAX_HELD: usize = 96 * 1024;

/// A stream of TLS over another stream: a server's by [`ServerTls`](crate::ServerTls), or a client's under a `wss` URL.
///
/// It is rustls's unbuffered connection, over buffers that belong to the thread: an idle stream holds half of what one of tokio-rustls
/// does. That of tokio-rustls, for which [`accept`](crate::accept) and [`ConnectOptions::connect_over`] work as well, has
/// more to ask for: early data (which this one doesn't accept), and keys exported from the session.
///
/// - **Reading** gives all records that have arrived. The end of the stream without the peer's `close_notify` is an error,
///   [`UnexpectedEof`](io::ErrorKind::UnexpectedEof), as it may have been cut.
/// - **Writing** encrypts up to 80 KiB ahead of the stream below; what that doesn't accept at once leaves with the next write, or flush.
/// - **Shutdown** sends `close_notify`. Reading goes on.
/// - **Errors** of TLS are [`InvalidData`](io::ErrorKind::InvalidData), and hold a [`rustls::Error`](crate::rustls::Error). They end
///   both directions; plaintext in front of one is delivered first, and the peer is sent an alert.
///
/// # Cancel safety
/// As of any stream: what was read or taken to be written is in it, not in the future.
///
/// [`ConnectOptions::connect_over`]: crate::ConnectOptions::connect_over
pub struct TlsStream<S> {
    stream: S,
    session: Box<Session>,
}

impl<S> TlsStream<S> {
    /// Returns the stream below, and what both sides agreed on: the peer's certificates, the protocol chosen by ALPN, the cipher.
    #[must_use]
    pub fn get_ref(&self) -> (&S, &CommonState) {
        (&self.stream, self.session.state())
    }

    /// Returns the name that a client asked for (SNI: RFC 6066, 3), in lower case. `None` if it didn't, and on a client's own stream.
    #[must_use]
    pub fn server_name(&self) -> Option<&str> {
        self.session.server_name()
    }

    /// Returns the stream below. What was read and not taken, or encrypted and not written, is dropped; the peer is not told.
    #[must_use]
    pub fn into_inner(self) -> S {
        self.stream
    }

    /// Wraps the stream below.
    #[cfg(any(feature = "http2", feature = "hyper"))]
    pub(crate) fn map<T>(self, wrap: impl FnOnce(S) -> T) -> TlsStream<T> {
        TlsStream { stream: wrap(self.stream), session: self.session }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream<S> {
    /// Does the handshake.
    pub(super) async fn open(stream: S, session: Box<Session>) -> io::Result<Self> {
        let mut stream = Self { stream, session };
        poll_fn(|cx| stream.poll_handshake(cx)).await?;
        Ok(stream)
    }

    fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let is_complete = self.session.shake_hands();
            let written = self.poll_flushed(cx);
            // Once the alert has left, or can't.
            if let Some(error) = self.session.failure() {
                return Poll::Ready(Err(error));
            }
            match written {
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                _ if is_complete => return written,
                // The peer may have to be read before it takes anything.
                Poll::Ready(Ok(())) | Poll::Pending => {}
            }
            if ready!(self.poll_fill(cx, MIN_ROOM))? == 0 {
                return Poll::Ready(Err(cut("the stream ended in the TLS handshake")));
            }
        }
    }

    /// Reads ciphertext once, at most so much.
    fn poll_fill(&mut self, cx: &mut Context<'_>, most: usize) -> Poll<io::Result<usize>> {
        let incoming = &mut self.session.incoming;
        if incoming.filled().len() > MAX_HELD {
            let error = "a handshake message that is too long";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, error)));
        }
        let room = incoming.room(MIN_ROOM);
        let most = cmp::min(most, room.len());
        let mut room = ReadBuf::new(&mut room[..most]);
        let read = Pin::new(&mut self.stream).poll_read(cx, &mut room);
        let len = room.filled().len();
        incoming.add(len);
        if len == 0 {
            incoming.park();
        }
        read.map_ok(|()| len)
    }

    /// Writes all ciphertext.
    fn poll_written(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outgoing = &mut self.session.outgoing;
        while !outgoing.is_empty() {
            let written = Pin::new(&mut self.stream).poll_write(cx, outgoing.filled());
            if written.is_pending() {
                outgoing.park();
            }
            match ready!(written)? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                len => outgoing.discard(len),
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_flushed(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_written(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// Encrypts what was written, and begins to write it.
    fn poll_encrypted(
        &mut self,
        cx: &mut Context<'_>,
        encrypt: impl FnOnce(&mut Session) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_written(cx))?;
        let len = encrypt(&mut self.session)?;
        match self.poll_written(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            // What is left leaves with the next write, or flush.
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Ready(Ok(len)),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let room = buf.remaining();
        loop {
            this.session.decrypt(buf);
            if buf.remaining() < room || room == 0 || this.session.peer_closed() {
                return Poll::Ready(Ok(()));
            }
            if let Some(error) = this.session.failure() {
                // The alert leaves if it can, without being waited for.
                _ = this.poll_written(cx);
                return Poll::Ready(Err(error));
            }
            if ready!(this.poll_fill(cx, cmp::max(room, MIN_ROOM)))? == 0 {
                return Poll::Ready(Err(cut("the stream ended without a close_notify of TLS")));
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsStream<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().poll_encrypted(cx, |session| {
            let len = cmp::min(buf.len(), AHEAD);
            session.encrypt(&buf[..len])?;
            Ok(len)
        })
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().poll_encrypted(cx, |session| encrypt_slices(session, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_flushed(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.session.close()?;
        ready!(this.poll_written(cx))?;
        match ready!(Pin::new(&mut this.stream).poll_shutdown(cx)) {
            // The peer was faster.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Poll::Ready(Ok(())),
            shut => Poll::Ready(shut),
        }
    }
}

/// Encrypts slices into as few records as is cheap.
fn encrypt_slices(session: &mut Session, slices: &[IoSlice<'_>]) -> io::Result<usize> {
    let mut gathered = Buffer::default();
    let mut taken = 0;
    for slice in slices {
        let slice = &slice[..cmp::min(slice.len(), AHEAD - taken)];
        taken += slice.len();
        if slice.len() < LARGE {
            gathered.extend(slice);
        } else {
            session.encrypt(gathered.filled())?;
            gathered.clear();
            session.encrypt(slice)?;
        }
    }
    session.encrypt(gathered.filled())?;
    Ok(taken)
}

fn cut(how: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, how)
}

impl<S: fmt::Debug> fmt::Debug for TlsStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TlsStream").field(&self.stream).finish()
    }
}
