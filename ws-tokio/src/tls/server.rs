//! A server's TLS: its configuration, which can be replaced while it serves, and the handshake.

use std::fmt;
use std::io;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::alpn::HTTP_1;
#[cfg(feature = "http2")]
use super::alpn::HTTP_2;
use super::error::TlsError;
use super::provider::provider;
use super::session::Session;
use super::stream::TlsStream;

/// A server's TLS, for [`Server::tls`](crate::Server::tls). Cheap to clone; all clones are one.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use ws_tokio::{Server, ServerTls};
///
/// let read = || Ok::<_, std::io::Error>((std::fs::read("cert.pem")?, std::fs::read("key.pem")?));
/// let (certificates, key) = read()?;
/// let tls = ServerTls::from_pem(&certificates, &key)?;
/// let server = Server::bind("127.0.0.1:9443").await?.tls(tls.clone());
/// tokio::spawn(server.serve(|mut connection| async move {
///     _ = connection.run(|message, outbox| outbox.send(message)).await;
/// }));
///
/// // Later, once the certificate was renewed: connections stay, new ones get the new one.
/// let (certificates, key) = read()?;
/// tls.replace_pem(&certificates, &key)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ServerTls(Arc<RwLock<Arc<ServerConfig>>>);

impl ServerTls {
    /// Makes it of a configuration.
    #[must_use]
    pub fn new(config: impl Into<Arc<ServerConfig>>) -> Self {
        Self(Arc::new(RwLock::new(config.into())))
    }

    /// Makes it of a chain of certificates, the server's own first, and its private key, both in PEM.
    ///
    /// # Errors
    /// [`TlsError::Pem`] if they can't be read, [`TlsError::Config`] if they don't belong together, and the errors about
    /// providers.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        from_pem(certificates, key).map(Self::new)
    }

    /// Replaces the configuration for connections from now on; those that exist are not affected.
    pub fn replace(&self, config: impl Into<Arc<ServerConfig>>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = config.into();
    }

    /// Replaces certificates and key, as [`replace`](Self::replace) does. On an error, the previous ones stay.
    ///
    /// # Errors
    /// As [`from_pem`](Self::from_pem).
    pub fn replace_pem(&self, certificates: &[u8], key: &[u8]) -> Result<(), TlsError> {
        self.replace(from_pem(certificates, key)?);
        Ok(())
    }

    /// Does the TLS handshake with a client, for servers with a listener of their own; the stream is for
    /// [`accept`](crate::accept) then. It has no deadline.
    ///
    /// # Errors
    /// [`TlsError::Handshake`].
    ///
    /// # Cancel safety
    /// If dropped, the stream is dropped with it.
    pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> Result<TlsStream<S>, TlsError> {
        accept(ServerConfig::clone(&self.config()), stream).await
    }

    /// As [`accept`](Self::accept), and lets the client choose HTTP/2.
    #[cfg(feature = "http2")]
    pub(crate) async fn accept_http2<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> Result<TlsStream<S>, TlsError> {
        let mut config = ServerConfig::clone(&self.config());
        if !config.alpn_protocols.iter().any(|protocol| protocol == HTTP_2) {
            config.alpn_protocols = vec![HTTP_2.to_vec(), HTTP_1.to_vec()];
        }
        accept(config, stream).await
    }

    fn config(&self) -> Arc<ServerConfig> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Does the handshake by a copy of the configuration. What sessions are resumed by is shared with the original.
async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
    config: ServerConfig,
    stream: S,
) -> Result<TlsStream<S>, TlsError> {
    let session = Session::server(config).map_err(io::Error::other);
    let session = session.map_err(TlsError::Handshake)?;
    TlsStream::open(stream, session).await.map_err(TlsError::Handshake)
}

fn from_pem(certificates: &[u8], key: &[u8]) -> Result<ServerConfig, TlsError> {
    let chain = CertificateDer::pem_slice_iter(certificates).collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_slice(key)?;
    let builder = ServerConfig::builder_with_provider(provider()?);
    let builder = builder.with_safe_default_protocol_versions()?.with_no_client_auth();
    let mut config = builder.with_single_cert(chain, key)?;
    config.alpn_protocols = vec![HTTP_1.to_vec()];
    Ok(config)
}

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerTls")
    }
}
