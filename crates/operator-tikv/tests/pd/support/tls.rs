//! Certificates that are made for one test, and the server that demands them.

use std::path::PathBuf;
use std::sync::Arc;

use operator_tikv::{IdentityFiles, TlsFiles};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

/// An authority, and what it vouched for: a server on 127.0.0.1 and a client.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: rcgen::Certificate,
    folder: PathBuf,
}

impl Authority {
    /// Files go into a folder of the test's own, which is there for as long as the authority.
    pub(crate) fn new(name: &str) -> Self {
        // Two runs of the tests in one checkout have a folder each.
        let name = format!("{name}-{}", std::process::id());
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        // One that is left of a process that had this number before is no folder to start with.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let issuer = Issuer::new(params, key);
        Self {
            issuer,
            certificate,
            folder,
        }
    }

    /// A server that demands a certificate of this authority.
    pub(crate) fn acceptor(&self) -> tokio_rustls::TlsAcceptor {
        let (certificate, key) = self.sign();
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        tokio_rustls::TlsAcceptor::from(Arc::new(config))
    }

    /// The files that a client needs for such a server.
    pub(crate) fn files(&self) -> TlsFiles {
        let (certificate, key) = self.sign();
        TlsFiles {
            ca: Some(self.write("ca.pem", &self.certificate.pem())),
            identity: Some(IdentityFiles {
                certificate: self.write("client.pem", &certificate.pem()),
                key: self.write("client.key", &key.serialize_pem()),
            }),
        }
    }

    fn sign(&self) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
