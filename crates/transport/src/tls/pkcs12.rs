//! PKCS#12 (RFC 7292) as far as it carries a client's certificate and key under a password.
//!
//! It reads what today's tools write: AES in CBC mode, keys derived by PBKDF2, a checksum by HMAC;
//! in DER. What older ones write, RC2 and triple DES, is no longer secure, and refused with the way
//! out. It writes nothing.

use std::num::NonZeroU32;

use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey,
};
use aws_lc_rs::{digest, hmac, pbkdf2};
use der::asn1::{AnyRef, ObjectIdentifier, OctetStringRef};
use der::{Decode, Sequence};
use model::Secret;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use x509_cert::spki::AlgorithmIdentifierRef;
use zeroize::Zeroizing;

/// How often the password is hashed for one file, which whoever wrote it decides.
const ITERATIONS_MAX: u32 = 2_000_000;

/// What can't be read as PKCS#12.
#[derive(Debug, thiserror::Error)]
pub enum Pkcs12Error {
    /// Another form.
    #[error(
        "it is not PKCS#12 in DER; `openssl pkcs12 -in OLD -nodes | openssl pkcs12 -export` writes \
         it so"
    )]
    Malformed(#[from] der::Error),
    /// Encrypted as was done long ago.
    #[error(
        "it is encrypted with {0}, which is no longer secure: write it anew with AES \
         (`openssl pkcs12 -legacy -in OLD -nodes | openssl pkcs12 -export`)"
    )]
    Outdated(&'static str),
    /// Encrypted or checked in a way that isn't known here.
    #[error(
        "it uses an algorithm that is not known here ({0}): write it anew with AES-256 and SHA-256"
    )]
    Unknown(ObjectIdentifier),
    /// It would take too long.
    #[error("its password is hashed more than {ITERATIONS_MAX} times: write it anew with fewer")]
    TooManyIterations,
    /// It can't be opened.
    #[error("the password is wrong, or the file is damaged")]
    Password,
    /// There is no key in it.
    #[error("it holds no private key")]
    NoKey,
    /// There are several, of which nobody said which.
    #[error("it holds several private keys: give one with its certificates")]
    SeveralKeys,
}

const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const ENCRYPTED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.6");
const KEY_BAG: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.1");
const ENCRYPTED_KEY_BAG: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.2");
const CERTIFICATE_BAG: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.3");
const X509: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.22.1");
const PBES2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.13");
const PBKDF2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.12");
const AES_128_CBC: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.1.2");
const AES_192_CBC: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.1.22");
const AES_256_CBC: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.1.42");
/// What keys and checksums are derived and made with.
const HASHES: [Hash; 4] = [
    Hash {
        plain: ObjectIdentifier::new_unwrap("1.3.14.3.2.26"),
        keyed: ObjectIdentifier::new_unwrap("1.2.840.113549.2.7"),
        digest: &digest::SHA1_FOR_LEGACY_USE_ONLY,
        hmac: hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        derive: pbkdf2::PBKDF2_HMAC_SHA1,
    },
    Hash {
        plain: ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1"),
        keyed: ObjectIdentifier::new_unwrap("1.2.840.113549.2.9"),
        digest: &digest::SHA256,
        hmac: hmac::HMAC_SHA256,
        derive: pbkdf2::PBKDF2_HMAC_SHA256,
    },
    Hash {
        plain: ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2"),
        keyed: ObjectIdentifier::new_unwrap("1.2.840.113549.2.10"),
        digest: &digest::SHA384,
        hmac: hmac::HMAC_SHA384,
        derive: pbkdf2::PBKDF2_HMAC_SHA384,
    },
    Hash {
        plain: ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3"),
        keyed: ObjectIdentifier::new_unwrap("1.2.840.113549.2.11"),
        digest: &digest::SHA512,
        hmac: hmac::HMAC_SHA512,
        derive: pbkdf2::PBKDF2_HMAC_SHA512,
    },
];

/// A hash by its names, in its three uses.
struct Hash {
    plain: ObjectIdentifier,
    keyed: ObjectIdentifier,
    digest: &'static digest::Algorithm,
    hmac: hmac::Algorithm,
    derive: pbkdf2::Algorithm,
}

#[derive(Sequence)]
struct Pfx<'a> {
    version: u8,
    contents: Typed<'a>,
    #[asn1(optional = "true")]
    mac: Option<MacData<'a>>,
}

/// What a kind says how to read: contents, and the certificate in a bag.
#[derive(Sequence)]
struct Typed<'a> {
    kind: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    content: AnyRef<'a>,
}

#[derive(Sequence)]
struct MacData<'a> {
    mac: Made<'a>,
    salt: OctetStringRef<'a>,
    #[asn1(default = "once")]
    iterations: u32,
}

