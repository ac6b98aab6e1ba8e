//! What of a connection's settings a browser leaves to us.

use std::time::Duration;

/// Settings of a connection. Any [`Duration`] is valid; more than 24 days means never.
///
/// The browser answers pings, and has limits of its own beside these.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub(super) max_message: usize,
    pub(super) receive_limit: usize,
    pub(super) queue_limit: usize,
    pub(super) close_timeout: Duration,
    pub(super) write_timeout: Duration,
}

impl Settings {
    /// Sets the maximum size of received messages, in bytes. Default 1 MiB. A larger message closes the connection with 4009, in
    /// place of 1009, which a page may not send. The browser has it in memory by then, outside of WebAssembly's.
    #[must_use]
    pub const fn max_message(self, bytes: usize) -> Self {
        Self { max_message: bytes, ..self }
    }

    /// Sets the maximum number of bytes that wait to be received. Default 16 MiB; each message counts 64 bytes more than its
    /// length. A browser can't be told to wait, so beyond this the connection closes with 4008, in place of 1008, and receiving
    /// returns [`Error::Overrun`](crate::Error::Overrun) after what waits. A single message up to
    /// [`max_message`](Self::max_message) always fits.
    ///
    /// Only in a browser: elsewhere, the peer is held back instead.
    #[must_use]
    pub const fn receive_limit(self, bytes: usize) -> Self {
        Self { receive_limit: bytes, ..self }
    }

    /// Sets the maximum number of bytes that the browser holds for sending (`bufferedAmount`). Default 1 MiB. Senders wait
    /// meanwhile. A message longer than the limit is sent once the browser holds nothing.
    #[must_use]
    pub const fn queue_limit(self, bytes: usize) -> Self {
        Self { queue_limit: bytes, ..self }
    }

    /// Sets the timeout for closing: for sending what the browser holds and our close frame, and for the peer's. Default 5 s; the
    /// browser's own timeout may be shorter.
    #[must_use]
    pub const fn close_timeout(self, timeout: Duration) -> Self {
        Self { close_timeout: timeout, ..self }
    }

    /// Sets how long the browser may send nothing, while somebody waits for it, before the connection fails with
    /// [`TimedOut`](std::io::ErrorKind::TimedOut). Default 30 s. It takes longer in a page that the browser has slowed down, in
    /// the background.
    #[must_use]
    pub const fn write_timeout(self, timeout: Duration) -> Self {
        Self { write_timeout: timeout, ..self }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_message: 1 << 20,
            receive_limit: 16 << 20,
            queue_limit: 1 << 20,
            close_timeout: Duration::from_secs(5),
            write_timeout: Duration::from_secs(30),
        }
    }
}
