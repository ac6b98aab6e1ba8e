//! Connections taken over from HTTP servers: judged as by `accept`, answered by the server, and taken out of its hands.

#[cfg(feature = "axum")]
mod axum;
mod in_memory;
mod judged;
#[cfg(feature = "axum")]
mod proof;
mod refused;
mod request;
mod stream;
mod upgrading;

pub use refused::Refused;
pub use request::Upgrade;
pub use upgrading::Upgrading;
