//! A transport that reads and writes a few bytes at a time and waits between: every state that a connection can be
//! dropped in comes up.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How a [`Scripted`] transport behaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Script {
    /// Most bytes that one call reads or writes.
    pub(crate) portion: usize,
    pub(crate) writes: Writes,
}

/// Whether a transport takes several slices in one write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writes {
    Plain,
    Vectored,
}

/// A transport with a script. Every other call waits, and wakes its task itself.
pub(crate) struct Scripted {
    script: Script,
    incoming: Vec<u8>,
    read: usize,
    written: Vec<u8>,
    waits: Waits,
    shut: bool,
}

/// Whether the next call of each kind waits.
#[derive(Default)]
struct Waits {
    read: bool,
    write: bool,
    flush: bool,
    shutdown: bool,
}

impl Scripted {
    /// The peer sends `incoming`, and then its stream ends.
    pub(crate) fn new(script: Script, incoming: &[u8]) -> Self {
        let (incoming, written) = (incoming.to_vec(), Vec::new());
        Self { script, incoming, read: 0, written, waits: Waits::default(), shut: false }
    }

    /// All that arrived at the peer.
    pub(crate) fn written(&self) -> &[u8] {
        &self.written
    }
}

/// Waits at every other call.
fn alternate(wait: &mut bool, cx: &Context<'_>) -> Poll<()> {
    *wait = !*wait;
    if *wait {
        cx.waker().wake_by_ref();
        return Poll::Pending;
    }
    Poll::Ready(())
}

impl AsyncRead for Scripted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        std::task::ready!(alternate(&mut self.waits.read, cx));
        let rest = &self.incoming[self.read..];
        let len = rest.len().min(self.script.portion).min(buf.remaining());
        buf.put_slice(&rest[..len]);
        self.read += len;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Scripted {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        assert!(!self.shut, "a write after the shutdown");
        std::task::ready!(alternate(&mut self.waits.write, cx));
        let bytes = bufs.iter().flat_map(|slice| slice.iter().copied());
        let before = self.written.len();
        let portion = self.script.portion;
        self.written.extend(bytes.take(portion));
        Poll::Ready(Ok(self.written.len() - before))
    }

    fn is_write_vectored(&self) -> bool {
        self.script.writes == Writes::Vectored
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        alternate(&mut self.waits.flush, cx).map(Ok)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        std::task::ready!(alternate(&mut self.waits.shutdown, cx));
        self.shut = true;
        Poll::Ready(Ok(()))
    }
}
