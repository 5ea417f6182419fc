//! A client certificate with its key, as a receiver that asks for one is shown it.

use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use model::Secret;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};

use super::pkcs12::{self, Pkcs12Error};
use super::provider;
use crate::certificate::ChainCertificate;

/// How many certificates may come with a key.
const CHAIN_MAX: usize = 10;

/// A client's certificate, those of its issuers as far as they were given, and its key.
#[derive(Clone)]
pub struct ClientIdentity {
    certified: Arc<CertifiedKey>,
    key_pem: Secret,
}

/// What can't serve as a client's certificate and key.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Not PEM.
    #[error("this is not valid PEM")]
    Pem(#[source] rustls::pki_types::pem::Error),
    /// No certificate.
    #[error("there is no `BEGIN CERTIFICATE` block")]
    NoCertificate,
    /// More than a chain.
    #[error("these are more than {CHAIN_MAX} certificates: give the client's own and its issuers'")]
    TooManyCertificates,
    /// No key.
    #[error("there is no `BEGIN PRIVATE KEY` block")]
    NoKey,
    /// A key under a password.
    #[error(
        "the private key is encrypted: decrypt it (`openssl pkey`), or give certificate and key \
         as PKCS#12 with the password"
    )]
    EncryptedKey,
    /// A key of a kind that TLS doesn't know, or a certificate that can't be read.
    #[error("the certificate or its private key can't be used")]
    Unusable(#[source] Error),
    /// A key of another certificate.
    #[error(
        "the private key is not that of the first certificate: the client's own comes first, then \
         its issuers'"
    )]
    KeyMismatch,
    /// No PKCS#12 that can be read.
    #[error("this PKCS#12 can't be used")]
    Pkcs12(#[from] Pkcs12Error),
}

impl ClientIdentity {
    /// Reads a certificate, with those of its issuers behind it, and its key; both PEM.
    ///
    /// # Errors
    /// One of them can't be read, or they don't belong together.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, IdentityError> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificates).collect();
        let key_der = PrivateKeyDer::from_pem_slice(key).map_err(|error| match error {
            _ if is_encrypted(key) => IdentityError::EncryptedKey,
            rustls::pki_types::pem::Error::NoItemsFound => IdentityError::NoKey,
            error => IdentityError::Pem(error),
        })?;
        Self::new(chain.map_err(IdentityError::Pem)?, key_der)
    }

    /// Reads PKCS#12, which holds both under a password. Deriving the password's keys takes its
    /// time, a second at the most: nothing for a thread that others wait for.
    ///
    /// # Errors
    /// It can't be read with this password, is encrypted as is no longer secure, or holds no
    /// certificate with its key.
    pub fn from_pkcs12(der: &[u8], password: &Secret) -> Result<Self, IdentityError> {
        let (mut chain, key) = pkcs12::open(der, password)?;
        // The order is anybody's. The client's own is the one that the key belongs to.
        let own = chain.iter().position(|certificate| {
            let alone = vec![certificate.clone()];
            CertifiedKey::from_der(alone, key.clone_key(), &provider()).is_ok()
        });
        chain.swap(0, own.ok_or(IdentityError::KeyMismatch)?);
        Self::new(chain, key)
    }

    fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, IdentityError> {
        if chain.is_empty() {
            return Err(IdentityError::NoCertificate);
        }
        if chain.len() > CHAIN_MAX {
            return Err(IdentityError::TooManyCertificates);
        }
        let kind = match &key {
            PrivateKeyDer::Pkcs1(_) => "RSA PRIVATE KEY",
            PrivateKeyDer::Sec1(_) => "EC PRIVATE KEY",
            _ => "PRIVATE KEY",
        };
        let key_pem = Secret::from(pem(kind, key.secret_der()));
        let certified = CertifiedKey::from_der(chain, key, &provider());
        let certified = certified.map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => IdentityError::KeyMismatch,
            error => IdentityError::Unusable(error),
        })?;
        Ok(Self {
            certified: Arc::new(certified),
            key_pem,
        })
    }

    /// The certificates: first the client's own, then its issuers'.
    pub fn certificates(&self) -> Vec<ChainCertificate> {
        let chain = self.certified.cert.iter();
        chain.filter_map(ChainCertificate::of).collect()
    }

    /// The certificates as PEM, which [`ClientIdentity::from_pem`] reads.
    pub fn certificates_pem(&self) -> String {
        let chain = self.certified.cert.iter();
        chain.map(|one| pem("CERTIFICATE", one)).collect()
    }

    /// The key as PEM, without a password.
    pub fn key_pem(&self) -> &Secret {
        &self.key_pem
    }

    pub(crate) fn certified(&self) -> Arc<CertifiedKey> {
        self.certified.clone()
    }
}

fn is_encrypted(pem: &[u8]) -> bool {
    String::from_utf8_lossy(pem).contains("ENCRYPTED")
}

fn pem(kind: &str, der: &[u8]) -> String {
    let encoded = BASE64_STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {kind}-----\n");
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    pem.push_str(&format!("-----END {kind}-----\n"));
    pem
}
