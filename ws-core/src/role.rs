//! The two ends of a connection, of which one masks.

/// The role of an end of a connection.
///
/// A client masks every frame that it sends; a server masks none (RFC 6455, 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Opened the connection.
    Client,
    /// Accepted it.
    Server,
}
