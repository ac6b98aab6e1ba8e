//! The client: connecting to a URL, or over an existing stream.

mod connect;
mod dial;
mod error;
mod handshake;
#[cfg(feature = "http2")]
mod http2;
mod options;
mod progress;
#[cfg(feature = "proxy")]
mod proxy;
mod race;
#[cfg(feature = "reconnect")]
mod reconnect;
#[cfg(feature = "http2")]
mod session;

pub use connect::connect;
pub use error::ConnectError;
#[cfg(feature = "http2")]
pub use error::Http2Error;
pub use options::ConnectOptions;
pub use progress::Step;
#[cfg(feature = "proxy")]
pub use proxy::{Proxy, ProxyError};
#[cfg(feature = "reconnect")]
pub use reconnect::Reconnect;
#[cfg(feature = "http2")]
pub use session::Http2Session;
