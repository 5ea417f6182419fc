//! What requests to a source show besides a signature: as it is taken, and as it is shown, masked.

use crate::bounds::{Authorities, Components, KeyName, Password, Token, UserName, VerifyingKey};
use crate::endpoints::auth::{Algorithm, Place};
use app::endpoints::{CredentialInput, CredentialView};
use app::sources::{AuthDemandedInput, AuthDemandedView, SUBJECTS_MAX};
use model::Secret;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A user name and password, a token, a key, a signature over the request, or a client certificate.
#[derive(Deserialize, JsonSchema)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
#[schemars(rename = "SourceAuthIn")]
pub(super) enum AuthIn {
    Basic {
        #[schemars(with = "UserName")]
        username: String,
        #[schemars(with = "Password")]
        password: String,
    },
    Bearer {
        #[schemars(with = "Token")]
        token: String,
    },
    ApiKey {
        #[serde(rename = "in")]
        place: Place,
        #[schemars(with = "KeyName")]
        name: String,
        #[schemars(with = "Token")]
        value: String,
    },
    /// RFC 9421. The key is what verifies: `whpk_…` for ed25519, `whsec_…` for HMAC-SHA256.
    HttpSignature {
        algorithm: Algorithm,
        #[schemars(with = "VerifyingKey")]
        key: String,
        /// What must be covered besides what always must.
        #[serde(default)]
        #[schemars(with = "Option<Components>")]
        components: Option<Vec<String>>,
    },
    /// A client certificate, where Postrider terminates TLS.
    Mtls {
        /// The authorities that it is verified by, as PEM.
        #[schemars(with = "Authorities")]
        ca: String,
        /// The names that are good; all that an authority has signed, unless given.
        #[serde(default)]
        #[schemars(length(max = SUBJECTS_MAX))]
        subjects: Vec<String>,
    },
}

impl From<AuthIn> for AuthDemandedInput {
    fn from(body: AuthIn) -> Self {
        match body {
            AuthIn::Basic { username, password } => Self::Credential(CredentialInput::Basic {
                username,
                password: Secret::from(password),
            }),
            AuthIn::Bearer { token } => Self::Credential(CredentialInput::Bearer {
                token: Secret::from(token),
            }),
            AuthIn::ApiKey { place, name, value } => Self::Credential(CredentialInput::ApiKey {
                place: place.into(),
                name,
                value: Secret::from(value),
            }),
            AuthIn::HttpSignature {
                algorithm,
                key,
                components,
            } => Self::HttpSignature {
                algorithm: algorithm.into(),
                key: Secret::from(key),
                components: components.unwrap_or_default(),
            },
            AuthIn::Mtls { ca, subjects } => Self::Certificate {
                authorities: ca,
                subjects,
            },
        }
    }
}

/// The same, masked.
#[derive(Serialize, JsonSchema)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
#[schemars(rename = "SourceAuthOut")]
pub(super) enum AuthOut {
    Basic {
        username: String,
        password: String,
    },
    Bearer {
        token: String,
    },
    ApiKey {
        #[serde(rename = "in")]
        place: Place,
        name: String,
        value: String,
    },
    HttpSignature {
        algorithm: Algorithm,
        key: String,
        components: Vec<String>,
    },
    Mtls {
        ca: String,
        subjects: Vec<String>,
    },
}

impl From<AuthDemandedView> for AuthOut {
    fn from(view: AuthDemandedView) -> Self {
        match view {
            AuthDemandedView::Credential(credential) => credential.into(),
            AuthDemandedView::HttpSignature {
                algorithm,
                key,
                components,
            } => Self::HttpSignature {
                algorithm: algorithm.into(),
                key,
                components,
            },
            AuthDemandedView::Certificate {
                authorities,
                subjects,
            } => Self::Mtls {
                ca: authorities,
                subjects,
            },
        }
    }
}

impl From<CredentialView> for AuthOut {
    fn from(view: CredentialView) -> Self {
        match view {
            CredentialView::Basic { username, password } => Self::Basic { username, password },
            CredentialView::Bearer { token } => Self::Bearer { token },
            CredentialView::ApiKey { place, name, value } => Self::ApiKey {
                place: place.into(),
                name,
                value,
            },
            CredentialView::HttpSignature(signature) => Self::HttpSignature {
                algorithm: signature.algorithm.into(),
                key: signature.key,
                components: signature.components,
            },
        }
    }
}
