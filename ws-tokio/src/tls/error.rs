//! The error of TLS, before and during its handshake.

use std::error;
use std::fmt;
use std::io;

use tokio_rustls::rustls;

/// An error of TLS.
#[derive(Debug)]
#[non_exhaustive]
pub enum TlsError {
    /// There is no provider of cryptography: no feature for one is on, and the process has no default.
    NoProvider,
    /// The features of two providers are on, and the process has no default.
    TwoProviders,
    /// There are no roots to verify a server by: no feature for them is on, and none were given.
    NoRoots,
    /// The URL's host can be in no certificate.
    Name(String),
    /// The configuration can't be made: a certificate, a key or the system's roots can't be used.
    Config(rustls::Error),
    /// A file of certificates or keys can't be read.
    Pem(rustls::pki_types::pem::Error),
    /// The handshake failed. The source says why: it holds a [`rustls::Error`] where a certificate was refused.
    Handshake(io::Error),
    /// The peer chose a protocol that was not offered, or that this end doesn't speak (RFC 7301).
    Protocol(Vec<u8>),
}

impl TlsError {
    /// Returns what rustls found wrong, such as a certificate that is expired or of another name.
    #[must_use]
    pub fn rustls(&self) -> Option<&rustls::Error> {
        match self {
            Self::Config(error) => Some(error),
            Self::Handshake(error) => error.get_ref()?.downcast_ref(),
            Self::NoProvider
            | Self::TwoProviders
            | Self::NoRoots
            | Self::Name(_)
            | Self::Pem(_)
            | Self::Protocol(_) => None,
        }
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoProvider => f.write_str(
                "TLS has no provider of cryptography: turn on the feature `ring` or `aws-lc-rs`, install a process-wide \
                 default, or give a configuration (`ConnectOptions::tls`, `ServerTls::new`)",
            ),
            Self::TwoProviders => f.write_str(
                "TLS has two providers of cryptography, as the features `ring` and `aws-lc-rs` are both on: install one \
                 as the process-wide default, or give a configuration (`ConnectOptions::tls`, `ServerTls::new`)",
            ),
            Self::NoRoots => f.write_str(
                "TLS has no roots to verify servers by: turn on the feature `platform-verifier` or `webpki-roots`, or \
                 give roots (`ConnectOptions::tls_roots`) or a configuration (`ConnectOptions::tls`)",
            ),
            Self::Name(host) => write!(f, "no certificate can be for the host {host:?}"),
            Self::Config(error) => write!(f, "the configuration of TLS can't be used: {error}"),
            Self::Pem(error) => write!(f, "the certificates or the key can't be read: {error}"),
            Self::Handshake(error) => write!(f, "the TLS handshake failed: {error}"),
            Self::Protocol(protocol) => {
                write!(f, "the peer chose another protocol by ALPN: {}", protocol.escape_ascii())
            }
        }
    }
}

impl error::Error for TlsError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Config(error) => Some(error),
            Self::Pem(error) => Some(error),
            Self::Handshake(error) => Some(error),
            Self::NoProvider
            | Self::TwoProviders
            | Self::NoRoots
            | Self::Name(_)
            | Self::Protocol(_) => None,
        }
    }
}

impl From<rustls::Error> for TlsError {
    fn from(error: rustls::Error) -> Self {
        Self::Config(error)
    }
}

impl From<rustls::pki_types::pem::Error> for TlsError {
    fn from(error: rustls::pki_types::pem::Error) -> Self {
        Self::Pem(error)
    }
}
