//! Errors of connecting: little, because a browser tells little.

use std::error;
use std::fmt;

/// An error while connecting.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectError {
    /// The browser takes no such URL or subprotocol, or this is none: Node.js before version 22 has a `WebSocket` only with
    /// `--experimental-websocket`. Contains its words.
    Invalid(String),
    /// There was no connection. A browser doesn't tell a page why, which could explore networks that way: no such host, nobody
    /// listening, a certificate, a refusal and its status all look the same. Its console tells. Contains the reason that it gives,
    /// which is empty but under Node.js.
    Failed(String),
    /// Connecting took longer than [`ConnectOptions::handshake_timeout`](crate::ConnectOptions::handshake_timeout).
    Timeout,
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(words) => write!(f, "the browser can't connect to that: {words}"),
            Self::Failed(reason) => {
                f.write_str("could not connect, and a browser doesn't tell a page why")?;
                if reason.is_empty() { Ok(()) } else { write!(f, ": {reason}") }
            }
            Self::Timeout => f.write_str("connecting took too long"),
        }
    }
}

impl error::Error for ConnectError {}