/// What an algorithm made: a digest, and an encrypted key.
#[derive(Sequence)]
struct Made<'a> {
    algorithm: AlgorithmIdentifierRef<'a>,
    made: OctetStringRef<'a>,
}

#[derive(Sequence)]
struct EncryptedData<'a> {
    version: u8,
    content: EncryptedContentInfo<'a>,
}

#[derive(Sequence)]
struct EncryptedContentInfo<'a> {
    kind: ObjectIdentifier,
    algorithm: AlgorithmIdentifierRef<'a>,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT")]
    encrypted: OctetStringRef<'a>,
}

#[derive(Sequence)]
struct Bag<'a> {
    kind: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    value: AnyRef<'a>,
    #[asn1(optional = "true")]
    attributes: Option<AnyRef<'a>>,
}

#[derive(Sequence)]
struct Pbes2<'a> {
    derivation: AlgorithmIdentifierRef<'a>,
    encryption: AlgorithmIdentifierRef<'a>,
}

#[derive(Sequence)]
struct Pbkdf2<'a> {
    salt: OctetStringRef<'a>,
    iterations: u32,
    #[asn1(optional = "true")]
    key_bytes: Option<u32>,
    #[asn1(optional = "true")]
    hash: Option<AlgorithmIdentifierRef<'a>>,
}

fn once() -> u32 {
    1
}

/// Certificates, in the file's order, and the one key.
pub(super) fn open(
    file: &[u8],
    password: &Secret,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Pkcs12Error> {
    let pfx = Pfx::from_der(file)?;
    if pfx.contents.kind != DATA {
        return Err(Pkcs12Error::Unknown(pfx.contents.kind));
    }
    let safe = pfx.contents.content.decode_as::<OctetStringRef<'_>>()?;
    let mut opening = Opening {
        password,
        iterations: 0,
        certificates: Vec::new(),
        keys: Vec::new(),
    };
    if let Some(mac) = &pfx.mac {
        opening.check(mac, safe.as_bytes())?;
    }
    for part in Vec::<Typed<'_>>::from_der(safe.as_bytes())? {
        opening.part(&part)?;
    }
    let mut keys = opening.keys.into_iter();
    match (keys.next(), keys.next()) {
        (Some(key), None) => Ok((opening.certificates, key)),
        (None, _) => Err(Pkcs12Error::NoKey),
        (Some(_), Some(_)) => Err(Pkcs12Error::SeveralKeys),
    }
}

/// A file that is being read.
struct Opening<'a> {
    password: &'a Secret,
    iterations: u32,
    certificates: Vec<CertificateDer<'static>>,
    keys: Vec<PrivateKeyDer<'static>>,
}

