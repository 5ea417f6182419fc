//! Whether authorities vouch for a client's certificate, and for which names: for who takes
//! connections, and has been shown a chain whose key its client was proved to have.
//!
//! It does no handshake. Revocation is not asked: whoever wants a certificate refused takes its
//! name or its authority away.

use model::Timestamp;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage};
use x509_cert::der::asn1::{Ia5StringRef, PrintableStringRef, Utf8StringRef};
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::{AnyRef, Decode as _, Tag, Tagged as _};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use crate::trust::Authorities;

/// The most names that are read of a certificate.
pub const NAMES_MAX: usize = 100;

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const ALTERNATIVE_NAMES: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");

/// Why a client is not who it should be.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ClientChainError {
    /// It showed nothing.
    #[error("the client showed no certificate")]
    Nothing,
    /// It is good for none of the authorities, has ended, or is for another use.
    #[error("the client's certificate is not verified by the authorities: {0}")]
    NotVerified(webpki::Error),
}

impl Authorities {
    /// Verifies the chain that a client showed, its own certificate first, each in DER: up to one
    /// of these authorities, at this time, for the use as a client. Gives back the names that the
    /// certificate is for: the subject's common names, and the alternative names that are DNS
    /// names, mail addresses and URIs.
    ///
    /// # Errors
    /// [`ClientChainError`].
    pub fn names_of_client(
        &self,
        chain: &[Vec<u8>],
        now: Timestamp,
    ) -> Result<Vec<String>, ClientChainError> {
        let (leaf, issuers) = chain.split_first().ok_or(ClientChainError::Nothing)?;
        let leaf = CertificateDer::from(leaf.as_slice());
        let issuers = issuers.iter();
        let issuers: Vec<_> = issuers
            .map(|issuer| CertificateDer::from(issuer.as_slice()))
            .collect();
        let seconds = u64::try_from(now.seconds()).unwrap_or_default();
        let verified = EndEntityCert::try_from(&leaf).and_then(|leaf| {
            let verified = leaf.verify_for_usage(
                aws_lc_rs::default_provider()
                    .signature_verification_algorithms
                    .all,
                &self.roots().store.roots,
                &issuers,
                UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds)),
                KeyUsage::client_auth(),
                None,
                None,
            );
            verified.map(|_| ())
        });
        verified.map_err(ClientChainError::NotVerified)?;
        Ok(names(&leaf))
    }
}

/// What can't be read is no name: then the certificate is for nobody.
fn names(certificate: &[u8]) -> Vec<String> {
    let Ok(certificate) = x509_cert::Certificate::from_der(certificate) else {
        return Vec::new();
    };
    let certificate = certificate.tbs_certificate;
    let parts = certificate.subject.0.iter().flat_map(|part| part.0.iter());
    let common = parts.filter(|part| part.oid == COMMON_NAME);
    let mut names: Vec<_> = common
        .filter_map(|part| text(AnyRef::from(&part.value)))
        .collect();
    let extensions = certificate.extensions.iter().flatten();
    for extension in extensions.filter(|extension| extension.extn_id == ALTERNATIVE_NAMES) {
        let read = SubjectAltName::from_der(extension.extn_value.as_bytes());
        let alternatives = read.map(|read| read.0).unwrap_or_default();
        names.extend(alternatives.into_iter().filter_map(|name| match name {
            GeneralName::DnsName(text)
            | GeneralName::Rfc822Name(text)
            | GeneralName::UniformResourceIdentifier(text) => Some(text.to_string()),
            _ => None,
        }));
    }
    names.truncate(NAMES_MAX);
    names
}

fn text(value: AnyRef<'_>) -> Option<String> {
    let text = match value.tag() {
        Tag::Utf8String => value.decode_as::<Utf8StringRef<'_>>().ok()?.to_string(),
        Tag::PrintableString => value
            .decode_as::<PrintableStringRef<'_>>()
            .ok()?
            .to_string(),
        Tag::Ia5String => value.decode_as::<Ia5StringRef<'_>>().ok()?.to_string(),
        _ => return None,
    };
    Some(text)
}

#[cfg(test)]
mod tests {
    use rcgen::{
        BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose,
        IsCa, KeyPair, SanType, date_time_ymd,
    };

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_764_000_000);

    fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("a key");
        CertifiedIssuer::self_signed(params, key).expect("an authority")
    }

    fn client(
        authority: &CertifiedIssuer<'_, KeyPair>,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Vec<Vec<u8>> {
        let mut params = CertificateParams::default();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.distinguished_name.push(DnType::CommonName, "bank-é");
        let dns = SanType::DnsName("hooks.bank.example".try_into().expect("a name"));
        let uri = SanType::URI("spiffe://bank/hooks".try_into().expect("a URI"));
        params.subject_alt_names = vec![dns, uri];
        change(&mut params);
        let key = KeyPair::generate().expect("a key");
        let made = params.signed_by(&key, authority).expect("a certificate");
        vec![made.der().to_vec()]
    }

    fn trusting(authority: &CertifiedIssuer<'_, KeyPair>) -> Authorities {
        Authorities::from_pem(authority.pem().as_bytes()).expect("PEM")
    }

    #[test]
    fn a_client_of_the_authority_has_its_common_and_its_alternative_names() {
        let bank = authority("bank");
        let chain = client(&bank, |_| ());
        let names = trusting(&bank).names_of_client(&chain, NOW);
        let expected = ["bank-é", "hooks.bank.example", "spiffe://bank/hooks"];
        assert_eq!(names, Ok(expected.map(str::to_owned).to_vec()));
    }

    #[test]
    fn nobody_else_is_a_client() {
        let (bank, other) = (authority("bank"), authority("bank"));
        let trusted = trusting(&bank);
        assert_eq!(
            trusted.names_of_client(&[], NOW),
            Err(ClientChainError::Nothing)
        );
        let server = |params: &mut CertificateParams| {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        };
        let ended = |params: &mut CertificateParams| params.not_after = date_time_ymd(2025, 1, 1);
        let twisted = |mut chain: Vec<Vec<u8>>| {
            *chain[0].last_mut().expect("bytes") ^= 1;
            chain
        };
        for (what, chain) in [
            ("of another authority", client(&other, |_| ())),
            ("a server's", client(&bank, server)),
            ("ended", client(&bank, ended)),
            ("twisted", twisted(client(&bank, |_| ()))),
            ("no certificate", vec![vec![0x30, 0]]),
        ] {
            let refused = trusted.names_of_client(&chain, NOW);
            assert!(
                matches!(refused, Err(ClientChainError::NotVerified(_))),
                "{what}: {refused:?}"
            );
        }
    }
}
