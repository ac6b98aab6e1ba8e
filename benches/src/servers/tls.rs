//! One TLS for every server: the same provider, and so the same cipher.

use std::sync::Arc;

use ws_tokio::rustls::ServerConfig;
use ws_tokio::rustls::crypto::ring;

/// A server's TLS, with a certificate that nobody vouches for.
///
/// # Panics
///
/// If no certificate can be made.
#[must_use]
pub fn config() -> Arc<ServerConfig> {
    let signed =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().expect("versions of TLS");
    let chain = vec![signed.cert.der().clone()];
    let config = builder.with_no_client_auth().with_single_cert(chain, signed.signing_key.into());
    Arc::new(config.expect("a key that fits"))
}