impl Opening<'_> {
    /// Whether the whole was written by somebody with the password.
    fn check(&mut self, mac: &MacData<'_>, safe: &[u8]) -> Result<(), Pkcs12Error> {
        let algorithm = mac.mac.algorithm.oid;
        let hash = HASHES.iter().find(|hash| hash.plain == algorithm);
        let hash = hash.ok_or(Pkcs12Error::Unknown(algorithm))?;
        let iterations = self.pay_for(mac.iterations)?;
        let password = std::str::from_utf8(self.password.expose());
        let password = wide(password.map_err(|_| Pkcs12Error::Password)?);
        let key = mac_key(hash, &password, mac.salt.as_bytes(), iterations.get());
        let key = hmac::Key::new(hash.hmac, key.as_ref());
        let verified = hmac::verify(&key, safe, mac.mac.made.as_bytes());
        verified.map_err(|_| Pkcs12Error::Password)
    }

    fn part(&mut self, part: &Typed<'_>) -> Result<(), Pkcs12Error> {
        if part.kind == DATA {
            let bags = part.content.decode_as::<OctetStringRef<'_>>()?;
            return self.bags(bags.as_bytes());
        }
        if part.kind != ENCRYPTED_DATA {
            return Err(Pkcs12Error::Unknown(part.kind));
        }
        let encrypted = part.content.decode_as::<EncryptedData<'_>>()?.content;
        let bags = self.decrypt(&encrypted.algorithm, encrypted.encrypted.as_bytes())?;
        self.bags(&bags)
    }

    fn bags(&mut self, bags: &[u8]) -> Result<(), Pkcs12Error> {
        for bag in Vec::<Bag<'_>>::from_der(bags)? {
            let key = match bag.kind {
                CERTIFICATE_BAG => {
                    let certificate: Typed<'_> = bag.value.decode_as()?;
                    if certificate.kind == X509 {
                        let der = certificate.content.decode_as::<OctetStringRef<'_>>()?;
                        self.certificates.push(der.as_bytes().to_vec().into());
                    }
                    continue;
                }
                KEY_BAG => Zeroizing::new(der::Encode::to_der(&bag.value)?),
                ENCRYPTED_KEY_BAG => {
                    let key: Made<'_> = bag.value.decode_as()?;
                    self.decrypt(&key.algorithm, key.made.as_bytes())?
                }
                // Revocation lists and secrets of other kinds, which a client doesn't show.
                _ => continue,
            };
            self.keys
                .push(PrivatePkcs8KeyDer::from(key.to_vec()).into());
        }
        Ok(())
    }

    fn decrypt(
        &mut self,
        algorithm: &AlgorithmIdentifierRef<'_>,
        encrypted: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Pkcs12Error> {
        let parameters: Pbes2<'_> = parameters(algorithm, PBES2)?;
        let derivation: Pbkdf2<'_> = self::parameters(&parameters.derivation, PBKDF2)?;
        let (cipher, key_bytes) = match parameters.encryption.oid {
            AES_128_CBC => (&AES_128, 16),
            AES_192_CBC => (&AES_192, 24),
            AES_256_CBC => (&AES_256, 32),
            other => return Err(unknown(other)),
        };
        let hash = match &derivation.hash {
            None => &HASHES[0],
            Some(named) => HASHES
                .iter()
                .find(|hash| hash.keyed == named.oid)
                .ok_or(Pkcs12Error::Unknown(named.oid))?,
        };
        let iterations = self.pay_for(derivation.iterations)?;
        let mut key = Zeroizing::new(vec![0; key_bytes]);
        let (salt, password) = (derivation.salt.as_bytes(), self.password.expose());
        pbkdf2::derive(hash.derive, iterations, salt, password, &mut key);
        let start: OctetStringRef<'_> =
            self::parameters(&parameters.encryption, parameters.encryption.oid)?;
        let start: [u8; 16] = start
            .as_bytes()
            .try_into()
            .map_err(|_| Pkcs12Error::Password)?;
        let key = UnboundCipherKey::new(cipher, &key).and_then(PaddedBlockDecryptingKey::cbc_pkcs7);
        let key = key.map_err(|_| Pkcs12Error::Password)?;
        let mut text = Zeroizing::new(encrypted.to_vec());
        let opened = key.decrypt(&mut text, DecryptionContext::Iv128(start.into()));
        let length = opened.map_err(|_| Pkcs12Error::Password)?.len();
        text.truncate(length);
        Ok(text)
    }

    /// All hashing of a file comes out of one purse.
    fn pay_for(&mut self, iterations: u32) -> Result<NonZeroU32, Pkcs12Error> {
        self.iterations = self.iterations.saturating_add(iterations);
        if self.iterations > ITERATIONS_MAX {
            return Err(Pkcs12Error::TooManyIterations);
        }
        NonZeroU32::new(iterations).ok_or(Pkcs12Error::Password)
    }
}

fn parameters<'a, T>(
    algorithm: &AlgorithmIdentifierRef<'a>,
    expected: ObjectIdentifier,
) -> Result<T, Pkcs12Error>
where
    T: der::DecodeValue<'a> + der::FixedTag,
{
    if algorithm.oid != expected {
        return Err(unknown(algorithm.oid));
    }
    let parameters = algorithm.parameters.ok_or(Pkcs12Error::Password)?;
    Ok(parameters.decode_as()?)
}

/// What is known of an algorithm that isn't taken.
fn unknown(algorithm: ObjectIdentifier) -> Pkcs12Error {
    match algorithm.to_string().as_str() {
        "1.2.840.113549.1.12.1.3" | "1.2.840.113549.1.12.1.4" | "1.2.840.113549.3.7" => {
            Pkcs12Error::Outdated("triple DES")
        }
        "1.2.840.113549.1.12.1.5" | "1.2.840.113549.1.12.1.6" | "1.2.840.113549.3.2" => {
            Pkcs12Error::Outdated("RC2")
        }
        "1.2.840.113549.1.12.1.1" | "1.2.840.113549.1.12.1.2" => Pkcs12Error::Outdated("RC4"),
        _ => Pkcs12Error::Unknown(algorithm),
    }
}

/// The password as the checksum's key is derived from it: UTF-16, with a zero behind it.
fn wide(password: &str) -> Zeroizing<Vec<u8>> {
    let units = password.encode_utf16().chain([0]);
    Zeroizing::new(units.flat_map(u16::to_be_bytes).collect())
}

/// RFC 7292, appendix B.2, for as many bytes as the hash has: one round of it.
fn mac_key(hash: &Hash, password: &[u8], salt: &[u8], iterations: u32) -> digest::Digest {
    const FOR_A_MAC: u8 = 3;
    let block = hash.digest.block_len();
    let mut input = Zeroizing::new(vec![FOR_A_MAC; block]);
    for part in [salt, password] {
        let blocks = part.len().div_ceil(block) * block;
        input.extend(part.iter().cycle().take(blocks));
    }
    let mut key = digest::digest(hash.digest, &input);
    for _ in 1..iterations {
        key = digest::digest(hash.digest, key.as_ref());
    }
    key
}
