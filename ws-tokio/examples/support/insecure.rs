//! DANGEROUS: a client that trusts any server. For trying things out where nothing is at stake.

use std::error::Error;
use std::sync::Arc;

use ws_tokio::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use ws_tokio::rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use ws_tokio::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use ws_tokio::rustls::{self, ClientConfig, DigitallySignedStruct, SignatureScheme};

pub(crate) fn config() -> Result<ClientConfig, Box<dyn Error>> {
    let provider = provider()?;
    let builder = ClientConfig::builder_with_provider(provider.clone());
    let builder = builder.with_safe_default_protocol_versions()?.dangerous();
    let verifier = Arc::new(Anybody(provider));
    Ok(builder.with_custom_certificate_verifier(verifier).with_no_client_auth())
}

fn provider() -> Result<Arc<CryptoProvider>, Box<dyn Error>> {
    #[cfg(feature = "ring")]
    return Ok(Arc::new(rustls::crypto::ring::default_provider()));
    #[cfg(all(feature = "aws-lc-rs", not(feature = "ring")))]
    return Ok(Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    #[cfg(not(any(feature = "aws-lc-rs", feature = "ring")))]
    Err("TLS needs the feature `ring` or `aws-lc-rs`".into())
}

/// Takes every certificate for the server's.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
