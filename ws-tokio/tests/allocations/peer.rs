//! A peer without memory of its own to count: it says the same words again and again, and forgets what it hears.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What a peer does at a pause in its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pause {
    /// It goes on at once.
    None,
    /// It lets its hearer wait once.
    Wait,
}

/// What a peer does after its last word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// It starts again.
    Again,
    /// It says nothing any more.
    Silence,
}

/// What a peer does with what it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hears {
    /// It takes all, and forgets it.
    All,
    /// It never reads.
    Nothing,
}

#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) words: Bytes,
    /// Most bytes that one read brings.
    pub(crate) per_read: usize,
    /// Before each read.
    pub(crate) between_reads: Pause,
    /// Before the first word.
    pub(crate) between_rounds: Pause,
    pub(crate) then: Then,
    pub(crate) hears: Hears,
    /// How far it has come.
    pub(crate) said: usize,
    /// Whether it has just paused.
    pub(crate) paused: bool,
}

impl Peer {
    /// Says its words as fast as they are read, with a pause before each round.
    pub(crate) fn new(words: impl Into<Bytes>, then: Then) -> Self {
        Self {
            words: words.into(),
            per_read: usize::MAX,
            between_reads: Pause::None,
            between_rounds: Pause::Wait,
            then,
            hears: Hears::All,
            said: 0,
            paused: false,
        }
    }

    fn poll_hear(&self, len: usize) -> Poll<io::Result<usize>> {
        match self.hears {
            Hears::All => Poll::Ready(Ok(len)),
            Hears::Nothing => Poll::Pending,
        }
    }

    fn poll_words(&mut self, cx: &Context<'_>) -> Poll<()> {
        if self.said == self.words.len() {
            match self.then {
                Then::Again => self.said = 0,
                Then::Silence => return Poll::Pending,
            }
        }
        let pause = if self.said == 0 { self.between_rounds } else { self.between_reads };
        if pause == Pause::Wait && !std::mem::replace(&mut self.paused, true) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.paused = false;
        Poll::Ready(())
    }
}

impl AsyncRead for Peer {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_words(cx));
        let rest = &self.words[self.said..];
        let len = rest.len().min(self.per_read).min(buf.remaining());
        buf.put_slice(&rest[..len]);
        self.said += len;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Peer {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_hear(buf.len())
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_hear(bufs.iter().map(|slice| slice.len()).sum())
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
