//! A peer without a socket: it says one message and takes the echo, answers pings and the closing handshake, and is silent otherwise.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What all peers together have seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) pings: AtomicU64,
    pub(crate) messages: AtomicU64,
    /// Close frames with 1001.
    pub(crate) told: AtomicU64,
}

pub(crate) static SEEN: Seen =
    Seen { pings: AtomicU64::new(0), messages: AtomicU64::new(0), told: AtomicU64::new(0) };

/// The stream to one peer: all of its state, and two bytes.
///
/// It has nothing to say but answers, so it never wakes a task but one that reads on its own.
#[derive(Debug)]
pub(crate) struct Peer {
    says: Says,
    /// Whether the answer has only just been asked for: like one over a network, it comes in a later turn of the task.
    later: Later,
}

#[derive(Clone, Copy, Debug)]
enum Says {
    Message,
    Nothing,
    Pong,
    Close,
    End,
}

#[derive(Clone, Copy, Debug)]
enum Later {
    Yes,
    No,
}

/// 20 bytes and a key of zeros, as a client sends them.
const MESSAGE: &[u8] = b"\x82\x94\0\0\0\0twenty bytes of text";
const PONG: &[u8] = b"\x8a\x80\0\0\0\0";
const CLOSE: &[u8] = b"\x88\x82\0\0\0\0\x03\xe9";

impl Peer {
    pub(crate) const fn new() -> Self {
        Self { says: Says::Message, later: Later::No }
    }

    fn answers(&mut self, says: Says) {
        (self.says, self.later) = (says, Later::Yes);
    }

    /// Takes a whole frame, and returns what is behind it.
    fn take<'a>(&mut self, written: &'a [u8]) -> &'a [u8] {
        let (header, len) = match written[1] {
            126 => (4, u16::from_be_bytes([written[2], written[3]]).into()),
            short @ 0..126 => (2, usize::from(short)),
            long => panic!("a long frame, or a masked one: {long}"),
        };
        let (frame, behind) = written.split_at(header + len);
        match frame[0] {
            0x81 | 0x82 => _ = SEEN.messages.fetch_add(1, Relaxed),
            0x89 => {
                SEEN.pings.fetch_add(1, Relaxed);
                self.answers(Says::Pong);
            }
            0x88 => {
                if frame[2..].starts_with(&1001_u16.to_be_bytes()) {
                    SEEN.told.fetch_add(1, Relaxed);
                }
                self.answers(Says::Close);
            }
            other => panic!("a frame of another kind: {other:x}"),
        }
        behind
    }
}

impl AsyncRead for Peer {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if matches!(self.later, Later::Yes) {
            self.later = Later::No;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let (words, then) = match self.says {
            Says::Nothing => return Poll::Pending,
            Says::Message => (MESSAGE, Says::Nothing),
            Says::Pong => (PONG, Says::Nothing),
            Says::Close => (CLOSE, Says::End),
            Says::End => (&[][..], Says::End),
        };
        buffer.put_slice(words);
        self.says = then;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Peer {
    /// Takes everything: what is queued is whole frames.
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        written: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut left = written;
        while !left.is_empty() {
            left = self.take(left);
        }
        Poll::Ready(Ok(written.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
