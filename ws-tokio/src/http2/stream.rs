//! A stream of an HTTP/2 connection as a stream of bytes.
//!
//! Its window is given back as the bytes are taken, so that a slow reader stops its own stream and no other. It takes of the peer's
//! window what it writes, and reserves nothing while it is idle.

use std::cmp;
use std::fmt;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::mem;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use h2::{Reason, RecvStream, SendStream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::Handle;
use tokio::time::timeout;
#[cfg(feature = "rustls")]
use tokio_rustls::rustls::pki_types::CertificateDer;

use super::sent::{Sent, Underway, take};

/// How many bytes are written without asking for the peer's window, if all that was written before has left.
const UNASKED: usize = 20 << 10;

/// How long a dropped stream waits for what was written to leave: until it is cut, and until a close frame is given up.
const LINGER: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// A WebSocket's stream of an HTTP/2 connection (RFC 8441).
///
/// If dropped, it is reset with CANCEL, once what was written has left, but after 250 ms at most; after a shutdown, once the peer has
/// ended its side as well, but after 5 s at most.
pub struct Http2Stream(
    /// Taken when it is dropped.
    Option<Box<Halves>>,
);

struct Halves {
    /// Dropped first: the end of the rest wakes the connection, which then sees whether it is idle.
    session: Arc<Session>,
    send: SendStream<Sent>,
    recv: RecvStream,
    /// Received, and not taken yet.
    chunk: Bytes,
    underway: Arc<Underway>,
    ended: Ended,
}

/// The connection of streams. It is idle while nothing else holds this.
#[derive(Debug, Default)]
pub(crate) struct Session {
    pub(crate) peer_addr: Option<SocketAddr>,
    #[cfg(feature = "rustls")]
    pub(crate) peer_certificates: Option<Vec<CertificateDer<'static>>>,
}

/// Which sides have ended.
#[derive(Clone, Copy, Debug, Default)]
struct Ended {
    we: bool,
    peer: bool,
}

impl Http2Stream {
    pub(crate) fn new(send: SendStream<Sent>, recv: RecvStream, session: Arc<Session>) -> Self {
        let (chunk, underway, ended) = (Bytes::new(), Arc::default(), Ended::default());
        Self(Some(Box::new(Halves { session, send, recv, chunk, underway, ended })))
    }

    /// Returns the peer's certificates, the peer's own first, if its connection has TLS and the peer has shown them.
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn peer_certificates(&self) -> Option<&[CertificateDer<'static>]> {
        self.0.as_ref().and_then(|halves| halves.session.peer_certificates.as_deref())
    }

    pub(crate) fn peer_addr(&self) -> Option<SocketAddr> {
        self.0.as_ref().and_then(|halves| halves.session.peer_addr)
    }

    fn halves(&mut self) -> &mut Halves {
        self.0.as_mut().expect("taken only when it is dropped")
    }
}

impl Halves {
    /// Returns what was received and not taken, empty at the peer's end.
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<&mut Bytes>> {
        while self.chunk.is_empty() && !self.ended.peer {
            match ready!(self.recv.poll_data(cx)) {
                Some(Ok(chunk)) => self.chunk = chunk,
                Some(Err(error)) => return Poll::Ready(Err(broken(error))),
                None => self.ended.peer = true,
            }
        }
        Poll::Ready(Ok(&mut self.chunk))
    }

    /// Takes bytes of the chunk, and gives their part of the window back.
    fn take(&mut self, count: usize) {
        self.chunk.advance(count);
        if self.chunk.is_empty() {
            // It would hold the connection's read buffer.
            self.chunk = Bytes::new();
        }
        // It fails where the stream has: the next read tells.
        _ = self.recv.flow_control().release_capacity(count);
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        while buf.remaining() > 0 {
            let chunk = match self.poll_chunk(cx) {
                Poll::Ready(Ok(chunk)) => chunk,
                // What was read before is not lost: it comes again, or ended for good.
                _ if buf.filled().len() > before => break,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            };
            let count = cmp::min(chunk.len(), buf.remaining());
            if count == 0 {
                break;
            }
            buf.put_slice(&chunk[..count]);
            self.take(count);
        }
        Poll::Ready(Ok(()))
    }

    /// Writes as much of `bufs` as the peer's window and the send buffer take, in one DATA frame if it is no longer than that may be.
    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wanted: usize = bufs.iter().map(|buf| buf.len()).sum();
        if wanted == 0 {
            return Poll::Ready(Ok(0));
        }
        // Nothing else waits for the window: this may, and asking costs more than a short frame does.
        let count = if wanted <= UNASKED && self.underway.is_over() {
            wanted
        } else {
            cmp::min(wanted, ready!(self.poll_capacity(cx, wanted))?)
        };
        let mut payload = take(count);
        for buf in bufs {
            let left = count - payload.len();
            payload.extend_from_slice(&buf[..cmp::min(left, buf.len())]);
        }
        self.send_data(payload, false)?;
        Poll::Ready(Ok(count))
    }

    /// Reserves so much of the peer's window, and returns what there is of it, at least 1.
    fn poll_capacity(&mut self, cx: &mut Context<'_>, wanted: usize) -> Poll<io::Result<usize>> {
        self.send.reserve_capacity(wanted);
        while self.send.capacity() == 0 {
            match ready!(self.send.poll_capacity(cx)) {
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Err(broken(error))),
                None => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            }
        }
        Poll::Ready(Ok(self.send.capacity()))
    }

    fn send_data(&mut self, payload: Vec<u8>, is_end: bool) -> io::Result<()> {
        let sent = Sent::new(payload, &self.underway);
        self.send.send_data(sent, is_end).map_err(broken)
    }

    /// Ends our side, and waits until that has left.
    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !mem::replace(&mut self.ended.we, true) {
            self.send_data(Vec::new(), true)?;
        }
        self.underway.poll_over(cx).map(Ok)
    }

    fn is_over(&self) -> bool {
        self.ended.we && self.ended.peer && self.underway.is_over()
    }

    /// Waits until what was written has left and, after a shutdown, until the peer has ended its side.
    async fn over(&mut self) {
        poll_fn(|cx| self.underway.poll_over(cx)).await;
        while self.ended.we && !self.ended.peer {
            let chunk = poll_fn(|cx| self.poll_chunk(cx).map_ok(|chunk| chunk.len()));
            let Ok(count) = chunk.await else { return };
            self.take(count);
        }
    }
}

