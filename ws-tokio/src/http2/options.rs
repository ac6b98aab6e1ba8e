//! What bounds an HTTP/2 connection.

use h2::{client, server};

/// Of HTTP/2, and so of what one connection can lend (RFC 9113, 6.9.1).
const LARGEST_WINDOW: u32 = (1 << 31) - 1;

/// The largest frame that is taken, in bytes (RFC 9113, 4.2). A client that sends such frames makes us read fewer, and hold one at a
/// time.
const LARGEST_FRAME: u32 = 64 << 10;

/// Memory for a received frame beside its payload, in bytes, as `h2` counts it.
const FRAME: usize = 256;

/// A masked message of 20 bytes, the smallest that is worth a window's full memory.
const SMALL: usize = 26;

/// Bounds of an HTTP/2 connection that carries WebSockets, of a [`Server`](crate::Server) or a client.
///
/// A peer can make a connection hold a stream's window for each stream, and about ten times that if it sends it in small frames to
/// a connection that nobody reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Http2Options {
    max_streams: u32,
    stream_window: u32,
    send_buffer: usize,
}

impl Http2Options {
    /// Sets how many streams a client may have open at a time, at least 1. Default 100. A server refuses those beyond it, which
    /// their client may retry; clients wait.
    #[must_use]
    pub fn max_streams(self, most: u32) -> Self {
        Self { max_streams: most.max(1), ..self }
    }

    /// Sets how many bytes of a stream may be on their way to this end, or unread there: its flow-control window (RFC 9113, 5.2).
    /// From 16 KiB on; default 256 KiB, which is 20 Mbit/s at a round trip of 100 ms. A reader that falls behind by this much stops
    /// its own stream, and no other: the connection's window is as large as HTTP/2 allows.
    #[must_use]
    pub fn stream_window(self, bytes: u32) -> Self {
        Self { stream_window: bytes.clamp(16 << 10, LARGEST_WINDOW), ..self }
    }

    /// Sets how many bytes of a stream are handed to HTTP/2 before they can leave. From 16 KiB on; default 64 KiB. What a slow peer
    /// leaves unread waits there first, and in the connection's queue then ([`Settings::queue_limit`](crate::Settings)).
    #[must_use]
    pub fn send_buffer(self, bytes: usize) -> Self {
        Self { send_buffer: bytes.clamp(16 << 10, LARGEST_WINDOW as usize), ..self }
    }

    pub(crate) fn server(&self, max_head: usize) -> server::Builder {
        let mut builder = server::Builder::new();
        builder
            .enable_connect_protocol()
            .initial_connection_window_size(LARGEST_WINDOW)
            .initial_window_size(self.stream_window)
            .max_frame_size(LARGEST_FRAME)
            .max_concurrent_streams(self.max_streams)
            .max_header_list_size(size(max_head))
            .max_send_buffer_size(self.send_buffer)
            .data_frame_budget(self.frames());
        builder
    }

    pub(crate) fn client(&self, max_head: usize) -> client::Builder {
        let mut builder = client::Builder::new();
        builder
            .enable_push(false)
            .initial_connection_window_size(LARGEST_WINDOW)
            .initial_window_size(self.stream_window)
            .max_frame_size(LARGEST_FRAME)
            .initial_max_send_streams(UNTOLD)
            .max_header_list_size(size(max_head))
            .max_send_buffer_size(self.send_buffer)
            .data_frame_budget(self.frames());
        builder
    }

    /// Memory for the frames of streams that nobody reads, in bytes.
    fn frames(&self) -> usize {
        let streams = usize::try_from(self.max_streams).unwrap_or(usize::MAX);
        let window = usize::try_from(self.stream_window).unwrap_or(usize::MAX);
        streams.saturating_mul((window / SMALL).saturating_mul(FRAME))
    }
}

/// How many streams a client may have open before the server has told: no server tells this number.
pub(crate) const UNTOLD: usize = usize::MAX - 1;

fn size(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

impl Default for Http2Options {
    fn default() -> Self {
        Self { max_streams: 100, stream_window: 256 << 10, send_buffer: 64 << 10 }
    }
}
