//! Keys, each of one algorithm that its record says. Secrets come in as the texts that Standard
//! Webhooks has for them, public keys of other kinds as SubjectPublicKeyInfo.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, Ed25519KeyPair, KeyPair, ParsedPublicKey,
    RSA_PSS_2048_8192_SHA512, VerificationAlgorithm,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{KeyError, SigningKey, VerifyingKey};

/// An algorithm of RFC 9421 section 3.3.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Algorithm {
    /// `hmac-sha256`
    HmacSha256,
    /// `ed25519`
    Ed25519,
    /// `ecdsa-p256-sha256`. Only verified.
    EcdsaP256Sha256,
    /// `rsa-pss-sha512`, with a salt of 64 bytes. Only verified.
    RsaPssSha512,
}

impl Algorithm {
    /// The name that the parameter `alg` has.
    pub fn name(self) -> &'static str {
        match self {
            Self::HmacSha256 => "hmac-sha256",
            Self::Ed25519 => "ed25519",
            Self::EcdsaP256Sha256 => "ecdsa-p256-sha256",
            Self::RsaPssSha512 => "rsa-pss-sha512",
        }
    }

    fn of_public_keys(self) -> Option<&'static dyn VerificationAlgorithm> {
        match self {
            Self::HmacSha256 => None,
            Self::Ed25519 => Some(&ED25519),
            Self::EcdsaP256Sha256 => Some(&ECDSA_P256_SHA256_FIXED),
            Self::RsaPssSha512 => Some(&RSA_PSS_2048_8192_SHA512),
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What signs.
pub(super) enum Signing {
    Hmac(Box<hmac::Key>),
    Ed25519(Ed25519KeyPair),
}

impl Signing {
    pub(super) fn new(key: &SigningKey) -> Self {
        let text = key.to_text();
        let bytes = secret_bytes(text.expose());
        match text.expose().starts_with("whsk_") {
            true => Self::Ed25519(
                Ed25519KeyPair::from_seed_unchecked(&bytes[..32])
                    .expect("the key's own text begins with a seed"),
            ),
            false => Self::Hmac(Box::new(hmac::Key::new(hmac::HMAC_SHA256, &bytes))),
        }
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        match self {
            Self::Hmac(_) => Algorithm::HmacSha256,
            Self::Ed25519(_) => Algorithm::Ed25519,
        }
    }

    pub(super) fn sign(&self, base: &str) -> Vec<u8> {
        match self {
            Self::Hmac(key) => hmac::sign(key, base.as_bytes()).as_ref().to_vec(),
            Self::Ed25519(pair) => pair.sign(base.as_bytes()).as_ref().to_vec(),
        }
    }
}

/// A name for a key to go by as `keyid`, where its owner gave it none. Of an ed25519 key, the
/// SHA-256 thumbprint of its public JWK (RFC 7638); of a shared secret, a MAC that it makes, which
/// says no more of it than any signature does.
pub fn key_id(key: &SigningKey) -> String {
    let id = match Signing::new(key) {
        Signing::Hmac(key) => hmac::sign(&key, b"keyid").as_ref().to_vec(),
        Signing::Ed25519(pair) => return PublicJwk::new(&pair).kid,
    };
    URL_SAFE_NO_PAD.encode(id)
}

/// The public half of an ed25519 key, as a JWK (RFC 8037) of the type `OKP` and the curve `Ed25519`
/// has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublicJwk {
    /// Its SHA-256 thumbprint (RFC 7638), which is the key's [`key_id`].
    pub kid: String,
    /// The public key, in base64url.
    pub x: String,
}

impl PublicJwk {
    /// That of a key that signs, if it has one: an HMAC secret has not.
    pub fn of(key: &SigningKey) -> Option<Self> {
        match Signing::new(key) {
            Signing::Hmac(_) => None,
            Signing::Ed25519(pair) => Some(Self::new(&pair)),
        }
    }