impl Drop for Http2Stream {
    fn drop(&mut self) {
        let Some(mut halves) = self.0.take().filter(|halves| !halves.is_over()) else { return };
        let time = if halves.ended.we { LINGER.1 } else { LINGER.0 };
        let runtime = Handle::try_current().ok();
        let lingers = halves.ended.we || !halves.underway.is_over();
        if let Some(runtime) = runtime.filter(|_| lingers) {
            runtime.spawn(async move {
                _ = timeout(time, halves.over()).await;
            });
        }
    }
}

impl Drop for Halves {
    fn drop(&mut self) {
        if !self.is_over() {
            self.send.send_reset(Reason::CANCEL);
        }
    }
}

impl AsyncRead for Http2Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.halves().poll_read(cx, buf)
    }
}

impl AsyncWrite for Http2Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.halves().poll_write(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.halves().poll_write(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// What was written leaves without anyone's help.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.halves().poll_shutdown(cx)
    }
}

impl fmt::Debug for Http2Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut stream = f.debug_struct("Http2Stream");
        if let Some(halves) = &self.0 {
            stream.field("id", &halves.send.stream_id()).field("ended", &halves.ended);
        }
        stream.finish()
    }
}

/// The error of a stream that was reset, or whose connection is gone.
pub(crate) fn broken(error: h2::Error) -> io::Error {
    if error.is_io() {
        return error.into_io().unwrap_or_else(|| io::ErrorKind::ConnectionReset.into());
    }
    let kind = if error.is_reset() || error.is_go_away() {
        io::ErrorKind::ConnectionReset
    } else {
        io::ErrorKind::Other
    };
    io::Error::new(kind, error)
}
