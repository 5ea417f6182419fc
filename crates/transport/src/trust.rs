//! Who is trusted: the system's roots, or the authorities that an endpoint names in their place.

use std::collections::HashMap;
use std::sync::Arc;

use model::Pin;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, TrustAnchor};

use crate::certificate::{ChainCertificate, pin_of_anchor};

/// How many certificates may be trusted in place of the system's.
const AUTHORITIES_MAX: usize = 50;

/// Certificate authorities that are trusted in place of the system's.
#[derive(Clone)]
pub struct Authorities {
    roots: Roots,
    certificates: Arc<[ChainCertificate]>,
}

/// Text that names no authorities.
#[derive(Debug, thiserror::Error)]
pub enum AuthoritiesError {
    /// Not PEM.
    #[error("this is not valid PEM")]
    Pem(#[source] rustls::pki_types::pem::Error),
    /// PEM without a certificate.
    #[error("this holds no `BEGIN CERTIFICATE` block")]
    NoCertificate,
    /// PEM with too many.
    #[error("these are more than {AUTHORITIES_MAX} certificates: give only those to trust")]
    TooMany,
    /// A block that is no certificate, or of a kind that can't be trusted.
    #[error("certificate {number} can't be read")]
    Unreadable {
        /// Which one, from 1.
        number: usize,
        /// What is wrong with it.
        #[source]
        cause: rustls::Error,
    },
}

impl Authorities {
    /// Reads certificates, as PEM: of authorities, or of one receiver that vouches for itself.
    ///
    /// # Errors
    /// It isn't PEM, or has no certificates, too many, or one that can't be read.
    pub fn from_pem(pem: &[u8]) -> Result<Self, AuthoritiesError> {
        let mut roots = Roots::none();
        let certificates = roots.add_pem(pem, AUTHORITIES_MAX)?;
        Ok(Self {
            roots,
            certificates: certificates.into(),
        })
    }

    /// What they are.
    pub fn certificates(&self) -> &[ChainCertificate] {
        &self.certificates
    }

    pub(crate) fn roots(&self) -> &Roots {
        &self.roots
    }
}

/// Roots, with what is known of them.
#[derive(Clone)]
pub(crate) struct Roots {
    pub(crate) store: Arc<RootCertStore>,
    known: Arc<HashMap<Pin, ChainCertificate>>,
}

impl Roots {
    fn none() -> Self {
        Self {
            store: Arc::new(RootCertStore::empty()),
            known: Arc::default(),
        }
    }

    /// The system's (where it has none, Mozilla's) and those of `extra`, which is PEM.
    pub(crate) fn platform(extra: Option<&[u8]>) -> Result<Self, AuthoritiesError> {
        let native = rustls_native_certs::load_native_certs();
        for error in &native.errors {
            tracing::debug!(%error, "a root certificate of the system can't be loaded");
        }
        let mut roots = Self::none();
        for certificate in native.certs {
            if let Err(error) = roots.add(certificate) {
                tracing::debug!(%error, "a root certificate of the system can't be used");
            }
        }
        if roots.store.is_empty() {
            tracing::info!("the system has no root certificates; using Mozilla's");
            let store = Arc::make_mut(&mut roots.store);
            store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        if let Some(pem) = extra {
            roots.add_pem(pem, usize::MAX)?;
        }
        Ok(roots)
    }

    /// What is known of the root at a verified path's end.
    pub(crate) fn describe(&self, anchor: &TrustAnchor<'_>) -> ChainCertificate {
        let known = self.known.get(&pin_of_anchor(anchor)).cloned();
        known.unwrap_or_else(|| ChainCertificate::of_anchor(anchor))
    }

    fn add_pem(
        &mut self,
        pem: &[u8],
        most: usize,
    ) -> Result<Vec<ChainCertificate>, AuthoritiesError> {
        let mut added = Vec::new();
        for (index, certificate) in CertificateDer::pem_slice_iter(pem).enumerate() {
            let certificate = certificate.map_err(AuthoritiesError::Pem)?;
            if index == most {
                return Err(AuthoritiesError::TooMany);
            }
            let one = self.add(certificate);
            added.push(one.map_err(|cause| AuthoritiesError::Unreadable {
                number: index + 1,
                cause,
            })?);
        }
        match added.is_empty() {
            true => Err(AuthoritiesError::NoCertificate),
            false => Ok(added),
        }
    }

    fn add(
        &mut self,
        certificate: CertificateDer<'static>,
    ) -> Result<ChainCertificate, rustls::Error> {
        let described = ChainCertificate::of(&certificate);
        let store = Arc::make_mut(&mut self.store);
        store.add(certificate)?;
        let last = store.roots.last().expect("it was added");
        let described = described.unwrap_or_else(|| ChainCertificate::of_anchor(last));
        let known = Arc::make_mut(&mut self.known);
        known.insert(described.pin, described.clone());
        Ok(described)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_without_a_certificate_names_nobody() {
        for (pem, expected) in [
            ("nothing here", "no `BEGIN CERTIFICATE`"),
            (
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                "certificate 1 can't be read",
            ),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n", "not valid PEM"),
        ] {
            let refused = Authorities::from_pem(pem.as_bytes()).map(|_| ());
            let text = refused.expect_err(pem).to_string();
            assert!(text.contains(expected), "{text}");
        }
    }
}
