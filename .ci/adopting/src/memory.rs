//! A stream in memory, of each kind that the crates ask for. It never waits.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use tokio::io::ReadBuf;

/// Receives a message and lends its payload.
pub(crate) type Receiver = Box<dyn FnMut(&mut dyn FnMut(&[u8]))>;
/// Sends a message.
pub(crate) type Sender = Box<dyn FnMut(&Bytes)>;

pub(crate) struct Memory {
    wire: Rc<[u8]>,
    at: usize,
    /// What a read brings at most.
    step: usize,
    kept: Option<Rc<RefCell<Vec<u8>>>>,
}

impl Memory {
    /// Brings the wire, and then again from its beginning.
    pub(crate) fn of(wire: &Rc<[u8]>, step: usize) -> Self {
        Self { wire: wire.clone(), at: 0, step, kept: None }
    }

    /// Keeps what is written.
    pub(crate) fn keeping(kept: &Rc<RefCell<Vec<u8>>>) -> Self {
        Self { wire: Rc::new([]), at: 0, step: 0, kept: Some(kept.clone()) }
    }

    /// Drops what is written.
    pub(crate) fn sink() -> Self {
        Self { wire: Rc::new([]), at: 0, step: 0, kept: None }
    }

    fn bring(&mut self, room: usize) -> &[u8] {
        if self.at == self.wire.len() {
            self.at = 0;
        }
        let from = self.at;
        self.at += room.min(self.step).min(self.wire.len() - from);
        &self.wire[from..self.at]
    }

    fn keep(&mut self, bytes: &[u8]) -> usize {
        if let Some(kept) = &self.kept {
            kept.borrow_mut().extend_from_slice(bytes);
        }
        bytes.len()
    }
}

impl Read for Memory {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let bytes = self.bring(buf.len());
        buf[..bytes.len()].copy_from_slice(bytes);
        Ok(bytes.len())
    }
}

impl Write for Memory {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        Ok(self.keep(buf))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl futures_io::AsyncRead for Memory {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.read(buf))
    }
}

impl futures_io::AsyncWrite for Memory {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.write(buf))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl tokio::io::AsyncRead for Memory {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let room = buf.remaining();
        buf.put_slice(self.bring(room));
        Poll::Ready(Ok(()))
    }
}

impl tokio::io::AsyncWrite for Memory {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.write(buf))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// What a future over such streams comes to.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a stream in memory never waits"),
    }
}