    fn new(pair: &Ed25519KeyPair) -> Self {
        let x = URL_SAFE_NO_PAD.encode(pair.public_key());
        let jwk = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
        let kid = URL_SAFE_NO_PAD.encode(digest(&SHA256, jwk.as_bytes()));
        Self { kid, x }
    }
}

/// Why bytes are no public key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "the bytes are not a public key for {0}: give a SubjectPublicKeyInfo in DER, what stands in \
     base64 in a file that begins with `BEGIN PUBLIC KEY`"
)]
pub struct PublicKeyError(pub Algorithm);

/// A key that may have signed, and the name by which a signature's `keyid` calls it. It does not
/// print.
pub struct KnownKey {
    /// None: whatever name.
    pub(super) id: Option<String>,
    key: Verifying,
}

enum Verifying {
    Hmac(Box<hmac::Key>),
    Public(Algorithm, ParsedPublicKey),
}

impl KnownKey {
    /// A shared secret, `whsec_…`, or an ed25519 public key, `whpk_…`, as
    /// [`VerifyingKey::parse`] reads them.
    pub fn parse(id: &str, text: &str) -> Result<Self, KeyError> {
        VerifyingKey::parse(text)?;
        let bytes = secret_bytes(text);
        let key = match text.starts_with("whpk_") {
            true => Verifying::Public(
                Algorithm::Ed25519,
                ParsedPublicKey::new(&ED25519, &bytes[..]).map_err(|_| KeyError::NotAPublicKey)?,
            ),
            false => Verifying::Hmac(Box::new(hmac::Key::new(hmac::HMAC_SHA256, &bytes))),
        };
        let id = Some(id.to_owned());
        Ok(Self { id, key })
    }

    /// The same, of one that its signatures may call by any name: for who has agreed on a key with
    /// its holder, and on no name.
    pub fn of_any_name(text: &str) -> Result<Self, KeyError> {
        let id = None;
        Ok(Self {
            id,
            ..Self::parse("", text)?
        })
    }

    /// A public key, from its SubjectPublicKeyInfo (RFC 5280) in DER, for this algorithm alone.
    pub fn from_public_der(
        id: &str,
        algorithm: Algorithm,
        der: &[u8],
    ) -> Result<Self, PublicKeyError> {
        const SEQUENCE: u8 = 0x30;
        let refused = PublicKeyError(algorithm);
        // The library takes bare points and PKCS #1 as well, which name no kind of key.
        let scheme = algorithm.of_public_keys().ok_or(refused)?;
        if der.first() != Some(&SEQUENCE) {
            return Err(refused);
        }
        let key = ParsedPublicKey::new(scheme, der).map_err(|_| refused)?;
        Ok(Self {
            id: Some(id.to_owned()),
            key: Verifying::Public(algorithm, key),
        })
    }

    /// Whether a signature that calls its key so may be this one's.
    pub(super) fn is_called(&self, id: &str) -> bool {
        self.id.as_deref().is_none_or(|own| own == id)
    }

    /// The one algorithm that the key is for.
    pub fn algorithm(&self) -> Algorithm {
        match &self.key {
            Verifying::Hmac(_) => Algorithm::HmacSha256,
            Verifying::Public(algorithm, _) => *algorithm,
        }
    }

    pub(super) fn verifies(&self, base: &str, signature: &[u8]) -> bool {
        match &self.key {
            Verifying::Hmac(key) => {
                let expected = hmac::sign(key, base.as_bytes());
                bool::from(expected.as_ref().ct_eq(signature))
            }
            Verifying::Public(_, key) => key.verify_sig(base.as_bytes(), signature).is_ok(),
        }
    }
}

/// The bytes behind a key's prefix, of a text that was read as a key before.
fn secret_bytes(text: &str) -> Zeroizing<Vec<u8>> {
    let encoded = text.split_once('_').map_or(text, |(_, encoded)| encoded);
    Zeroizing::new(STANDARD.decode(encoded).expect("it was read as a key"))
}
