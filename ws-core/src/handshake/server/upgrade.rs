//! The two ways in which a request asks for a WebSocket.

/// How a request asks for a WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upgrade {
    /// As an HTTP/1.1 upgrade: a GET that is answered with 101 (RFC 6455, 4).
    Http1,
    /// As an extended CONNECT over HTTP/2 or HTTP/3, answered with 200: without a key, and without `Connection` or
    /// `Upgrade` in either direction (RFC 8441, 5). `:protocol` is not among the request's headers: the caller must
    /// have checked that it is `websocket`.
    ExtendedConnect,
}
