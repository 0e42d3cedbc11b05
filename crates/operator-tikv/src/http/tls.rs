//! TLS from files: who is trusted, and who we say that we are.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use operator_core::Fault;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;

/// The files that TLS needs. They are read when the first `https` URL is fetched, and again after a
/// connection failed, so that renewed certificates are taken up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// Certificates (PEM) of whom to trust; without them, whom this machine trusts.
    pub ca: Option<PathBuf>,
    /// Our certificate and key, for a server that demands to know who calls.
    pub identity: Option<IdentityFiles>,
}

/// A certificate and its key, both PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityFiles {
    /// The certificate, with the ones that vouch for it behind it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl TlsFiles {
    /// Whether no file is named.
    pub fn is_empty(&self) -> bool {
        self.ca.is_none() && self.identity.is_none()
    }

    pub(super) fn load(&self) -> Result<ClientConfig, Fault> {
        let builder = builder()?;
        let builder = match &self.ca {
            Some(path) => builder.with_root_certificates(roots(path)?),
            None => builder.with_platform_verifier().map_err(|e| tls(&e))?,
        };
        match &self.identity {
            Some(files) => {
                let key = PrivateKeyDer::from_pem_file(&files.key)
                    .map_err(|error| unreadable("private key", &files.key, &error))?;
                builder
                    .with_client_auth_cert(certificates(&files.certificate)?, key)
                    .map_err(|error| tls(&error))
            }
            None => Ok(builder.with_no_client_auth()),
        }
    }
}

/// The configuration of a client that is only ever given `http` URLs: no certificate is loaded for it.
pub(super) fn trusting_nobody() -> Result<ClientConfig, Fault> {
    let builder = builder()?.with_root_certificates(RootCertStore::empty());
    Ok(builder.with_no_client_auth())
}

fn builder() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, Fault> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| tls(&error))
}

fn roots(path: &Path) -> Result<RootCertStore, Fault> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(path)? {
        store.add(certificate).map_err(|error| tls(&error))?;
    }
    Ok(store)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unreadable("certificate", path, &error))?;
    match certificates.is_empty() {
        true => Err(unreadable("certificate", path, &PemError::NoItemsFound)),
        false => Ok(certificates),
    }
}

fn unreadable(what: &str, path: &Path, error: &PemError) -> Fault {
    let path = path.display();
    Fault::Transport {
        reason: format!("TLS: no {what} can be read from {path}: {error}"),
    }
}

fn tls(error: &rustls::Error) -> Fault {
    Fault::Transport {
        reason: format!("TLS: {error}"),
    }
}
