//! What a load's connections go over: TCP, or TLS.

use std::io::{self, Read, Write};
use std::net::{self, SocketAddr};
use std::sync::{Arc, LazyLock};

use mio::net::TcpStream;
use ws_tokio::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use ws_tokio::rustls::crypto::ring;
use ws_tokio::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use ws_tokio::rustls::{
    self, ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned,
};

use super::raw::{connect, shake_hands};

/// What a connection goes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// TCP.
    Plain,
    /// TLS over TCP.
    Tls,
}

/// A connection after its handshakes.
pub enum Wire {
    /// TCP.
    Plain(TcpStream),
    /// TLS over TCP.
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Wire {
    /// A connection that never blocks.
    ///
    /// # Errors
    ///
    /// If it fails.
    pub fn connect(address: SocketAddr, layer: Layer) -> io::Result<Self> {
        let free = |stream: net::TcpStream| {
            stream.set_nonblocking(true)?;
            io::Result::Ok(TcpStream::from_std(stream))
        };
        match layer {
            Layer::Plain => Ok(Self::Plain(free(connect(address)?)?)),
            Layer::Tls => {
                let StreamOwned { conn, sock, .. } = secured(address)?;
                Ok(Self::Tls(Box::new(StreamOwned::new(conn, free(sock)?))))
            }
        }
    }

    /// The socket, to be registered for events.
    pub const fn socket(&mut self) -> &mut TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => &mut stream.sock,
        }
    }
}

/// A connection through TLS after its handshakes.
pub fn secured(address: SocketAddr) -> io::Result<StreamOwned<ClientConnection, net::TcpStream>> {
    let stream = net::TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let name = ServerName::try_from("localhost").expect("a name");
    let tls = ClientConnection::new(CONFIG.clone(), name).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(tls, stream);
    shake_hands(&mut stream)?;
    Ok(stream)
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

/// Any certificate will do.
pub(crate) static CONFIG: LazyLock<Arc<ClientConfig>> = LazyLock::new(|| {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().expect("versions of TLS");
    let verified = builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody));
    Arc::new(verified.with_no_client_auth())
});

/// Takes any certificate for the server's: it is one of the benchmarks' own.
#[derive(Debug)]
struct Anybody;

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
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
