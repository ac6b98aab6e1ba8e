//! The bytes of a handshake: a head is read until it is whole, and what follows it is kept.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::linger::{EndsFirst, Linger};

/// Room for the first read of a head, in bytes; the buffer grows as bytes come, to the limit on heads.
const ROOM: usize = 1024;

/// Reads until `parse` finds a head in what was read, and takes it away; `None` where the peer ended before.
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

/// Writes a whole head, and flushes it.
pub(crate) async fn write_head<S: AsyncWrite + Unpin>(
    stream: &mut S,
    head: &[u8],
) -> io::Result<()> {
    stream.write_all(head).await?;
    stream.flush().await
}

/// Writes the last bytes of a stream, and lingers for the peer's end. The caller bounds how long writing may take.
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
