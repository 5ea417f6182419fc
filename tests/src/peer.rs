//! What a receiver shows when a connection is made: certificates that are right in all, or wrong in
//! one thing, and what it asks of its clients.

use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{
    ALL_VERSIONS, RootCertStore, ServerConfig, SupportedProtocolVersion, version,
};

use crate::tls::Authority;

/// Certificates with the key of the first.
pub struct Shown {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    pem: String,
    pin: String,
}

/// What a receiver asks of its clients.
#[derive(Clone, Copy, Default)]
pub struct Asks<'a> {
    /// A certificate of this authority.
    pub clients_of: Option<&'a Authority>,
    /// TLS 1.2, and nothing newer.
    pub tls12_only: bool,
}

impl Authority {
    /// An authority that this one vouches for.
    pub fn intermediate(&self, name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let issued = CertifiedIssuer::signed_by(params, key, &self.0);
        Self(issued.expect("a certificate"))
    }

    /// Its pin.
    pub fn pin(&self) -> String {
        pin(self.0.key())
    }

    /// A certificate for a name, or a client's, with its key.
    pub fn show(&self, name: &str) -> Shown {
        self.show_with(CertificateParams::new([name.to_owned()]).expect("a name"))
    }

    /// One that is as these say.
    pub fn show_with(&self, params: CertificateParams) -> Shown {
        let (certificate, key) = self.sign(params);
        Shown {
            pem: certificate.pem() + &key.serialize_pem(),
            pin: pin(&key),
            key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            chain: vec![certificate.into()],
        }
    }
}

impl Shown {
    /// The same, with what else is sent along, wherever it belongs.
    pub fn with(mut self, other: &Shown) -> Self {
        self.chain.extend_from_slice(&other.chain);
        self
    }

    /// The same, with an issuer's certificate.
    pub fn above(mut self, issuer: &Authority) -> Self {
        self.chain.push(issuer.0.der().clone());
        self
    }

    /// The pin of its key.
    pub fn pin(&self) -> &str {
        &self.pin
    }

    /// Certificate and key, as a client is given them.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// What shakes hands with it.
    pub fn acceptor(&self, asks: Asks<'_>) -> TlsAcceptor {
        let provider = Arc::new(default_provider());
        let old: &[&'static SupportedProtocolVersion] = &[&version::TLS12];
        let versions = if asks.tls12_only { old } else { ALL_VERSIONS };
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(versions)
            .expect("the provider has them");
        let builder = match asks.clients_of {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.0.der().clone()).expect("a root");
                let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
                builder.with_client_cert_verifier(verifier.build().expect("a root"))
            }
        };
        let config = builder.with_single_cert(self.chain.clone(), self.key.clone_key());
        TlsAcceptor::from(Arc::new(config.expect("the key is the certificate's")))
    }
}

fn pin(key: &KeyPair) -> String {
    let digest = aws_lc_rs::digest::digest(
        &aws_lc_rs::digest::SHA256,
        &rcgen::PublicKeyData::subject_public_key_info(key),
    );
    format!("sha256/{}", BASE64_STANDARD.encode(digest))
}
