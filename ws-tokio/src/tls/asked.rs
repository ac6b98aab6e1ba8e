//! The name that a client asks for: rustls's unbuffered connections don't keep it, but show it to who chooses the certificate.

use std::sync::{Arc, OnceLock};

use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

/// The name, once it is known.
pub(super) type Asked = Arc<OnceLock<Box<str>>>;

/// Notes the name that the client of this configuration asks for.
pub(super) fn note_name(config: &mut ServerConfig) -> Asked {
    let asked = Asked::default();
    let chooser = config.cert_resolver.clone();
    config.cert_resolver = Arc::new(Noting { chooser, asked: asked.clone() });
    asked
}

#[derive(Debug)]
struct Noting {
    chooser: Arc<dyn ResolvesServerCert>,
    asked: Asked,
}

impl ResolvesServerCert for Noting {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if let Some(name) = hello.server_name() {
            _ = self.asked.set(name.into());
        }
        self.chooser.resolve(hello)
    }

    fn only_raw_public_keys(&self) -> bool {
        self.chooser.only_raw_public_keys()
    }
}
