//! Credentials that requests carry, each after the standard that its receiver goes by. Tokens that
//! have to be fetched and client certificates are not here.

use super::rotated::Rotated;
use crate::endpoint::StoredFormError;
use crate::fields::{Fields, Part};
use crate::secret::Secret;

/// What an endpoint's requests are authenticated with.
pub type Auth = Rotated<Credential>;

/// One credential.
#[derive(Clone)]
pub enum Credential {
    /// RFC 7617, in UTF-8. A user name has no colon.
    Basic {
        /// The user name.
        username: String,
        /// The password.
        password: Secret,
    },
    /// RFC 6750, section 2.1.
    Bearer {
        /// The token.
        token: Secret,
    },
    /// A key in a place that its receiver chose.
    ApiKey {
        /// In which part of the request.
        place: KeyPlace,
        /// The header's or the parameter's name.
        name: String,
        /// The key.
        value: Secret,
    },
    /// RFC 9421: a signature over the request.
    HttpSignature {
        /// What it is made with.
        algorithm: HttpSignatureAlgorithm,
        /// The key, as the text that `webhook` parses: `whsk_…` or `whsec_…`.
        key: Secret,
        /// What it covers beyond what it always covers: names of headers, in lower case, and parts
        /// of the target.
        components: Vec<String>,
    },
}

/// What a signature over a request is made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpSignatureAlgorithm {
    /// A key pair.
    Ed25519,
    /// A shared secret.
    HmacSha256,
}

impl HttpSignatureAlgorithm {
    const ALL: [Self; 2] = [Self::Ed25519, Self::HmacSha256];

    /// The standard's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::HmacSha256 => "hmac-sha256",
        }
    }
}

/// Where an API key is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyPlace {
    /// A header.
    Header,
    /// A parameter behind those that the URL has.
    Query,
}

impl KeyPlace {
    const ALL: [Self; 2] = [Self::Header, Self::Query];

    /// The API's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Query => "query",
        }
    }
}

/// The kinds of credentials as they are stored.
#[derive(Clone, Copy)]
enum Kind {
    Basic,
    Bearer,
    ApiKey,
    HttpSignature,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Basic, Self::Bearer, Self::ApiKey, Self::HttpSignature];

    fn as_str(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Bearer => "bearer",
            Self::ApiKey => "apiKey",
            Self::HttpSignature => "httpSignature",
        }
    }
}

impl Part for Credential {
    fn write(&self, fields: &mut Fields) {
        match self {
            Self::Basic { username, password } => {
                fields.put_text("kind", Kind::Basic.as_str());
                fields.put_text("username", username);
                fields.put("password", password);
            }
            Self::Bearer { token } => {
                fields.put_text("kind", Kind::Bearer.as_str());
                fields.put("token", token);
            }
            Self::ApiKey { place, name, value } => {
                fields.put_text("kind", Kind::ApiKey.as_str());
                fields.put_text("place", place.as_str());
                fields.put_text("name", name);
                fields.put("value", value);
            }
            Self::HttpSignature {
                algorithm,
                key,
                components,
            } => {
                fields.put_text("kind", Kind::HttpSignature.as_str());
                fields.put_text("algorithm", algorithm.as_str());
                fields.put("key", key);
                for component in components {
                    fields.put_text("component", component);
                }
            }
        }
    }

    fn read(fields: &mut Fields) -> Result<Self, StoredFormError> {
        Ok(match fields.word("kind", &Kind::ALL, Kind::as_str)? {
            Kind::Basic => Self::Basic {
                username: fields.text("username")?,
                password: fields.secret("password")?,
            },
            Kind::Bearer => Self::Bearer {
                token: fields.secret("token")?,
            },
            Kind::ApiKey => Self::ApiKey {
                place: fields.word("place", &KeyPlace::ALL, KeyPlace::as_str)?,
                name: fields.text("name")?,
                value: fields.secret("value")?,
            },
            Kind::HttpSignature => Self::HttpSignature {
                algorithm: fields.word(
                    "algorithm",
                    &HttpSignatureAlgorithm::ALL,
                    HttpSignatureAlgorithm::as_str,
                )?,
                key: fields.secret("key")?,
                components: fields.texts("component")?,
            },
        })
    }
}
