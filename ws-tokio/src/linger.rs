//! Lingering close: our last bytes arrive although the peer is still sending.
//!
//! Closing a socket with unread input makes TCP send a reset, which destroys what is on its way to the peer: the
//! close frame, or the refusal that says why. So: write, shut the write side down, then read and forget until the
//! peer's end, bounded in bytes here and in time by the caller.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite};

/// Most bytes that are read and forgotten.
const MOST: usize = 64 << 20;

/// Who ends the TCP connection first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndsFirst {
    /// We do: a server after a closing handshake, and either role after a violation.
    We,
    /// The peer does: a client after a closing handshake leaves it to the server (RFC 6455, 7.1.1).
    Peer,
}

/// How far the end has come.
#[derive(Debug)]
pub(crate) struct Linger {
    write_side: WriteSide,
    ends_first: EndsFirst,
    forgotten: usize,
    peer_ended: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WriteSide {
    Writing,
    Written,
    Shut,
}

impl Linger {
    pub(crate) const fn new(ends_first: EndsFirst) -> Self {
        Self { write_side: WriteSide::Writing, ends_first, forgotten: 0, peer_ended: false }
    }

    /// Goes on: `write` writes what is left of our last bytes, `discard` reads once and forgets.
    pub(crate) fn poll<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut S,
        mut write: impl FnMut(&mut Context<'_>, &mut S) -> Poll<io::Result<()>>,
        mut discard: impl FnMut(&mut Context<'_>, &mut S) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<()>> {
        loop {
            self.poll_write_side(cx, stream, &mut write)?;
            if self.peer_ended {
                let shut = self.write_side == WriteSide::Shut;
                return if shut { Poll::Ready(Ok(())) } else { Poll::Pending };
            }
            match discard(cx, stream)? {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(0) => self.peer_ended = true,
                Poll::Ready(read) => self.forgotten += read,
            }
            if self.forgotten > MOST {
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// Writes, then shuts down when it is our turn to end.
    fn poll_write_side<S: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut S,
        write: &mut impl FnMut(&mut Context<'_>, &mut S) -> Poll<io::Result<()>>,
    ) -> io::Result<()> {
        if self.write_side == WriteSide::Writing && write(cx, stream)?.is_ready() {
            self.write_side = WriteSide::Written;
        }
        let our_turn = self.ends_first == EndsFirst::We || self.peer_ended;
        if self.write_side == WriteSide::Written
            && our_turn
            && Pin::new(stream).poll_shutdown(cx)?.is_ready()
        {
            self.write_side = WriteSide::Shut;
        }
        Ok(())
    }
}
