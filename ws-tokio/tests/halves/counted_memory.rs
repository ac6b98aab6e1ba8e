//! Memory: a streamed message of any size is held in a few chunks, on either side.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use ws_tokio::{Message, MessageKind, Role, Settings};

use crate::counting::{calls, held, take_peak};
use crate::support::memory::over;

/// Bytes in the message.
const LARGE: usize = 64 << 20;

/// What a frame is read in, in bytes.
const CHUNK: usize = 64 << 10;

/// Most bytes that may be held at any time for it: a few buffers of 128 KiB.
const FEW: isize = 1 << 20;

/// A server that sends one large binary message and takes whatever is sent to it.
struct Endless {
    /// What comes before zeros without end.
    header: &'static [u8],
}

/// A client's peer: `LARGE` bytes in a frame.
const HEADER: &[u8] = &[0x82, 127, 0, 0, 0, 0, 4, 0, 0, 0];

impl AsyncRead for Endless {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let len = self.header.len().min(buf.remaining());
        buf.put_slice(&self.header[..len]);
        self.header = &self.header[len..];
        buf.initialize_unfilled();
        buf.set_filled(buf.capacity());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Endless {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn connection() -> ws_tokio::Connection<Endless> {
    over(Endless { header: HEADER }, Role::Client, Settings::default().max_message(LARGE))
}

/// Bytes that are held at the most by this thread in `act`, besides what it held before.
async fn most_held(act: impl AsyncFnOnce()) -> isize {
    take_peak();
    let before = held();
    act().await;
    take_peak() - before
}

#[tokio::test]
async fn a_message_of_64_mib_is_read_in_little_memory() {
    let held = most_held(async || {
        let (mut connection, before) = (connection(), calls());
        let mut reader = connection.reader().await.unwrap().unwrap();
        let (mut read, mut buffer) = (0, vec![0; 10_000]);
        while let len @ 1.. = reader.read(&mut buffer).await.unwrap() {
            read += len;
        }
        assert_eq!(read, LARGE);
        let calls = calls() - before;
        assert!(calls <= 2 * LARGE / CHUNK, "{calls} allocations");
    })
    .await;
    assert!(held < FEW, "{held} bytes");
}

#[tokio::test]
async fn a_message_of_64_mib_that_nobody_reads_on_is_dropped_in_little_memory() {
    let held = most_held(async || {
        let mut connection = connection();
        drop(connection.reader().await.unwrap().unwrap());
        // Behind it, zeros are a continuation of nothing.
        assert!(connection.recv().await.is_err());
    })
    .await;
    assert!(held < FEW, "{held} bytes");
}

#[tokio::test]
async fn a_message_of_64_mib_is_written_in_little_memory() {
    let held = most_held(async || {
        let (_receiving, sending) = connection().split();
        let mut writer = sending.writer(MessageKind::Binary).await.unwrap();
        let part = vec![7; 100_000];
        for _ in 0..LARGE / part.len() {
            writer.write_all(&part).await.unwrap();
        }
        writer.finish().await.unwrap();
    })
    .await;
    assert!(held < FEW, "{held} bytes");
}

#[tokio::test]
async fn a_message_under_way_that_is_received_whole_after_all_is_held_once() {
    let small = Settings::default().max_message(4 << 20);
    let wire = [&[0x82, 127, 0, 0, 0, 0, 0, 0x40, 0, 0][..], &vec![7; 4 << 20]].concat();
    let (ours, mut theirs) = tokio::io::duplex(wire.len());
    theirs.write_all(&wire[..1000]).await.unwrap();
    let mut connection = over(ours, Role::Client, small);
    assert!(crate::support::memory::waits(connection.reader()).await);
    theirs.write_all(&wire[1000..]).await.unwrap();
    let held = most_held(async || {
        let message = connection.recv().await.unwrap().unwrap();
        assert!(message == Message::from(vec![7; 4 << 20]));
    })
    .await;
    // The message, one of the same size to compare with, and what doubling costs while it grows.
    assert!(held < (4 << 20) * 4 + FEW, "{held} bytes");
}
