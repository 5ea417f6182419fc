//! What people are told of a certificate: pin, names, expiry.
//!
//! Nothing is decided by it but the comparison of pins, of which the key's bytes are the whole. So
//! what can't be read is left out, and never a reason to refuse: that is for path validation.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use model::chain_seen::{SeenCertificate, ShownChain};
use model::{Pin, Timestamp};
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer, TrustAnchor};
use x509_cert::der::{AnyRef, Decode, Encode, Reader, Result, SliceReader, Tag, TagNumber};
use x509_cert::name::RdnSequence;
use x509_cert::time::Validity;

/// A name can fill a certificate; whoever reads of it wants to recognise it.
const NAME_CHARACTERS_MAX: usize = 200;
/// A receiver can present as many certificates as it likes; these are more than a path has.
const SHOWN_MAX: usize = 10;
const UNREADABLE: &str = "(unreadable)";

/// A certificate of a chain. Its names were chosen by whoever issued it: they are escaped before
/// they reach a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainCertificate {
    /// Of its key.
    pub pin: Pin,
    /// Whom it is for, as RFC 4514 writes it; shortened where it is long.
    pub subject: String,
    /// Who vouches for it, likewise.
    pub issuer: String,
    /// When it ends, where that can be read and is known: of a root that is built in, only the key
    /// is.
    pub not_after: Option<Timestamp>,
}

impl ChainCertificate {
    /// Of a certificate; none where not even its key can be read.
    pub(crate) fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let outline = Outline::read(certificate).ok()?;
        Some(Self {
            pin: pin_of(&outline.key.to_der().ok()?),
            subject: name(outline.subject),
            issuer: name(outline.issuer),
            not_after: outline.not_after,
        })
    }

    /// Of a root of which nothing but the anchor is known.
    pub(crate) fn of_anchor(anchor: &TrustAnchor<'_>) -> Self {
        let subject = AnyRef::new(Tag::Sequence, &anchor.subject);
        let subject = subject.map_or_else(|_| UNREADABLE.to_owned(), name);
        Self {
            pin: pin_of_anchor(anchor),
            issuer: subject.clone(),
            subject,
            not_after: None,
        }
    }
}

impl From<ChainCertificate> for SeenCertificate {
    fn from(one: ChainCertificate) -> Self {
        Self {
            pin: one.pin,
            subject: one.subject,
            issuer: one.issuer,
            not_after: one.not_after,
        }
    }
}

/// The pin of a key, which is its whole DER.
pub(crate) fn pin_of(key: &[u8]) -> Pin {
    Pin::new(sha256(key))
}

/// What a connection showed, as it is kept; nothing where it showed nothing.
pub(crate) fn shown(
    certificates: impl IntoIterator<Item = ChainCertificate>,
) -> Option<Arc<ShownChain>> {
    let certificates = certificates.into_iter().take(SHOWN_MAX);
    let certificates: Vec<_> = certificates.map(SeenCertificate::from).collect();
    match certificates.is_empty() {
        true => None,
        false => Some(Arc::new(ShownChain::new(&certificates, sha256))),
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = digest(&SHA256, bytes);
    digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// The pin of a root's key.
pub(crate) fn pin_of_anchor(anchor: &TrustAnchor<'_>) -> Pin {
    let key: SubjectPublicKeyInfoDer<'_> = webpki::spki_for_anchor(anchor);
    pin_of(&key)
}

/// The parts of a certificate that are looked at. The others may be as odd as validation lets them.
struct Outline<'a> {
    issuer: AnyRef<'a>,
    not_after: Option<Timestamp>,
    subject: AnyRef<'a>,
    key: AnyRef<'a>,
}

impl<'a> Outline<'a> {
    fn read(certificate: &'a [u8]) -> Result<Self> {
        let mut signed = SliceReader::new(AnyRef::from_der(certificate)?.value())?;
        let mut fields = SliceReader::new(AnyRef::decode(&mut signed)?.value())?;
        let version = Tag::ContextSpecific {
            constructed: true,
            number: TagNumber::N0,
        };
        if fields.peek_tag()? == version {
            AnyRef::decode(&mut fields)?;
        }
        let _serial = AnyRef::decode(&mut fields)?;
        let _algorithm = AnyRef::decode(&mut fields)?;
        let issuer = AnyRef::decode(&mut fields)?;
        let validity = AnyRef::decode(&mut fields)?;
        Ok(Self {
            issuer,
            not_after: validity.decode_as().ok().map(end_of),
            subject: AnyRef::decode(&mut fields)?,
            key: AnyRef::decode(&mut fields)?,
        })
    }
}

fn end_of(validity: Validity) -> Timestamp {
    let end = validity.not_after.to_unix_duration();
    Timestamp::default().plus(end)
}

fn name(der: AnyRef<'_>) -> String {
    let Ok(name) = der.decode_as::<RdnSequence>() else {
        return UNREADABLE.to_owned();
    };
    let name = name.to_string();
    match name.char_indices().nth(NAME_CHARACTERS_MAX) {
        None => name,
        Some((end, _)) => format!("{}…", &name[..end]),
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};
    use rustls::pki_types::pem::PemObject;

    use super::*;

    const VECTORS: &str = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../conformance/spki.json"
    ));

    #[test]
    fn pins_are_those_that_openssl_prints() {
        let vectors: serde_json::Value = serde_json::from_str(VECTORS).expect("JSON");
        for (name, one) in vectors["certs"].as_object().expect("certificates") {
            let pem = one["pem"].as_str().expect("PEM");
            let der = CertificateDer::from_pem_slice(pem.as_bytes()).expect("PEM");
            let described = ChainCertificate::of(&der).expect(name);
            assert_eq!(described.pin.to_string(), one["spki_pin"], "{name}");
            let anchor = webpki::anchor_from_trusted_cert(&der).expect(name);
            let known = ChainCertificate::of_anchor(&anchor);
            assert_eq!(
                (known.pin, known.subject),
                (described.pin, described.subject)
            );
        }
    }

    #[test]
    fn names_and_expiry_are_told_and_long_names_shortened() {
        let mut params = CertificateParams::default();
        params.not_after = date_time_ymd(2040, 2, 29);
        params
            .distinguished_name
            .push(DnType::OrganizationName, "Ex, ample");
        params
            .distinguished_name
            .push(DnType::CommonName, "é".repeat(300));
        let key = KeyPair::generate().expect("a key");
        let made = params.self_signed(&key).expect("a certificate");
        let described = ChainCertificate::of(made.der()).expect("a certificate");
        assert_eq!(
            described.not_after.map(Timestamp::seconds),
            Some(2_214_086_400)
        );
        assert_eq!(described.subject.chars().count(), NAME_CHARACTERS_MAX + 1);
        assert!(
            described.subject.starts_with("O=Ex\\, ample,CN=é")
                && described.subject.ends_with("é…")
        );
        assert_eq!(described.issuer, described.subject);
    }

    #[test]
    fn no_part_or_twist_of_a_certificate_makes_its_reading_panic() {
        let key = KeyPair::generate().expect("a key");
        let made = CertificateParams::default()
            .self_signed(&key)
            .expect("a certificate");
        for place in 0..made.der().len() {
            assert_eq!(ChainCertificate::of(&made.der()[..place].into()), None);
            let mut twisted = made.der().to_vec();
            twisted[place] ^= 0xff;
            let _ = ChainCertificate::of(&twisted.into());
        }
    }
}
