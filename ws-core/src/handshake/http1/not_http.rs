//! Recognising peers that speak another protocol, by their first bytes.

use std::error::Error;
use std::fmt;
use std::str;

/// The first bytes of a peer that doesn't speak HTTP/1: up to 32, as many as were there when it showed.
///
/// ```
/// # use ws_core::handshake::http1::{HeadError, HeadLimits, HeadReader, LooksLike};
/// let banner = b"SSH-2.0-OpenSSH_9.6\r\n";
/// let error = HeadReader::new(HeadLimits::default()).response(banner).unwrap_err();
/// let HeadError::NotHttp(not_http) = error else { panic!("{error}") };
/// assert_eq!(not_http.looks_like(), LooksLike::Text);
/// assert_eq!(not_http.to_string(), r#"not HTTP/1 but text: "SSH-2.0-OpenSSH_9.6\r\n""#);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NotHttp {
    first: [u8; Self::MOST],
    // Invariant: at most MOST.
    len: usize,
}

/// What bytes that are not HTTP/1 look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LooksLike {
    /// A record of TLS: a handshake (a ClientHello, say) or an alert.
    Tls,
    /// HTTP/2: a client's preface, or the SETTINGS or GOAWAY that a server begins with.
    Http2,
    /// Text: the banner of SSH or SMTP, say.
    Text,
    /// Anything else.
    Binary,
}

impl NotHttp {
    /// Most bytes that are kept.
    const MOST: usize = 32;

    pub(super) fn new(bytes: &[u8]) -> Self {
        let (mut first, len) = ([0; Self::MOST], bytes.len().min(Self::MOST));
        first[..len].copy_from_slice(&bytes[..len]);
        Self { first, len }
    }

    /// The first bytes, up to 32.
    pub fn first_bytes(&self) -> &[u8] {
        &self.first[..self.len]
    }

    /// What they look like. Of a protocol that is known by its first few bytes, one alone may say less.
    pub fn looks_like(&self) -> LooksLike {
        match self.first_bytes() {
            [TLS_ALERT | TLS_HANDSHAKE] | [TLS_ALERT | TLS_HANDSHAKE, 3, ..] => LooksLike::Tls,
            [0, _, _, HTTP2_SETTINGS | HTTP2_GOAWAY, ..] => LooksLike::Http2,
            bytes if bytes.starts_with(HTTP2_PREFACE) => LooksLike::Http2,
            bytes if is_text(bytes) => LooksLike::Text,
            _ => LooksLike::Binary,
        }
    }
}

impl fmt::Debug for NotHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NotHttp({:?}, \"{}\")", self.looks_like(), self.first_bytes().escape_ascii())
    }
}

impl fmt::Display for NotHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not HTTP/1 but {}: \"{}\"", self.looks_like(), self.first_bytes().escape_ascii())
    }
}

impl fmt::Display for LooksLike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls => "TLS",
            Self::Http2 => "HTTP/2",
            Self::Text => "text",
            Self::Binary => "binary data",
        })
    }
}

impl Error for NotHttp {}

/// UTF-8 without controls, perhaps cut in its last character.
fn is_text(bytes: &[u8]) -> bool {
    let controls = bytes.iter().any(|b| b.is_ascii_control() && !b.is_ascii_whitespace());
    !controls && str::from_utf8(bytes).map_or_else(|error| error.error_len().is_none(), |_| true)
}

/// Types of TLS records (RFC 8446, 5.1); behind one stands a version, 3 and then 1 to 4.
const TLS_ALERT: u8 = 21;
const TLS_HANDSHAKE: u8 = 22;

/// Types of HTTP/2 frames (RFC 9113, 6); before one stands a length of three bytes.
const HTTP2_SETTINGS: u8 = 4;
const HTTP2_GOAWAY: u8 = 7;

/// How an HTTP/2 client begins (RFC 9113, 3.4).
pub(super) const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_protocols_are_named_by_their_first_bytes() {
        for (bytes, name) in [
            (&b"\x16\x03\x01\x02\x00\x01\x00"[..], LooksLike::Tls),
            (b"\x15\x03\x03\x00\x02\x02\x46", LooksLike::Tls),
            (b"\x16", LooksLike::Tls),
            (b"\x16\x04", LooksLike::Binary),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", LooksLike::Http2),
            (b"\x00\x00\x12\x04\x00\x00\x00\x00\x00", LooksLike::Http2),
            (b"\x00\x00\x12", LooksLike::Binary),
            (b"220 mail.example ESMTP \xc3\xbc\xc3", LooksLike::Text),
            (b"\xff\xfb\x01", LooksLike::Binary),
            (b"a\x00b", LooksLike::Binary),
        ] {
            assert_eq!(NotHttp::new(bytes).looks_like(), name, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn no_more_than_32_bytes_are_kept_and_they_are_shown_escaped() {
        let not_http = NotHttp::new(&[b'\n'; 100]);
        assert_eq!(not_http.first_bytes(), [b'\n'; 32]);
        assert_eq!(not_http.to_string(), format!("not HTTP/1 but text: \"{}\"", "\\n".repeat(32)));
        let hello = NotHttp::new(b"\x16\x03\x01\"");
        assert_eq!(hello.to_string(), r#"not HTTP/1 but TLS: "\x16\x03\x01\"""#);
    }
}
