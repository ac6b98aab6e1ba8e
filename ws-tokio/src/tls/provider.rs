//! The provider of TLS's cryptography: the process's, else the only one that is built in.

use std::sync::Arc;

use tokio_rustls::rustls::crypto::CryptoProvider;

use super::error::TlsError;

/// Returns the process's default provider, or the one whose feature is on. Never installs one.
pub(super) fn provider() -> Result<Arc<CryptoProvider>, TlsError> {
    match CryptoProvider::get_default() {
        Some(provider) => Ok(provider.clone()),
        None => built_in(),
    }
}

#[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
fn built_in() -> Result<Arc<CryptoProvider>, TlsError> {
    Ok(Arc::new(tokio_rustls::rustls::crypto::ring::default_provider()))
}

#[cfg(all(feature = "aws-lc-rs", not(feature = "ring")))]
fn built_in() -> Result<Arc<CryptoProvider>, TlsError> {
    Ok(Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider()))
}

#[cfg(all(feature = "aws-lc-rs", feature = "ring"))]
const fn built_in() -> Result<Arc<CryptoProvider>, TlsError> {
    Err(TlsError::TwoProviders)
}

#[cfg(not(any(feature = "aws-lc-rs", feature = "ring")))]
const fn built_in() -> Result<Arc<CryptoProvider>, TlsError> {
    Err(TlsError::NoProvider)
}
