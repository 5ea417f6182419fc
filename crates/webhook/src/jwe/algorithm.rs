//! How the content key comes to the receiver (`alg`), on which curve, and what the content is
//! encrypted with (`enc`).

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::{aead, agreement};

/// An `alg` of RFC 7518: how the content key comes to the receiver.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Algorithm {
    /// `ECDH-ES`: the content key is what two keys agree on.
    EcdhEs,
    /// `ECDH-ES+A128KW`: the content key is wrapped with what two keys agree on. Only read.
    EcdhEsA128Kw,
    /// `ECDH-ES+A256KW`: the same, with 256 bits.
    EcdhEsA256Kw,
    /// `RSA-OAEP`, whose hash is SHA-1. Only read, and only with a key that names it.
    RsaOaep,
    /// `RSA-OAEP-256`: the content key is encrypted, with SHA-256 inside.
    RsaOaep256,
}

impl Algorithm {
    const ALL: [Self; 5] = [
        Self::EcdhEs,
        Self::EcdhEsA128Kw,
        Self::EcdhEsA256Kw,
        Self::RsaOaep,
        Self::RsaOaep256,
    ];

    /// The name that `alg` has.
    pub fn name(self) -> &'static str {
        match self {
            Self::EcdhEs => "ECDH-ES",
            Self::EcdhEsA128Kw => "ECDH-ES+A128KW",
            Self::EcdhEsA256Kw => "ECDH-ES+A256KW",
            Self::RsaOaep => "RSA-OAEP",
            Self::RsaOaep256 => "RSA-OAEP-256",
        }
    }

    pub(super) fn is_rsa(self) -> bool {
        matches!(self, Self::RsaOaep | Self::RsaOaep256)
    }

    /// Whether [`Recipient`](super::Recipient) encrypts with it, rather than receivers reading it
    /// only.
    pub fn is_written(self) -> bool {
        matches!(self, Self::EcdhEs | Self::EcdhEsA256Kw | Self::RsaOaep256)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no algorithm of this module.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the algorithm is none of `ECDH-ES`, `ECDH-ES+A256KW` and `RSA-OAEP-256`")]
pub struct UnknownAlgorithm;

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(text: &str) -> Result<Self, UnknownAlgorithm> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == text)
            .ok_or(UnknownAlgorithm)
    }
}

/// An `enc`: AES in Galois/counter mode, with a tag of 128 bits and an IV of 96.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Encryption {
    /// Only read.
    A128Gcm,
    A256Gcm,
}

pub(super) const IV_BYTES: usize = aead::NONCE_LEN;
pub(super) const TAG_BYTES: usize = 16;
pub(super) const CONTENT_KEY_BYTES_MAX: usize = 32;

impl Encryption {
    pub(super) fn from_name(name: &str) -> Option<Self> {
        [Self::A128Gcm, Self::A256Gcm]
            .into_iter()
            .find(|encryption| encryption.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::A128Gcm => "A128GCM",
            Self::A256Gcm => "A256GCM",
        }
    }

    pub(super) fn key_bytes(self) -> usize {
        match self {
            Self::A128Gcm => 16,
            Self::A256Gcm => 32,
        }
    }

    pub(super) fn cipher(self) -> &'static aead::Algorithm {
        match self {
            Self::A128Gcm => &aead::AES_128_GCM,
            Self::A256Gcm => &aead::AES_256_GCM,
        }
    }
}

/// A curve that two keys agree on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Curve {
    P256,
    /// Only read.
    P384,
    X25519,
}

impl Curve {
    /// The curve with this key type (`kty`) and name (`crv`).
    pub(super) fn from_names(key_type: &str, name: &str) -> Option<Self> {
        [Self::P256, Self::P384, Self::X25519]
            .into_iter()
            .find(|curve| curve.key_type() == key_type && curve.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::X25519 => "X25519",
        }
    }

    pub(super) fn key_type(self) -> &'static str {
        match self {
            Self::P256 | Self::P384 => "EC",
            Self::X25519 => "OKP",
        }
    }

    /// How many bytes a coordinate has, and a private key too.
    pub(super) fn coordinate_bytes(self) -> usize {
        match self {
            Self::P256 | Self::X25519 => 32,
            Self::P384 => 48,
        }
    }

    pub(super) fn agreement(self) -> &'static agreement::Algorithm {
        match self {
            Self::P256 => &agreement::ECDH_P256,
            Self::P384 => &agreement::ECDH_P384,
            Self::X25519 => &agreement::X25519,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_algorithm_is_read_back_from_its_name() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
        }
        for name in ["RSA1_5", "none", "dir", "PBES2-HS256+A128KW", "ecdh-es", ""] {
            assert_eq!(name.parse::<Algorithm>(), Err(UnknownAlgorithm), "{name}");
        }
    }
}
