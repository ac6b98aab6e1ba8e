//! A certificate authority of the tests' own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    date_time_ymd,
};
use ws_tokio::ServerTls;
use ws_tokio::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use ws_tokio::rustls::server::WebPkiClientVerifier;
use ws_tokio::rustls::{RootCertStore, ServerConfig};

use crate::choose_provider;

pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: CertificateDer<'static>,
}

/// A certificate, and its key.
pub(crate) struct Issued {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
    pub(crate) pem: (String, String),
}

impl Authority {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let mut params = CertificateParams::new(Vec::new()).expect("a certificate");
        let name = format!("authority {}", COUNT.fetch_add(1, Ordering::Relaxed));
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a certificate");
        let root = params.self_signed(&key).expect("a certificate").der().clone();
        Self { issuer: Issuer::new(params, key), root }
    }

    pub(crate) fn root(&self) -> CertificateDer<'static> {
        self.root.clone()
    }

    pub(crate) fn issue(&self, names: &[&str]) -> Issued {
        self.issue_with(names, |_| {})
    }

    /// A certificate that ran out in 2001.
    pub(crate) fn issue_expired(&self, names: &[&str]) -> Issued {
        self.issue_with(names, |params| {
            params.not_before = date_time_ymd(2000, 1, 1);
            params.not_after = date_time_ymd(2001, 1, 1);
        })
    }

    fn issue_with(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Issued {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("a certificate");
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        change(&mut params);
        let key = KeyPair::generate().expect("a certificate");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Issued {
            chain: vec![certificate.der().clone()],
            pem: (certificate.pem(), key.serialize_pem()),
            key: key.into(),
        }
    }

    /// The configuration of a server with these names.
    pub(crate) fn config(&self, names: &[&str]) -> Arc<ServerConfig> {
        choose_provider();
        let Issued { chain, key, .. } = self.issue(names);
        let builder = ServerConfig::builder().with_no_client_auth();
        Arc::new(builder.with_single_cert(chain, key).expect("a certificate"))
    }

    /// TLS of a server with these names.
    pub(crate) fn server(&self, names: &[&str]) -> ServerTls {
        choose_provider();
        let (certificate, key) = self.issue(names).pem;
        ServerTls::from_pem(certificate.as_bytes(), key.as_bytes()).expect("a certificate")
    }

    /// TLS of a server that asks its clients for certificates of this authority.
    pub(crate) fn server_for_certified_clients(&self, names: &[&str]) -> ServerTls {
        choose_provider();
        let mut roots = RootCertStore::empty();
        roots.add(self.root()).expect("a certificate");
        let verifier =
            WebPkiClientVerifier::builder(Arc::new(roots)).build().expect("a certificate");
        let Issued { chain, key, .. } = self.issue(names);
        let builder = ServerConfig::builder().with_client_cert_verifier(verifier);
        ServerTls::new(builder.with_single_cert(chain, key).expect("a certificate"))
    }
}
