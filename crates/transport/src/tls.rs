//! TLS as every connection uses it: which roots are trusted, which provider computes, which
//! protocols are offered.
//!
//! The provider is passed explicitly, so that a second one somewhere in the tree can't make the
//! choice ambiguous at run time. Per-endpoint pins, client certificates and authorities will be
//! further profiles beside this one; they must not share connections with it, nor sessions to
//! resume.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::{SendError, Stage};

/// What the TLS handshakes of one kind of endpoint are made with.
#[derive(Clone)]
pub(crate) struct TlsProfile(Arc<ClientConfig>);

/// A transport that can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Not PEM.
    #[error("the additional root certificates are not valid PEM")]
    Pem(#[source] rustls::pki_types::pem::Error),
    /// PEM without a certificate.
    #[error("the additional root certificates hold no `BEGIN CERTIFICATE` block")]
    NoCertificate,
    /// A certificate that can't be a root, or a provider that can't do TLS.
    #[error("the TLS client can't be set up")]
    Rustls(#[source] rustls::Error),
}

impl TlsProfile {
    /// Trusts the system's roots (where it has none, Mozilla's) and those of `extra_roots`, which
    /// is PEM.
    pub(crate) fn new(extra_roots: Option<&[u8]>) -> Result<Self, SetupError> {
        let mut roots = platform_roots();
        if let Some(pem) = extra_roots {
            add_extra_roots(&mut roots, pem)?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(SetupError::Rustls)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self(Arc::new(config)))
    }

    /// Shakes hands over a connection and verifies the certificate for this name.
    pub(crate) async fn connect(
        &self,
        name: ServerName<'static>,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, SendError> {
        let connector = TlsConnector::from(self.0.clone());
        connector
            .connect(name, stream)
            .await
            .map_err(|error| SendError::new(Stage::Tls, error))
    }
}

fn platform_roots() -> RootCertStore {
    let native = rustls_native_certs::load_native_certs();
    for error in &native.errors {
        tracing::debug!(%error, "a root certificate of the system can't be loaded");
    }
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(native.certs);
    if added == 0 {
        tracing::info!("the system has no root certificates; using Mozilla's");
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots
}

fn add_extra_roots(roots: &mut RootCertStore, pem: &[u8]) -> Result<(), SetupError> {
    let mut found = false;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots
            .add(certificate.map_err(SetupError::Pem)?)
            .map_err(SetupError::Rustls)?;
        found = true;
    }
    if found {
        Ok(())
    } else {
        Err(SetupError::NoCertificate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn post_quantum_key_exchange_is_offered_first() {
        let TlsProfile(config) = TlsProfile::new(None).expect("a profile");
        let first = config
            .crypto_provider()
            .kx_groups
            .first()
            .expect("a group")
            .name();
        assert_eq!(first, rustls::NamedGroup::X25519MLKEM768);
    }

    #[test]
    fn text_without_a_certificate_is_no_root() {
        let refused = TlsProfile::new(Some(b"nothing here")).map(|_| ());
        assert!(matches!(refused, Err(SetupError::NoCertificate)));
    }
}
