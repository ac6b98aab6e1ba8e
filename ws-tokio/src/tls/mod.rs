//! TLS by rustls: the provider of its cryptography, a client's configuration, a server's.

mod alpn;
mod client;
mod error;
mod provider;
mod server;

pub(crate) use alpn::HTTP_1;
#[cfg(feature = "http2")]
pub(crate) use alpn::HTTP_2;
#[cfg(feature = "http2")]
pub(crate) use client::with_http2;
pub(crate) use client::{ClientTls, connect};
pub use error::TlsError;
pub use server::ServerTls;
pub(crate) use tokio_rustls::rustls::ClientConfig;
