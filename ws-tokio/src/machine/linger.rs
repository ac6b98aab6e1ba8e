//! Lingering close: delivers our last bytes even if the peer is still sending.
//!
//! Closing a socket with unread input makes TCP send a reset, which discards data on its way to the peer: the close
//! frame, or the refusal. So this writes, shuts down the write side, then reads and drops input until the peer ends.
//! The wait is short, since the caller wants to know how the connection ended, and a peer may keep its side open
//! forever. The caller limits how long writing may take.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Sleep, sleep};

/// Maximum number of bytes to read and drop.
const MOST: usize = 64 << 20;

/// How long to wait for the peer to end after our last byte was written.
pub(crate) const LONGEST: Duration = Duration::from_millis(250);

/// Which end closes the TCP connection first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndsFirst {
    /// This end: a server after a closing handshake, and either role after a violation.
    We,
    /// The peer: after a closing handshake, a client leaves it to the server (RFC 6455, 7.1.1).
    Peer,
}

/// The state of a lingering close.
#[derive(Debug)]
pub(crate) struct Linger {
    write_side: WriteSide,
    ends_first: EndsFirst,
    forgotten: usize,
    peer_ended: bool,
    /// Started when our last byte was written.
    timer: Option<Pin<Box<Sleep>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WriteSide {
    Writing,
    Written,
    Shut,
}

impl Linger {
    pub(crate) const fn new(ends_first: EndsFirst) -> Self {
        Self {
            write_side: WriteSide::Writing,
            ends_first,
            forgotten: 0,
            peer_ended: false,
            timer: None,
        }
    }

    /// Makes progress: `write` writes the rest of our last bytes, `discard` reads once and drops the input.
    pub(crate) fn poll<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut S,
        mut write: impl FnMut(&mut Context<'_>, &mut S) -> Poll<io::Result<()>>,
        mut discard: impl FnMut(&mut Context<'_>, &mut S) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<()>> {
        loop {
            self.poll_write_side(cx, stream, &mut write)?;
            if self.is_over(cx) {
                if self.write_side == WriteSide::Written {
                    // The peer did not end first: so that the stream ends rather than breaks. Nobody waits for it.
                    _ = Pin::new(&mut *stream).poll_shutdown(cx);
                }
                return Poll::Ready(Ok(()));
            }
            if self.peer_ended {
                return Poll::Pending;
            }
            match discard(cx, stream)? {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(0) => self.peer_ended = true,
                Poll::Ready(read) => self.forgotten += read,
            }
        }
    }

    /// Returns whether to stop waiting.
    fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        let all = self.peer_ended && self.write_side == WriteSide::Shut;
        all || self.forgotten > MOST || self.is_late(cx)
    }

    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        if self.write_side == WriteSide::Writing {
            return false;
        }
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(LONGEST)));
        timer.as_mut().poll(cx).is_ready()
    }

    /// Writes, then shuts down the write side once it is our turn.
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

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::empty;
    use tokio::time::Instant;

    use super::*;

    /// How often was read, and for how long it lingered, where each write and read comes to this.
    async fn linger(
        mut write: impl FnMut(&mut Context<'_>) -> Poll<io::Result<()>>,
        mut read: impl FnMut() -> Poll<io::Result<usize>>,
    ) -> (usize, Duration) {
        let (mut linger, since, mut reads) = (Linger::new(EndsFirst::We), Instant::now(), 0);
        let lingered = poll_fn(|cx| {
            linger.poll(
                cx,
                &mut empty(),
                |cx, _| write(cx),
                |_, _| {
                    reads += 1;
                    read()
                },
            )
        });
        lingered.await.expect("no error");
        (reads, since.elapsed())
    }

    const WRITTEN: Poll<io::Result<()>> = Poll::Ready(Ok(()));

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_ends_is_not_waited_for() {
        assert_eq!(linger(|_| WRITTEN, || Poll::Ready(Ok(0))).await, (1, Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_never_ends_is_left_a_quarter_of_a_second_after_our_last_byte() {
        let (_, took) = linger(|_| WRITTEN, || Poll::Pending).await;
        assert_eq!(took.as_millis(), LONGEST.as_millis());
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_never_stops_sending_is_left_after_64_mib() {
        let (reads, took) = linger(|_| WRITTEN, || Poll::Ready(Ok(MOST / 4))).await;
        assert_eq!((reads, took), (5, Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_begins_when_all_is_written() {
        let mut writing = Box::pin(sleep(2 * LONGEST));
        let (_, took) = linger(|cx| writing.as_mut().poll(cx).map(Ok), || Poll::Pending).await;
        assert_eq!(took.as_millis(), 3 * LONGEST.as_millis());
    }
}
