//! Keys and their texts: `whsec_…` (a shared HMAC secret), `whsk_…` (an ed25519 secret) and
//! `whpk_…` (its public key), each followed by standard base64 with padding.
//!
//! Key types do not print, serialise or clone, and the secrets they keep are wiped when dropped. A
//! signing key and a verifying key are two types, and each knows one algorithm only: a signature
//! can't be checked with the wrong kind of key, because there is no function to call.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, ParsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

const HMAC_PREFIX: &str = "whsec_";
const ED25519_SECRET_PREFIX: &str = "whsk_";
const ED25519_PUBLIC_PREFIX: &str = "whpk_";

/// How many bytes an HMAC secret may have.
const HMAC_SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=75;
const SEED_BYTES: usize = 32;
const PUBLIC_KEY_BYTES: usize = 32;

/// Why a text is no key. The texts of these errors never repeat what they were given.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KeyError {
    /// A signing secret says with its prefix what it is for.
    #[error("a signing secret begins with `whsec_` (HMAC-SHA256) or `whsk_` (ed25519)")]
    NoPrefix,
    /// A public key where a secret belongs.
    #[error("`whpk_` marks a public key, which cannot sign: give a `whsec_` or `whsk_` secret")]
    PublicKeyCannotSign,
    /// A secret where its public key belongs.
    #[error("`whsk_` marks a secret that signs: to verify, give its public key, `whpk_`")]
    SecretKeyToVerifyWith,
    /// What follows the prefix is not base64 of the standard alphabet, or lacks its padding.
    #[error("what follows `{prefix}` must be standard base64 with padding")]
    NotBase64 {
        /// The prefix that the text has, or would have.
        prefix: &'static str,
    },
    /// The base64 is fine and holds too few or too many bytes.
    #[error("`{prefix}` must be followed by base64 of {expected} bytes, not of {actual}")]
    WrongLength {
        /// The prefix that the text has, or would have.
        prefix: &'static str,
        /// How many bytes it may hold.
        expected: &'static str,
        /// How many bytes it holds.
        actual: usize,
    },
    /// An ed25519 secret whose two halves are of different keys.
    #[error(
        "the last 32 bytes after `whsk_` are not the public key of the 32-byte seed before them"
    )]
    HalvesDisagree,
    /// 32 bytes that no ed25519 key has.
    #[error("what follows `whpk_` is not an ed25519 public key")]
    NotAPublicKey,
}

/// The text of a secret, wiped from memory when dropped. It does not print.
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    fn new(prefix: &str, bytes: &[u8]) -> Self {
        // Exactly as long as it gets: a string that grows leaves its old copy behind, unwiped.
        let mut text = Zeroizing::new(String::with_capacity(
            prefix.len() + 4 * bytes.len().div_ceil(3),
        ));
        text.push_str(prefix);
        STANDARD.encode_string(bytes, &mut text);
        Self(text)
    }

    /// The text, for the one who must show or store it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// A key that signs.
pub struct SigningKey(pub(super) SigningAlgorithm);

pub(super) enum SigningAlgorithm {
    Hmac {
        secret: Zeroizing<Vec<u8>>,
        key: Box<hmac::Key>,
    },
    Ed25519 {
        seed: Zeroizing<[u8; SEED_BYTES]>,
        pair: Ed25519KeyPair,
    },
}

