//! Reading and writing handshake heads, under a deadline.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

use crate::machine::{EndsFirst, Linger};
use crate::settings::after;

/// Initial capacity for a head, in bytes. The buffer grows as bytes arrive, up to the limit on heads.
const ROOM: usize = 1024;

/// The deadline of a handshake; `None` (never) if the clock doesn't reach that far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deadline(Option<Instant>);

/// The deadline has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Late;

impl Deadline {
    pub(crate) fn after(time: Duration) -> Self {
        Self(after(time))
    }

    /// Returns the earlier of this deadline and one `time` from now.
    pub(crate) fn or_after(self, time: Duration) -> Self {
        match (self.0, Self::after(time).0) {
            (Some(ours), Some(other)) => Self(Some(ours.min(other))),
            (ours, other) => Self(ours.or(other)),
        }
    }

    /// Returns when it is; `None` means never.
    #[cfg(feature = "http2")]
    pub(crate) fn at(self) -> Option<Instant> {
        self.0
    }

    /// Awaits a future until the deadline.
    pub(crate) async fn within<F: Future>(self, future: Pin<&mut F>) -> Result<F::Output, Late> {
        match self.0 {
            Some(deadline) => timeout_at(deadline, future).await.map_err(|_| Late),
            None => Ok(future.await),
        }
    }
}

/// Reads until `parse` finds a head, and removes it from the buffer. Returns `None` if the stream ends before.
pub(crate) async fn read_head<S, T, E>(
    stream: &mut S,
    buffer: &mut BytesMut,
    mut parse: impl FnMut(&[u8]) -> Result<Option<(T, usize)>, E>,
) -> Result<Option<T>, E>
where
    S: AsyncRead + Unpin,
    E: From<io::Error>,
{
    loop {
        if let Some((head, used)) = parse(buffer)? {
            buffer.advance(used);
            return Ok(Some(head));
        }
        buffer.reserve(ROOM);
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

/// Writes a head, and flushes it.
pub(crate) async fn write_head<S: AsyncWrite + Unpin>(
    stream: &mut S,
    head: &[u8],
) -> io::Result<()> {
    stream.write_all(head).await?;
    stream.flush().await
}

/// Writes the last bytes of a stream, and lingers until the peer ends. The caller limits how long writing may take.
pub(crate) async fn write_last<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    mut last: &[u8],
) -> io::Result<()> {
    let mut linger = Linger::new(EndsFirst::We);
    let mut forgotten = BytesMut::with_capacity(ROOM);
    poll_fn(|cx| {
        linger.poll(
            cx,
            stream,
            |cx, stream| pin!(stream.write_all_buf(&mut last)).poll(cx),
            |cx, stream| {
                forgotten.clear();
                pin!(stream.read_buf(&mut forgotten)).poll(cx)
            },
        )
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    #[tokio::test(start_paused = true)]
    async fn a_deadline_comes_when_it_was_set() {
        for time in [Duration::ZERO, Duration::from_secs(1), 60 * DAY, Duration::from_secs(1 << 40)]
        {
            let since = Instant::now();
            assert_eq!(Deadline::after(time).within(pin!(pending::<()>())).await, Err(Late));
            assert_eq!(since.elapsed(), time);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_beyond_the_clock_never_comes() {
        let never = Deadline::after(Duration::MAX);
        let mut silence = pin!(pending::<()>());
        let waits = never.within(silence.as_mut());
        assert!(tokio::time::timeout(100 * 365 * DAY, waits).await.is_err());
        assert_eq!(never.within(pin!(async { 7 })).await, Ok(7));
    }

    #[tokio::test(start_paused = true)]
    async fn the_earlier_of_two_deadlines_counts() {
        let (soon, late) = (Duration::from_millis(250), Duration::from_secs(10));
        let at = Deadline::after;
        assert_eq!(at(late).or_after(soon), at(soon));
        assert_eq!(at(soon).or_after(late), at(soon));
        assert_eq!(at(Duration::MAX).or_after(soon), at(soon));
        assert_eq!(at(soon).or_after(Duration::MAX), at(soon));
        assert_eq!(at(Duration::MAX).or_after(Duration::MAX), at(Duration::MAX));
    }
}
