//! The server: accepting handshakes, serving a listener, shutting down gracefully.

mod accept;
mod error;
mod incoming;
mod layer;
mod listener;
mod options;
mod refuse;
mod served;
mod serving;
mod tracker;

pub use accept::accept;
pub use error::AcceptError;
pub use incoming::Incoming;
#[cfg(feature = "hyper")]
pub(crate) use incoming::established;
pub use layer::{Layer, Plain};
pub use listener::Server;
pub use options::AcceptOptions;
pub use served::Served;
pub use serving::Serving;
pub use tracker::{Shutdown, Tracker};
