//! Whom an endpoint's payloads are encrypted to: routes, handlers, and the shape of the answer.
//! What is taken is described in `encryption/shape.rs`.

mod shape;

use super::part::{self, At, Part};
use crate::operation::{Routes, application};
use app::AppError;
use app::access::limits::Capability;
use app::endpoints::{CONTENT_ENCRYPTION, EncryptionInput, RemovablePart};
use model::protection::{Encryption, EncryptionKey};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

pub(super) fn routes() -> Routes {
    Routes::at("/api/v1/app/{app_id}/endpoint/{endpoint_id}/encryption")
        .get(
            application(
                "v1.endpoint.get-encryption",
                "Whom the payloads of its deliveries are encrypted to",
            ),
            part::get::<Encrypted>,
        )
        .put(
            application("v1.endpoint.set-encryption", "Replaces it")
                .needs(Capability::ManageEndpoint),
            part::put::<Encrypted>,
        )
        .delete(
            application(
                "v1.endpoint.delete-encryption",
                "Takes it away: payloads are sent as they are",
            )
            .needs(Capability::ManageEndpoint),
            part::delete::<Encrypted>,
        )
}

struct Encrypted;

impl Part for Encrypted {
    type In = EncryptionIn;
    type Out = EncryptionOut;

    async fn get(at: At<'_>) -> Result<EncryptionOut, AppError> {
        EncryptionOut::new(at.app.encryption(at.tenant, at.endpoint)?)
    }

    async fn put(at: At<'_>, body: EncryptionIn) -> Result<(), AppError> {
        let input = body.into();
        at.app
            .put_encryption(at.caller, at.tenant, at.endpoint, input)
            .await
    }

    async fn delete(at: At<'_>) -> Result<(), AppError> {
        at.remove(RemovablePart::Encryption).await
    }
}

/// One of `jwk` and `jwksUrl` is there. What is there is never null.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EncryptionIn {
    #[serde(default, deserialize_with = "given")]
    jwk: Option<Box<RawValue>>,
    #[serde(default, deserialize_with = "given")]
    jwks_url: Option<String>,
    #[serde(default, deserialize_with = "given")]
    kid: Option<String>,
    #[serde(default, deserialize_with = "given")]
    alg: Option<String>,
    #[serde(default, deserialize_with = "given")]
    enc: Option<String>,
}

fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(field: D) -> Result<Option<T>, D::Error> {
    T::deserialize(field).map(Some)
}

impl From<EncryptionIn> for EncryptionInput {
    fn from(body: EncryptionIn) -> Self {
        Self {
            jwk: body.jwk.map(|jwk| Box::<str>::from(jwk).into_string()),
            jwks_url: body.jwks_url,
            kid: body.kid,
            alg: body.alg,
            enc: body.enc,
        }
    }
}

/// Whom payloads are encrypted to: a key, or the set that has it.
#[derive(Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EndpointEncryptionOut")]
struct EncryptionOut {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Map<String, Value>>")]
    jwk: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks_url: Option<String>,
    /// Which key of the set; otherwise its first that is for encryption.
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
    /// Otherwise the key's own, or ECDH-ES+A256KW or RSA-OAEP-256.
    #[serde(skip_serializing_if = "Option::is_none")]
    alg: Option<String>,
    enc: &'static str,
}

impl EncryptionOut {
    fn new(encryption: Encryption) -> Result<Self, AppError> {
        let common = Self {
            alg: encryption.algorithm,
            enc: CONTENT_ENCRYPTION,
            ..Self::default()
        };
        Ok(match encryption.key {
            EncryptionKey::Given(jwk) => {
                let jwk = RawValue::from_string(jwk);
                let jwk = jwk.map_err(|error| AppError::Internal(error.into()))?;
                Self {
                    jwk: Some(jwk),
                    ..common
                }
            }
            EncryptionKey::Published { url, key_id } => Self {
                jwks_url: Some(url),
                kid: key_id,
                ..common
            },
        })
    }
}
