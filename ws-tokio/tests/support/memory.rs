//! Connections over an in-memory pipe, for paused clocks and for peers that take nothing.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, DuplexStream, duplex};
use ws_tokio::{Connection, Negotiated, Role, Settings};

/// Bytes that the pipe takes in each direction before its writer waits.
pub(crate) const PIPE: usize = 64 << 10;

/// A connection behind its handshake, and its peer's raw end of the pipe.
pub(crate) fn connection(
    role: Role,
    settings: Settings,
) -> (Connection<DuplexStream>, DuplexStream) {
    let (ours, theirs) = duplex(PIPE);
    (over(ours, role, settings), theirs)
}

/// A connection over this stream.
pub(crate) fn over<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    role: Role,
    settings: Settings,
) -> Connection<S> {
    let (nothing, negotiated) = (BytesMut::new(), Negotiated::default());
    Connection::from_upgraded(stream, role, nothing, negotiated, settings)
}

/// All that comes until the end of the stream.
pub(crate) async fn read_to_end(stream: &mut DuplexStream) -> Vec<u8> {
    let mut read = Vec::new();
    stream.read_to_end(&mut read).await.expect("an end");
    read
}

/// So many bytes as come now; the stream goes on.
pub(crate) async fn read_some(stream: &mut DuplexStream) -> Vec<u8> {
    let mut read = Vec::with_capacity(PIPE);
    stream.read_buf(&mut read).await.expect("an open pipe");
    read
}

/// Polls once, and says whether the future waits.
pub(crate) async fn waits<F: Future>(future: F) -> bool {
    let mut future = pin!(future);
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_pending())).await
}
