//! TLS by rustls: the provider of its cryptography, a client's configuration, a server's.

mod client;
mod error;
mod provider;
mod server;

pub(crate) use client::{ClientTls, connect};
pub use error::TlsError;
pub use server::ServerTls;
pub(crate) use tokio_rustls::rustls::ClientConfig;
