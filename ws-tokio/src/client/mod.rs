//! The client: connecting to a URL, or over an existing stream.

mod connect;
mod dial;
mod error;
mod handshake;
mod options;
mod transport;

pub use connect::connect;
pub use error::ConnectError;
pub use options::ConnectOptions;
pub use transport::Transport;
