//! The two ways in which a request asks for a WebSocket.

/// How the upgrade came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upgrade {
    /// As an HTTP/1.1 upgrade: a GET that is answered with 101 (RFC 6455, 4).
    Http1,
    /// As an extended CONNECT over HTTP/2 or HTTP/3, answered with 200: no key, and no `Connection`
    /// or `Upgrade` header in either direction (RFC 8441, 5). `:protocol` is none of the request's
    /// headers: whoever says this saw `websocket` there.
    ExtendedConnect,
}
