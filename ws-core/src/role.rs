//! Which end of the connection we are: it decides who masks.

/// The end of the connection that this side plays.
///
/// A client masks every frame that it sends and a server masks none (RFC 6455, 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Opened the connection.
    Client,
    /// Accepted it.
    Server,
}
