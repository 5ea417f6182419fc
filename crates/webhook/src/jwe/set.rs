//! JWKS (RFC 7517 section 5): the keys that a receiver publishes, and which of them is encrypted
//! to. Keys that are no use here, such as those for signatures, are passed over.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::algorithm::Algorithm;
use super::members::JwkError;
use super::public::PublicJwk;

/// The longest JWKS that is read, in bytes.
pub const JWKS_BYTES_MAX: usize = 256 << 10;

/// The most keys that a JWKS may have.
pub const JWKS_KEYS_MAX: usize = 100;

/// Why a text is no JWKS, or has no key to encrypt to.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JwksError {
    /// Longer than [`JWKS_BYTES_MAX`].
    #[error("a JWKS has at most {JWKS_BYTES_MAX} bytes")]
    TooLong,
    /// Not the JSON of a JWKS.
    #[error(
        "a JWKS is a JSON object with a list `keys` of JWKs: not so at line {line}, column {column}"
    )]
    NotJson {
        /// Where reading stopped, from 1.
        line: usize,
        /// Where reading stopped.
        column: usize,
    },
    /// More than [`JWKS_KEYS_MAX`] keys.
    #[error("a JWKS has at most {JWKS_KEYS_MAX} keys")]
    TooManyKeys,
    /// The key that was asked for is not there: it may be in a newer set.
    #[error("the JWKS has no key with the `kid` {0:?}")]
    NoSuchKey(String),
    /// The key that was asked for is there, and can't be used.
    #[error("the key {key_id:?} of the JWKS cannot be used")]
    Unusable {
        /// Its `kid`.
        key_id: String,
        /// What is wrong with it.
        source: JwkError,
    },
    /// No key of the set can be encrypted to.
    #[error(
        "the JWKS has no key to encrypt to: publish one of P-256, X25519 or RSA whose `use`, \
         `key_ops` and `alg` allow it"
    )]
    NoUsableKey,
}

/// The keys that a receiver publishes.
#[derive(Clone, Debug)]
pub struct Jwks(Vec<(Option<String>, Result<PublicJwk, JwkError>)>);

#[derive(Deserialize)]
struct Text<'j> {
    #[serde(borrow)]
    keys: Vec<&'j RawValue>,
}

#[derive(Deserialize)]
struct KeyId {
    kid: Option<String>,
}

impl Jwks {
    /// Reads a JWKS. A key in it that can't be used is no error until it is asked for.
    pub fn parse(json: &str) -> Result<Self, JwksError> {
        if json.len() > JWKS_BYTES_MAX {
            return Err(JwksError::TooLong);
        }
        let text: Text<'_> = serde_json::from_str(json).map_err(|error| JwksError::NotJson {
            line: error.line(),
            column: error.column(),
        })?;
        if text.keys.len() > JWKS_KEYS_MAX {
            return Err(JwksError::TooManyKeys);
        }
        let keys = text.keys.iter().map(|key| {
            let id = serde_json::from_str(key.get()).map_or(None, |id: KeyId| id.kid);
            (id, PublicJwk::parse(key.get()))
        });
        Ok(Self(keys.collect()))
    }

    /// The key to encrypt to: the one with this `kid`; without one, the first that says it is for
    /// encryption, else the first that may be. With an `algorithm`, only keys that fit it count.
    ///
    /// # Errors
    /// [`JwksError::NoSuchKey`] where an older copy of the set may have been asked; the others tell
    /// that the set itself won't do.
    pub fn pick(
        &self,
        key_id: Option<&str>,
        algorithm: Option<Algorithm>,
    ) -> Result<&PublicJwk, JwksError> {
        match key_id {
            Some(key_id) => self.with_id(key_id, algorithm),
            None => self.first(algorithm).ok_or(JwksError::NoUsableKey),
        }
    }

    fn with_id(&self, key_id: &str, algorithm: Option<Algorithm>) -> Result<&PublicJwk, JwksError> {
        let mut refused = None;
        for (id, key) in &self.0 {
            if id.as_deref() != Some(key_id) {
                continue;
            }
            let fits = key.as_ref().map_err(JwkError::clone).and_then(|key| {
                key.choose_algorithm(algorithm)?;
                Ok(key)
            });
            match fits {
                Ok(key) => return Ok(key),
                Err(source) => refused = Some(source),
            }
        }
        let key_id = key_id.to_owned();
        Err(match refused {
            Some(source) => JwksError::Unusable { key_id, source },
            None => JwksError::NoSuchKey(key_id),
        })
    }

    fn first(&self, algorithm: Option<Algorithm>) -> Option<&PublicJwk> {
        let usable = || {
            self.0
                .iter()
                .filter_map(|(_, key)| key.as_ref().ok())
                .filter(|key| key.choose_algorithm(algorithm).is_ok())
        };
        usable()
            .find(|key| key.says_use)
            .or_else(|| usable().next())
    }
}
