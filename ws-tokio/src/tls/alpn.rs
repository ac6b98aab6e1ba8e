//! The names of protocols that ALPN negotiates (RFC 7301).

pub(crate) const HTTP_1: &[u8] = b"http/1.1";

#[cfg(feature = "http2")]
pub(crate) const HTTP_2: &[u8] = b"h2";
