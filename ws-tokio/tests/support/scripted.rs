//! A transport that reads and writes a few bytes at a time and waits between: every state that a connection can be
//! dropped in comes up.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

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

/// What one call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Waits, and wakes its task itself.
    Waits,
    /// Moves at most so many bytes.
    Moves(usize),
}

/// What comes behind all that the peer sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadEnd {
    End,
    Fails(io::ErrorKind),
    Silence,
}

/// What becomes of writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WriteEnd {
    Fails(io::ErrorKind),
    /// Takes 0 bytes.
    Zero,
    /// Waits, and wakes nobody.
    Stalls,
}

/// A transport with a script. Unless told otherwise, every other call waits, and wakes its task itself.
pub(crate) struct Scripted {
    writes: Writes,
    incoming: Vec<u8>,
    read: usize,
    read_end: ReadEnd,
    written: Vec<u8>,
    /// What becomes of writing after so many bytes.
    write_end: Option<(usize, WriteEnd)>,
    paces: Paces,
    shut: bool,
    /// Where what was written is left when the transport is dropped.
    legacy: Option<Arc<Mutex<Vec<u8>>>>,
}

/// One for each kind of call.
struct Paces {
    read: Pace,
    write: Pace,
    flush: Pace,
    shutdown: Pace,
}

/// Turns that are taken over and over.
#[derive(Clone)]
struct Pace {
    turns: Vec<Turn>,
    calls: usize,
}

/// More calls than any test needs: who makes them goes round in circles.
const TOO_MANY_CALLS: usize = 2_000_000;

impl Scripted {
    /// The peer sends `incoming`, and then its stream ends.
    pub(crate) fn new(script: Script, incoming: &[u8]) -> Self {
        let turns = [Turn::Waits, Turn::Moves(script.portion)];
        Self {
            writes: script.writes,
            incoming: incoming.to_vec(),
            read: 0,
            read_end: ReadEnd::End,
            written: Vec::new(),
            write_end: None,
            paces: Paces::new(&turns, &turns),
            shut: false,
            legacy: None,
        }
    }

    /// Takes these turns instead, over and over; each kind of call has its own place among them.
    pub(crate) fn paced(mut self, reading: &[Turn], writing: &[Turn]) -> Self {
        self.paces = Paces::new(reading, writing);
        self
    }

    /// What comes behind `incoming`, and what becomes of writing after so many bytes.
    pub(crate) fn ending(mut self, read: ReadEnd, write: Option<(usize, WriteEnd)>) -> Self {
        (self.read_end, self.write_end) = (read, write);
        self
    }

    /// Leaves there what was written, when the transport is dropped.
    pub(crate) fn leaving(mut self, legacy: &Arc<Mutex<Vec<u8>>>) -> Self {
        self.legacy = Some(legacy.clone());
        self
    }

    /// All that arrived at the peer.
    pub(crate) fn written(&self) -> &[u8] {
        &self.written
    }

    /// What has become of writing, and how many bytes it takes before.
    fn room(&self) -> (usize, Option<WriteEnd>) {
        match self.write_end {
            None => (usize::MAX, None),
            Some((at, end)) => match at - self.written.len() {
                0 => (0, Some(end)),
                left => (left, None),
            },
        }
    }
}

impl Paces {
    fn new(reading: &[Turn], writing: &[Turn]) -> Self {
        let [read, write] =
            [reading, writing].map(|turns| Pace { turns: turns.to_vec(), calls: 0 });
        Self { read, flush: write.clone(), shutdown: write.clone(), write }
    }
}

impl Pace {
    /// Waits, or says how many bytes may move.
    fn poll(&mut self, cx: &Context<'_>) -> Poll<usize> {
        assert!(self.calls < TOO_MANY_CALLS, "going round in circles");
        let turn = self.turns[self.calls % self.turns.len()];
        self.calls += 1;
        match turn {
            Turn::Moves(most) => Poll::Ready(most),
            Turn::Waits => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }
}

impl AsyncRead for Scripted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.read_end == ReadEnd::Silence && self.read == self.incoming.len() {
            return Poll::Pending;
        }
        let most = ready!(self.paces.read.poll(cx));
        let rest = &self.incoming[self.read..];
        if rest.is_empty() {
            return match self.read_end {
                ReadEnd::End | ReadEnd::Silence => Poll::Ready(Ok(())),
                ReadEnd::Fails(kind) => Poll::Ready(Err(kind.into())),
            };
        }
        let len = rest.len().min(most).min(buf.remaining());
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
        let (room, end) = self.room();
        match end {
            None => {}
            Some(WriteEnd::Zero) => return Poll::Ready(Ok(0)),
            Some(WriteEnd::Fails(kind)) => return Poll::Ready(Err(kind.into())),
            Some(WriteEnd::Stalls) => return Poll::Pending,
        }
        let most = ready!(self.paces.write.poll(cx));
        let before = self.written.len();
        let mut left = most.min(room);
        for slice in bufs {
            let len = slice.len().min(left);
            self.written.extend_from_slice(&slice[..len]);
            left -= len;
        }
        Poll::Ready(Ok(self.written.len() - before))
    }

    fn is_write_vectored(&self) -> bool {
        self.writes == Writes::Vectored
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.paces.flush.poll(cx).map(|_| Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.paces.shutdown.poll(cx));
        self.shut = true;
        Poll::Ready(Ok(()))
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        if let Some(legacy) = &self.legacy {
            *legacy.lock().expect("a whole legacy") = std::mem::take(&mut self.written);
        }
    }
}
