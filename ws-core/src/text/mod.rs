//! Text, which is UTF-8 (RFC 6455, 8.1).

pub(crate) mod utf8;
pub(crate) mod utf8_bytes;
