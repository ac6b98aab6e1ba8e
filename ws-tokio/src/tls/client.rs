//! A client's TLS: its configuration, and the handshake.

use std::fmt;
use std::io;
use std::sync::{Arc, OnceLock};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};

use super::alpn::HTTP_1;
#[cfg(feature = "http2")]
use super::alpn::HTTP_2;
use super::error::TlsError;
use super::provider::provider;
use super::session::Session;
use super::stream::TlsStream;

/// What a client trusts, and with which provider; cheap to clone. Its configuration is made once, at first use.
#[derive(Clone)]
pub(crate) struct ClientTls {
    trust: Trust,
    /// Roots that are trusted too, but where there is a configuration of the caller's.
    added: Arc<Vec<CertificateDer<'static>>>,
    made: Arc<OnceLock<Arc<ClientConfig>>>,
}

#[derive(Clone)]
enum Trust {
    /// The roots of the features that are on.
    BuiltIn,
    /// These roots alone.
    Only(Arc<RootCertStore>),
    /// A configuration of the caller's.
    Config(Arc<ClientConfig>),
}

impl ClientTls {
    fn new(trust: Trust, added: Arc<Vec<CertificateDer<'static>>>) -> Self {
        Self { trust, added, made: Arc::default() }
    }

    pub(crate) fn with_config(self, config: Arc<ClientConfig>) -> Self {
        Self::new(Trust::Config(config), self.added)
    }

    pub(crate) fn with_roots(self, roots: RootCertStore) -> Self {
        Self::new(Trust::Only(Arc::new(roots)), self.added)
    }

    pub(crate) fn with_root(mut self, root: CertificateDer<'static>) -> Self {
        Arc::make_mut(&mut self.added).push(root);
        Self::new(self.trust, self.added)
    }

    pub(crate) fn config(&self) -> Result<Arc<ClientConfig>, TlsError> {
        if let Some(made) = self.made.get() {
            return Ok(made.clone());
        }
        let made = self.make()?;
        Ok(self.made.get_or_init(|| made).clone())
    }

    fn make(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let mut config = match &self.trust {
            Trust::Config(config) if !config.alpn_protocols.is_empty() => return Ok(config.clone()),
            Trust::Config(config) => ClientConfig::clone(config),
            Trust::BuiltIn => verified(builder()?, &self.added)?,
            Trust::Only(roots) => rooted(builder()?.1, RootCertStore::clone(roots), &self.added)?,
        };
        config.alpn_protocols = vec![HTTP_1.to_vec()];
        Ok(Arc::new(config))
    }
}

impl Default for ClientTls {
    /// That of everybody who sets nothing: one, so that sessions are resumed.
    fn default() -> Self {
        static SHARED: OnceLock<ClientTls> = OnceLock::new();
        SHARED.get_or_init(|| Self::new(Trust::BuiltIn, Arc::default())).clone()
    }
}

type Builder = (Arc<CryptoProvider>, ConfigBuilder<ClientConfig, WantsVerifier>);

fn builder() -> Result<Builder, TlsError> {
    let provider = provider()?;
    let builder = ClientConfig::builder_with_provider(provider.clone());
    Ok((provider, builder.with_safe_default_protocol_versions()?))
}

/// Judges by these roots.
fn rooted(
    builder: ConfigBuilder<ClientConfig, WantsVerifier>,
    mut roots: RootCertStore,
    added: &[CertificateDer<'static>],
) -> Result<ClientConfig, TlsError> {
    for root in added {
        roots.add(root.clone())?;
    }
    if roots.is_empty() {
        return Err(TlsError::NoRoots);
    }
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Judges as the system does, and by these roots.
#[cfg(feature = "platform-verifier")]
fn verified(
    (provider, builder): Builder,
    added: &[CertificateDer<'static>],
) -> Result<ClientConfig, TlsError> {
    use rustls_platform_verifier::Verifier;

    let verifier = Verifier::new_with_extra_roots(added.iter().cloned(), provider)?;
    // Called dangerous because a verifier can be anything; this one verifies.
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    Ok(builder.with_no_client_auth())
}

/// Judges by the roots that are built in, and these.
#[cfg(not(feature = "platform-verifier"))]
fn verified(
    (_, builder): Builder,
    added: &[CertificateDer<'static>],
) -> Result<ClientConfig, TlsError> {
    rooted(builder, built_in(), added)
}

#[cfg(all(feature = "webpki-roots", not(feature = "platform-verifier")))]
fn built_in() -> RootCertStore {
    RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }
}

#[cfg(not(any(feature = "webpki-roots", feature = "platform-verifier")))]
fn built_in() -> RootCertStore {
    RootCertStore::empty()
}

/// Does the handshake with a server of this name, or address. If one of these protocols is chosen by ALPN, or none at all.
pub(crate) async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
    config: Arc<ClientConfig>,
    host: &str,
    spoken: &[&[u8]],
    stream: S,
) -> Result<TlsStream<S>, TlsError> {
    let name = ServerName::try_from(host.to_owned());
    let name = name.map_err(|_| TlsError::Name(host.to_owned()))?;
    let session = Session::client(config, name).map_err(io::Error::other);
    let session = session.map_err(TlsError::Handshake)?;
    let stream = TlsStream::open(stream, session).await.map_err(TlsError::Handshake)?;
    match stream.get_ref().1.alpn_protocol() {
        Some(other) if !spoken.contains(&other) => Err(TlsError::Protocol(other.to_vec())),
        _ => Ok(stream),
    }
}

/// The configuration of a client that prefers HTTP/2. Sessions are resumed as by the original, with which it shares them.
#[cfg(feature = "http2")]
pub(crate) fn with_http2(config: &ClientConfig) -> Arc<ClientConfig> {
    let alpn_protocols = vec![HTTP_2.to_vec(), HTTP_1.to_vec()];
    let mut config = config.clone();
    config.alpn_protocols = alpn_protocols;
    Arc::new(config)
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let trust = match &self.trust {
            Trust::BuiltIn => "the roots of the features",
            Trust::Only(_) => "given roots",
            Trust::Config(_) => "a given configuration",
        };
        f.debug_tuple("ClientTls").field(&trust).finish()
    }
}
