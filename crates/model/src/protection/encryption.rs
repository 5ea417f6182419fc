//! Whom payloads are encrypted to. Kept here are texts: what they must be, and the encryption
//! itself, is the library `webhook`'s.

use crate::endpoint::StoredFormError;
use crate::fields::{Fields, Part};

/// What an endpoint's payloads are encrypted with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encryption {
    /// To which key.
    pub key: EncryptionKey,
    /// The `alg` of RFC 7518, where it is not left to the key.
    pub algorithm: Option<String>,
}

/// The receiver's public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EncryptionKey {
    /// The JSON of a JWK, as it was given.
    Given(String),
    /// One of those that the receiver publishes.
    Published {
        /// Where its JWKS is.
        url: String,
        /// The `kid` of the key; without one, the set's first that is for encryption.
        key_id: Option<String>,
    },
}

#[derive(Clone, Copy)]
enum Kind {
    Given,
    Published,
}

impl Kind {
    const ALL: [Self; 2] = [Self::Given, Self::Published];

    fn as_str(self) -> &'static str {
        match self {
            Self::Given => "jwk",
            Self::Published => "jwksUrl",
        }
    }
}

impl Part for Encryption {
    fn write(&self, fields: &mut Fields) {
        match &self.key {
            EncryptionKey::Given(jwk) => {
                fields.put_text("kind", Kind::Given.as_str());
                fields.put_text("jwk", jwk);
            }
            EncryptionKey::Published { url, key_id } => {
                fields.put_text("kind", Kind::Published.as_str());
                fields.put_text("url", url);
                fields.put_optional("kid", key_id.as_deref());
            }
        }
        fields.put_optional("alg", self.algorithm.as_deref());
    }

    fn read(fields: &mut Fields) -> Result<Self, StoredFormError> {
        let key = match fields.word("kind", &Kind::ALL, Kind::as_str)? {
            Kind::Given => EncryptionKey::Given(fields.text("jwk")?),
            Kind::Published => EncryptionKey::Published {
                url: fields.text("url")?,
                key_id: fields.optional_text("kid")?,
            },
        };
        Ok(Self {
            key,
            algorithm: fields.optional_text("alg")?,
        })
    }
}
