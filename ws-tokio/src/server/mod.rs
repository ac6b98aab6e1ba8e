//! The server: accepting handshakes, serving a listener, shutting down gracefully.

mod accept;
#[cfg(feature = "http2")]
mod asked;
mod asker;
mod choices;
mod error;
#[cfg(feature = "http2")]
mod http2;
mod incoming;
mod layer;
mod listener;
mod options;
mod refuse;
mod served;
mod serving;
#[cfg(any(feature = "rustls", feature = "http2"))]
mod told;
mod tracker;

pub use accept::accept;
#[cfg(feature = "hyper")]
pub(crate) use choices::choices;
pub use error::AcceptError;
#[cfg(all(feature = "http2", feature = "hyper"))]
pub(crate) use http2::speaks;
pub use incoming::Incoming;
#[cfg(feature = "hyper")]
pub(crate) use incoming::established;
#[cfg(feature = "http2")]
pub use layer::WithHttp2;
pub use layer::{Layer, Plain};
pub use listener::Server;
pub use options::AcceptOptions;
pub use served::Served;
pub use serving::Serving;
pub use tracker::{Shutdown, Tracker};
