//! A transport under the test's control: how much it takes, what it gives, and whether it must write in order to read.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The end that a connection has. It remembers one waker for each direction, as sockets do.
pub(crate) struct Gated(Arc<Mutex<State>>);

/// The test's end.
#[derive(Clone)]
pub(crate) struct Gate(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    incoming: Vec<u8>,
    ended: bool,
    written: Vec<u8>,
    /// Bytes that the transport still takes.
    takes: usize,
    failure: Option<io::ErrorKind>,
    write_failure: Option<io::ErrorKind>,
    /// Bytes of its own that the transport must write before it reads, as TLS does for a new key.
    owes: usize,
    reader: Option<Waker>,
    writer: Option<Waker>,
    /// Reads that were asked for.
    reads: usize,
    memory: Memory,
}

/// Whether a wake-up that was asked for still comes after another call of that direction didn't wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Memory {
    /// It does, as of sockets.
    #[default]
    Keeps,
    /// It doesn't, which a transport may do: only the last call counts.
    Forgets,
}

/// A transport that takes nothing and gives nothing, yet.
pub(crate) fn gated() -> (Gated, Gate) {
    let state = Arc::new(Mutex::new(State::default()));
    (Gated(state.clone()), Gate(state))
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().expect("no panic")
}

impl Gate {
    /// Changes something, and wakes whoever waits.
    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = lock(&self.0);
        change(&mut state);
        let waiting = [state.reader.take(), state.writer.take()];
        drop(state);
        waiting.into_iter().flatten().for_each(Waker::wake);
    }

    /// Takes so many bytes more.
    pub(crate) fn take(&self, bytes: usize) {
        self.change(|state| state.takes = state.takes.saturating_add(bytes));
    }

    /// Takes nothing more, until it is told to.
    pub(crate) fn take_no_more(&self) {
        lock(&self.0).takes = 0;
    }

    /// Gives these bytes to be read.
    pub(crate) fn give(&self, bytes: &[u8]) {
        self.change(|state| state.incoming.extend_from_slice(bytes));
    }

    /// Gives these bytes to be read once so many of the transport's own are written.
    pub(crate) fn give_behind(&self, owes: usize, bytes: &[u8]) {
        self.change(|state| {
            state.owes = owes;
            state.incoming.extend_from_slice(bytes);
        });
    }

    /// Gives the end of the stream behind what was given.
    pub(crate) fn end(&self) {
        self.change(|state| state.ended = true);
    }

    /// Every call fails from now on.
    pub(crate) fn fail(&self, failure: io::ErrorKind) {
        self.change(|state| state.failure = Some(failure));
    }

    /// Every write fails from now on.
    pub(crate) fn fail_writes(&self, failure: io::ErrorKind) {
        self.change(|state| state.write_failure = Some(failure));
    }

    /// All that was written, but for what the transport owed.
    pub(crate) fn written(&self) -> Vec<u8> {
        lock(&self.0).written.clone()
    }

    /// Bytes that were given and not read.
    pub(crate) fn unread(&self) -> usize {
        lock(&self.0).incoming.len()
    }

    pub(crate) fn set_memory(&self, memory: Memory) {
        lock(&self.0).memory = memory;
    }

    /// How often a read was asked for.
    pub(crate) fn reads(&self) -> usize {
        lock(&self.0).reads
    }
}

impl State {
    /// As many of `len` bytes as are taken now.
    fn poll_take(&mut self, cx: &Context<'_>, len: usize) -> Poll<io::Result<usize>> {
        if let Some(failure) = self.failure.or(self.write_failure) {
            return Poll::Ready(Err(failure.into()));
        }
        let taken = len.min(self.takes);
        if taken == 0 {
            self.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        self.takes -= taken;
        if self.memory == Memory::Forgets {
            self.writer = None;
        }
        Poll::Ready(Ok(taken))
    }
}

impl AsyncRead for Gated {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut state = lock(&self.0);
        state.reads += 1;
        while state.owes > 0 {
            let owes = state.owes;
            state.owes -= std::task::ready!(state.poll_take(cx, owes))?;
        }
        if let Some(failure) = state.failure {
            return Poll::Ready(Err(failure.into()));
        }
        if state.incoming.is_empty() && !state.ended {
            state.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        if state.memory == Memory::Forgets {
            state.reader = None;
        }
        let len = state.incoming.len().min(buf.remaining());
        buf.put_slice(&state.incoming[..len]);
        state.incoming.drain(..len);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Gated {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut state = lock(&self.0);
        let taken = std::task::ready!(state.poll_take(cx, buf.len()))?;
        state.written.extend_from_slice(&buf[..taken]);
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
