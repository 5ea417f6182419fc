//! Certificates for one run: an authority of the bench's own, and what it vouches for, the receiver
//! and the server as its client. They are in a directory that only this user can read, and go with
//! it.
//!
//! They are written out of the parts that certificates are read into elsewhere, and signed by the
//! one crypto library: two extensions are all that they need of what a library for issuing has.

use crate::BenchError;
use crate::options::keys::pem;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use der::asn1::{BitString, ObjectIdentifier, OctetString};
use der::{Decode as _, Encode};
use std::error::Error;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use x509_cert::certificate::{Certificate, TbsCertificate, Version};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, SubjectAltName};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::time::Validity;

/// The authority's certificate.
const AUTHORITY: &str = "authority.pem";
/// The receiver's, and its key.
const RECEIVER: &str = "receiver.pem";
/// `ecdsa-with-SHA256`.
const ECDSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
/// `basicConstraints`.
const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
/// `subjectAltName`.
const ALTERNATIVE_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
/// Longer than a bench takes.
const GOOD_FOR: Duration = Duration::from_secs(7 * 86_400);

type Wrong = Box<dyn Error + Send + Sync>;

/// The certificates, for as long as this is held.
pub(crate) struct Certificates {
    directory: TempDir,
    /// The authority's, as PEM.
    pub(crate) authority: String,
    /// The server's own, to be shown as a client, with its key, as PEM.
    pub(crate) client: String,
    /// The pin of the receiver's key.
    pub(crate) pin: String,
}

impl Certificates {
    /// Makes them.
    pub(crate) fn make() -> Result<Self, BenchError> {
        let wrong = |cause: Wrong| BenchError::Certificates { cause };
        let (authority, receiver, client) = issue().map_err(wrong)?;
        let made = Self {
            directory: tempfile::tempdir().map_err(BenchError::io("no directory can be made"))?,
            pin: receiver.pin().map_err(wrong)?,
            client: client.with_key().map_err(wrong)?,
            authority: pem("CERTIFICATE", &authority.certificate),
        };
        let write = |name: &str, text: &str| {
            let written = std::fs::write(made.directory.path().join(name), text);
            written.map_err(BenchError::io("certificates can't be written"))
        };
        write(AUTHORITY, &made.authority)?;
        write(RECEIVER, &receiver.with_key().map_err(wrong)?)?;
        Ok(made)
    }

    /// Where they are.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The file with the authority's.
    pub(crate) fn authority_file(&self) -> PathBuf {
        self.directory().join(AUTHORITY)
    }
}

/// What a receiver shakes hands with, from the directory with its certificates: it takes clients
/// that show a certificate of the authority's, and clients that show none.
pub(crate) fn acceptor(directory: &Path) -> Result<TlsAcceptor, BenchError> {
    let acceptor = || {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(directory.join(AUTHORITY))?)?;
        let provider = Arc::new(default_provider());
        let clients =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
                .allow_unauthenticated()
                .build()?;
        let own = directory.join(RECEIVER);
        let certificate = CertificateDer::from_pem_file(&own)?;
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(clients)
            .with_single_cert(vec![certificate], PrivateKeyDer::from_pem_file(&own)?)?;
        Ok::<_, Wrong>(TlsAcceptor::from(Arc::new(config)))
    };
    acceptor().map_err(|cause| BenchError::Certificates { cause })
}

/// A certificate with its key.
struct Identity {
    name: Name,
    key: EcdsaKeyPair,
    certificate: Vec<u8>,
}

/// An authority, the receiver, and its client.
fn issue() -> Result<(Identity, Identity, Identity), Wrong> {
    let everybody = BasicConstraints {
        ca: true,
        path_len_constraint: None,
    };
    let extension = extension(BASIC_CONSTRAINTS, true, &everybody)?;
    let authority = Identity::issue("CN=Postrider bench", None, extension)?;
    let address = GeneralName::from(IpAddr::from(Ipv4Addr::LOCALHOST));
    let alone = |name| {
        let names = SubjectAltName(vec![address.clone()]);
        let extension = self::extension(ALTERNATIVE_NAME, false, &names)?;
        Identity::issue(name, Some(&authority), extension)
    };
    let (receiver, client) = (alone("CN=receiver")?, alone("CN=server")?);
    Ok((authority, receiver, client))
}

fn extension(
    id: ObjectIdentifier,
    critical: bool,
    value: &impl Encode,
) -> Result<Extension, Wrong> {
    Ok(Extension {
        extn_id: id,
        critical,
        extn_value: OctetString::new(value.to_der()?)?,
    })
}

impl Identity {
    /// A new key with a certificate of the issuer's, or its own.
    fn issue(name: &str, issuer: Option<&Self>, extension: Extension) -> Result<Self, Wrong> {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING)?;
        let name: Name = name.parse()?;
        let signature = AlgorithmIdentifierOwned {
            oid: ECDSA_SHA256,
            parameters: None,
        };
        let mut serial = [0; 8];
        aws_lc_rs::rand::fill(&mut serial)?;
        let tbs_certificate = TbsCertificate {
            version: Version::V3,
            serial_number: SerialNumber::from(u64::from_be_bytes(serial) >> 1 | 1),
            signature: signature.clone(),
            issuer: issuer.map_or(&name, |issuer| &issuer.name).clone(),
            validity: Validity::from_now(GOOD_FOR)?,
            subject: name.clone(),
            subject_public_key_info: SubjectPublicKeyInfoOwned::from_der(&public(&key)?)?,
            issuer_unique_id: None,
            subject_unique_id: None,
            extensions: Some(vec![extension]),
        };
        let signer = issuer.map_or(&key, |issuer| &issuer.key);
        let signed = signer.sign(&SystemRandom::new(), &tbs_certificate.to_der()?)?;
        let certificate = Certificate {
            tbs_certificate,
            signature_algorithm: signature,
            signature: BitString::from_bytes(signed.as_ref())?,
        };
        Ok(Self {
            name,
            certificate: certificate.to_der()?,
            key,
        })
    }

    /// Both, as PEM.
    fn with_key(&self) -> Result<String, Wrong> {
        let key = self.key.to_pkcs8v1()?;
        let certificate = pem("CERTIFICATE", &self.certificate);
        Ok(certificate + &pem("PRIVATE KEY", key.as_ref()))
    }

    /// Its pin.
    fn pin(&self) -> Result<String, Wrong> {
        let digest = digest(&SHA256, &public(&self.key)?);
        Ok(format!("sha256/{}", BASE64_STANDARD.encode(digest)))
    }
}

/// The public half, as certificates carry it.
fn public(key: &EcdsaKeyPair) -> Result<Vec<u8>, Wrong> {
    let public: PublicKeyX509Der<'_> = key.public_key().as_der()?;
    Ok(public.as_ref().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_can_be_started_with_what_was_made_and_it_goes() {
        let made = Certificates::make().unwrap();
        let directory = made.directory().to_owned();
        assert!(acceptor(&directory).is_ok());
        assert!(made.authority_file().is_file());
        assert!(made.pin.starts_with("sha256/") && made.pin.len() == 51);
        assert!(made.client.contains("PRIVATE KEY") && !made.authority.contains("PRIVATE KEY"));
        drop(made);
        let refused = acceptor(&directory).err().expect("nothing is there");
        assert!(matches!(refused, BenchError::Certificates { .. }));
    }
}