impl SigningKey {
    /// Reads `whsec_` and base64 of 24 to 75 bytes, or `whsk_` and base64 of 64 bytes: an ed25519
    /// seed and the public key that belongs to it, which is checked.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        if let Some(encoded) = text.strip_prefix(HMAC_PREFIX) {
            return Ok(Self::hmac(decode_hmac_secret(encoded)?));
        }
        if let Some(encoded) = text.strip_prefix(ED25519_SECRET_PREFIX) {
            return Self::parse_ed25519(encoded);
        }
        if text.starts_with(ED25519_PUBLIC_PREFIX) {
            return Err(KeyError::PublicKeyCannotSign);
        }
        Err(KeyError::NoPrefix)
    }

    /// A new HMAC key, made of random bytes from a source that is good enough for keys.
    pub fn generate_hmac(random: &[u8; 24]) -> Self {
        Self::hmac(Zeroizing::new(random.to_vec()))
    }

    /// A new ed25519 key, made of random bytes from a source that is good enough for keys.
    pub fn generate_ed25519(random: &[u8; SEED_BYTES]) -> Self {
        let pair =
            Ed25519KeyPair::from_seed_unchecked(random).expect("any 32 bytes are an ed25519 seed");
        Self(SigningAlgorithm::Ed25519 {
            seed: Zeroizing::new(*random),
            pair,
        })
    }

    /// An HMAC key of these 24 to 75 bytes, which are random, or it is no key.
    pub fn from_hmac_secret(secret: &[u8]) -> Result<Self, KeyError> {
        check_hmac_secret(secret)?;
        Ok(Self::hmac(Zeroizing::new(secret.to_vec())))
    }

    /// The ed25519 key of this seed of 32 bytes.
    pub fn from_ed25519_seed(seed: &[u8]) -> Result<Self, KeyError> {
        let seed = seed.try_into().map_err(|_| KeyError::WrongLength {
            prefix: ED25519_SECRET_PREFIX,
            expected: "32",
            actual: seed.len(),
        })?;
        Ok(Self::generate_ed25519(seed))
    }

    fn hmac(secret: Zeroizing<Vec<u8>>) -> Self {
        let key = precomputed(&secret);
        Self(SigningAlgorithm::Hmac { secret, key })
    }

    fn parse_ed25519(encoded: &str) -> Result<Self, KeyError> {
        let prefix = ED25519_SECRET_PREFIX;
        let bytes = decode(prefix, encoded)?;
        let wrong_length = KeyError::WrongLength {
            prefix,
            expected: "64",
            actual: bytes.len(),
        };
        let (seed, public) = bytes.split_first_chunk().ok_or(wrong_length)?;
        if public.len() != PUBLIC_KEY_BYTES {
            return Err(wrong_length);
        }
        let pair = Ed25519KeyPair::from_seed_and_public_key(seed, public)
            .map_err(|_| KeyError::HalvesDisagree)?;
        Ok(Self(SigningAlgorithm::Ed25519 {
            seed: Zeroizing::new(*seed),
            pair,
        }))
    }

    /// The secret's text, which [`SigningKey::parse`] reads back.
    pub fn to_text(&self) -> SecretText {
        match &self.0 {
            SigningAlgorithm::Hmac { secret, .. } => SecretText::new(HMAC_PREFIX, secret),
            SigningAlgorithm::Ed25519 { seed, pair } => {
                let halves = Zeroizing::new([&seed[..], pair.public_key().as_ref()].concat());
                SecretText::new(ED25519_SECRET_PREFIX, &halves)
            }
        }
    }

    /// The text of the public key, `whpk_…`, if the key has one: an HMAC secret has not.
    pub fn public_text(&self) -> Option<String> {
        match &self.0 {
            SigningAlgorithm::Hmac { .. } => None,
            SigningAlgorithm::Ed25519 { pair, .. } => Some(format!(
                "{ED25519_PUBLIC_PREFIX}{}",
                STANDARD.encode(pair.public_key())
            )),
        }
    }

    /// The text that a receiver verifies with: the secret itself for HMAC, else the public key.
    pub fn receiver_text(&self) -> SecretText {
        match self.public_text() {
            Some(public) => SecretText(Zeroizing::new(public)),
            None => self.to_text(),
        }
    }
}

/// A key that verifies: an HMAC secret or an ed25519 public key.
pub struct VerifyingKey(pub(super) VerifyingAlgorithm);

pub(super) enum VerifyingAlgorithm {
    Hmac(Box<hmac::Key>),
    Ed25519(ParsedPublicKey),
}

impl VerifyingKey {
    /// Reads `whpk_` and base64 of 32 bytes, or base64 of 24 to 75 bytes with or without `whsec_`
    /// before it: providers show their secrets in both ways.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        if text.starts_with(ED25519_SECRET_PREFIX) {
            return Err(KeyError::SecretKeyToVerifyWith);
        }
        if let Some(encoded) = text.strip_prefix(ED25519_PUBLIC_PREFIX) {
            return Self::parse_ed25519(encoded);
        }
        let secret = decode_hmac_secret(text.strip_prefix(HMAC_PREFIX).unwrap_or(text))?;
        Ok(Self(VerifyingAlgorithm::Hmac(precomputed(&secret))))
    }

    fn parse_ed25519(encoded: &str) -> Result<Self, KeyError> {
        let prefix = ED25519_PUBLIC_PREFIX;
        let bytes = decode(prefix, encoded)?;
        if bytes.len() != PUBLIC_KEY_BYTES {
            return Err(KeyError::WrongLength {
                prefix,
                expected: "32",
                actual: bytes.len(),
            });
        }
        let key =
            ParsedPublicKey::new(&ED25519, &bytes[..]).map_err(|_| KeyError::NotAPublicKey)?;
        Ok(Self(VerifyingAlgorithm::Ed25519(key)))
    }
}

/// The hash's state after the key went into it, so that signing doesn't begin with hashing the key.
fn precomputed(secret: &[u8]) -> Box<hmac::Key> {
    Box::new(hmac::Key::new(hmac::HMAC_SHA256, secret))
}

fn decode_hmac_secret(encoded: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let secret = decode(HMAC_PREFIX, encoded)?;
    check_hmac_secret(&secret)?;
    Ok(secret)
}

fn check_hmac_secret(secret: &[u8]) -> Result<(), KeyError> {
    if HMAC_SECRET_BYTES.contains(&secret.len()) {
        return Ok(());
    }
    Err(KeyError::WrongLength {
        prefix: HMAC_PREFIX,
        expected: "24 to 75",
        actual: secret.len(),
    })
}

fn decode(prefix: &'static str, encoded: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    STANDARD
        .decode(encoded)
        .map(Zeroizing::new)
        .map_err(|_| KeyError::NotBase64 { prefix })
}

#[cfg(test)]
mod tests;
