//! What an endpoint's deliveries are authenticated with: shapes, routes, handlers. What is secret
//! in it is taken, and shown masked.

use super::part::{self, At, Part};
use crate::bounds::{Components, HttpSignatureKey, KeyName, Password, Token, UserName};
use crate::operation::{Routes, application};
use crate::render::Time;
use app::AppError;
use app::access::limits::Capability;
use app::endpoints::{
    AuthInput, AuthView, CredentialInput, CredentialView, HttpSignatureInput, HttpSignatureView,
    RemovablePart,
};
use model::Secret;
use model::protection::{HttpSignatureAlgorithm, KeyPlace};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) fn routes() -> Routes {
    Routes::at("/api/v1/app/{app_id}/endpoint/{endpoint_id}/auth")
        .get(
            application(
                "v1.endpoint.get-auth",
                "What its deliveries are authenticated with, masked",
            ),
            part::get::<Auth>,
        )
        .put(
            application("v1.endpoint.set-auth", "Replaces it").needs(Capability::ManageEndpoint),
            part::put::<Auth>,
        )
        .delete(
            application("v1.endpoint.delete-auth", "Takes it away")
                .needs(Capability::ManageEndpoint),
            part::delete::<Auth>,
        )
}

struct Auth;

impl Part for Auth {
    type In = AuthIn;
    type Out = AuthOut;

    async fn get(at: At<'_>) -> Result<AuthOut, AppError> {
        Ok(at.app.auth(at.tenant, at.endpoint)?.into())
    }

    async fn put(at: At<'_>, body: AuthIn) -> Result<(), AppError> {
        let input = body.into();
        at.app
            .put_auth(at.caller, at.tenant, at.endpoint, input)
            .await
    }

    async fn delete(at: At<'_>) -> Result<(), AppError> {
        at.remove(RemovablePart::Auth).await
    }
}

/// A user name and password, a token, a key, or a signature over the request. What was set before
/// may be tried for a while besides, where the new one is refused.
#[derive(Deserialize, JsonSchema)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
#[schemars(rename = "EndpointAuthIn")]
enum AuthIn {
    Basic {
        #[schemars(with = "UserName")]
        username: String,
        #[schemars(with = "Password")]
        password: String,
        #[serde(default)]
        previous_expires_at: Option<Time>,
    },
    Bearer {
        #[schemars(with = "Token")]
        token: String,
        #[serde(default)]
        previous_expires_at: Option<Time>,
    },
    ApiKey {
        #[serde(rename = "in")]
        place: Place,
        #[schemars(with = "KeyName")]
        name: String,
        #[schemars(with = "Token")]
        value: String,
        #[serde(default)]
        previous_expires_at: Option<Time>,
    },
    /// RFC 9421, with a key of its algorithm: `whsk_…` for ed25519, where one is made unless it is
    /// given, and `whsec_…` for HMAC-SHA256.
    HttpSignature {
        algorithm: Algorithm,
        #[serde(default)]
        #[schemars(with = "Option<HttpSignatureKey>")]
        key: Option<String>,
        /// What is covered besides what always is: headers, in lower case, and parts of the target.
        #[serde(default)]
        #[schemars(with = "Option<Components>")]
        components: Option<Vec<String>>,
        #[serde(default)]
        previous_expires_at: Option<Time>,
    },
}

/// What a signature is made with.
#[derive(Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(crate) enum Algorithm {
    Ed25519,
    HmacSha256,
}

/// Where a key is put.
#[derive(Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub(crate) enum Place {
    Header,
    Query,
}

impl From<AuthIn> for AuthInput {
    fn from(body: AuthIn) -> Self {
        let (credential, previous) = match body {
            AuthIn::Basic {
                username,
                password,
                previous_expires_at,
            } => {
                let password = Secret::from(password);
                let basic = CredentialInput::Basic { username, password };
                (basic, previous_expires_at)
            }
            AuthIn::Bearer {
                token,
                previous_expires_at,
            } => {
                let token = Secret::from(token);
                (CredentialInput::Bearer { token }, previous_expires_at)
            }
            AuthIn::ApiKey {
                place,
                name,
                value,
                previous_expires_at,
            } => {
                let key = CredentialInput::ApiKey {
                    place: place.into(),
                    name,
                    value: Secret::from(value),
                };
                (key, previous_expires_at)
            }
            AuthIn::HttpSignature {
                algorithm,
                key,
                components,
                previous_expires_at,
            } => {
                let signature = HttpSignatureInput {
                    algorithm: algorithm.into(),
                    key: key.map(Secret::from),
                    components: components.unwrap_or_default(),
                };
                let signature = CredentialInput::HttpSignature(signature);
                (signature, previous_expires_at)
            }
        };
        Self {
            credential,
            previous_expires_at: previous.map(|time| time.0),
        }
    }
}

impl From<Place> for KeyPlace {
    fn from(place: Place) -> Self {
        match place {
            Place::Header => Self::Header,
            Place::Query => Self::Query,
        }
    }
}

impl From<KeyPlace> for Place {
    fn from(place: KeyPlace) -> Self {
        match place {
            KeyPlace::Header => Self::Header,
            KeyPlace::Query => Self::Query,
        }
    }
}

impl From<Algorithm> for HttpSignatureAlgorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Ed25519 => Self::Ed25519,
            Algorithm::HmacSha256 => Self::HmacSha256,
        }
    }
}

impl From<HttpSignatureAlgorithm> for Algorithm {
    fn from(algorithm: HttpSignatureAlgorithm) -> Self {
        match algorithm {
            HttpSignatureAlgorithm::Ed25519 => Self::Ed25519,
            HttpSignatureAlgorithm::HmacSha256 => Self::HmacSha256,
        }
    }
}

/// The same, masked.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EndpointAuthOut")]
struct AuthOut {
    #[serde(flatten)]
    credential: CredentialOut,
    /// Until when what was set before is tried besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_expires_at: Option<Time>,
}

#[derive(Serialize, JsonSchema)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
#[schemars(inline)]
enum CredentialOut {
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
        /// What signatures call the key.
        key_id: String,
        /// What a receiver verifies with, where it isn't the key itself.
        #[serde(skip_serializing_if = "Option::is_none")]
        public_key: Option<String>,
        /// All that is covered.
        components: Vec<String>,
    },
}

impl From<AuthView> for AuthOut {
    fn from(view: AuthView) -> Self {
        Self {
            credential: match view.credential {
                CredentialView::Basic { username, password } => {
                    CredentialOut::Basic { username, password }
                }
                CredentialView::Bearer { token } => CredentialOut::Bearer { token },
                CredentialView::ApiKey { place, name, value } => CredentialOut::ApiKey {
                    place: place.into(),
                    name,
                    value,
                },
                CredentialView::HttpSignature(signature) => signature.into(),
            },
            previous_expires_at: view.previous_expires_at.map(Time),
        }
    }
}

impl From<HttpSignatureView> for CredentialOut {
    fn from(view: HttpSignatureView) -> Self {
        Self::HttpSignature {
            algorithm: view.algorithm.into(),
            key: view.key,
            key_id: view.key_id,
            public_key: view.public_key,
            components: view.components,
        }
    }
}
