//! The client: connecting to a URL, or over an existing stream.

mod connect;
mod dial;
mod error;
mod handshake;
mod options;
mod progress;
#[cfg(feature = "proxy")]
mod proxy;
mod race;
#[cfg(feature = "reconnect")]
mod reconnect;

pub use connect::connect;
pub use error::ConnectError;
pub use options::ConnectOptions;
pub use progress::Step;
#[cfg(feature = "proxy")]
pub use proxy::{Proxy, ProxyError};
#[cfg(feature = "reconnect")]
pub use reconnect::Reconnect;
