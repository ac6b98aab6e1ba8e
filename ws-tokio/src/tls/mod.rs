//! TLS by rustls: the provider of its cryptography, a client's configuration, a server's, and the stream of both.

mod alpn;
mod asked;
mod buffer;
mod client;
mod error;
mod provider;
mod server;
mod session;
mod stream;

pub(crate) use alpn::HTTP_1;
#[cfg(feature = "http2")]
pub(crate) use alpn::HTTP_2;
#[cfg(feature = "http2")]
pub(crate) use client::with_http2;
pub(crate) use client::{ClientTls, connect};
pub use error::TlsError;
pub use server::ServerTls;
pub use stream::TlsStream;
pub(crate) use tokio_rustls::rustls::ClientConfig;
