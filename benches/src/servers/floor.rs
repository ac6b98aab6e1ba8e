//! What an echo on Tokio can't do without: one read and one write per burst, each payload unmasked and copied behind a new
//! header. No limits, no checks, no control frames: what a library takes above it is the price of being one.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::asked::{Deflate, Ended};
use super::upgrade::upgrade;

pub(super) async fn echo<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, _: Deflate) -> Ended {
    upgrade(&mut stream, None).await?;
    let mut kept = BytesMut::new();
    loop {
        let mut input = poll_fn(|cx| poll_input(&mut stream, &mut kept, cx)).await?;
        if input.is_empty() {
            return Ok(());
        }
        let mut output = take();
        while let Some(frame) = Frame::find(&input) {
            frame.answer(&mut input, &mut output);
        }
        stream.write_all(&output).await?;
        // TLS keeps what the socket doesn't take.
        stream.flush().await?;
        give(output);
        match input.is_empty() {
            true => give(input),
            false => kept = input,
        }
    }
}

/// The frame at the front of `input` as a server sends it, once it is whole.
pub(super) fn answer(input: &mut Vec<u8>) -> Option<BytesMut> {
    let frame = Frame::find(input)?;
    let (mut whole, mut output) = (BytesMut::from(&input[..]), BytesMut::new());
    frame.answer(&mut whole, &mut output);
    input.clear();
    Some(output)
}

/// A buffer with what one read brought behind what was `kept`; an empty one at the end of input. While there is nothing to
/// read, a buffer with nothing in it goes back to the thread.
pub(crate) fn poll_input<S: AsyncRead + Unpin>(
    stream: &mut S,
    kept: &mut BytesMut,
    cx: &mut Context<'_>,
) -> Poll<std::io::Result<BytesMut>> {
    let mut input = match kept.capacity() {
        0 => take(),
        _ => std::mem::take(kept),
    };
    input.reserve(BUFFER / 2);
    let read = pin!(stream.read_buf(&mut input)).as_mut().poll(cx);
    if read.is_pending() {
        match input.is_empty() {
            true => give(input),
            false => *kept = input,
        }
        return Poll::Pending;
    }
    match ready!(read)? {
        0 => Poll::Ready(Ok(BytesMut::new())),
        _ => Poll::Ready(Ok(input)),
    }
}

/// A whole frame at the front of a buffer.
pub(crate) struct Frame {
    /// Bytes of the header before the key.
    header: usize,
    /// Bytes of the key.
    key: usize,
    payload: usize,
}

impl Frame {
    pub(crate) fn find(input: &[u8]) -> Option<Self> {
        let second = input.get(1)?;
        let (header, payload) = match second & 0x7f {
            126 => (4, u16::from_be_bytes(input.get(2..4)?.try_into().ok()?).into()),
            127 => (10, u64::from_be_bytes(input.get(2..10)?.try_into().ok()?) as usize),
            short => (2, short.into()),
        };
        let key = if second & 0x80 == 0 { 0 } else { KEY };
        let found = Self { header, key, payload };
        (input.len() >= found.len()).then_some(found)
    }

    const fn len(&self) -> usize {
        self.header + self.key + self.payload
    }

    /// Moves the frame to the output, without its mask.
    fn answer(&self, input: &mut BytesMut, output: &mut BytesMut) {
        input[1] &= 0x7f;
        output.extend_from_slice(&input[..self.header]);
        self.lend(input, |payload| output.extend_from_slice(payload));
    }

    /// Removes the frame from the input, and lends its payload.
    pub(crate) fn lend(&self, input: &mut BytesMut, act: impl FnOnce(&[u8])) {
        let (header, payload) = input[..self.len()].split_at_mut(self.header + self.key);
        if let Ok(key) = <[u8; KEY]>::try_from(&header[self.header..]) {
            ws_mask::mask(payload, key.into());
        }
        act(payload);
        input.advance(self.len());
    }
}

/// Bytes of a masking key.
const KEY: usize = 4;

const BUFFER: usize = 128 * 1024;

thread_local! {
    static POOL: RefCell<Vec<BytesMut>> = const { RefCell::new(Vec::new()) };
}

fn take() -> BytesMut {
    POOL.with_borrow_mut(Vec::pop).unwrap_or_else(|| BytesMut::with_capacity(BUFFER))
}

pub(crate) fn give(mut buffer: BytesMut) {
    buffer.clear();
    POOL.with_borrow_mut(|pool| {
        if pool.len() < 8 {
            pool.push(buffer);
        }
    });
}
