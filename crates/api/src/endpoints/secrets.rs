//! An endpoint's signing secret: shapes, routes, handlers. The only place where the API shows
//! one, because whoever verifies needs it.

use super::{OfApplication, owner};
use crate::bounds;
use crate::operation::{Routes, application};
use app::AppError;
use app::access::limits::Capability;
use app::endpoints::{GRACE_MAX, RotateInput};
use model::Secret;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) fn routes() -> Routes {
    Routes::at("/api/v1/app/{app_id}/endpoint/{endpoint_id}/secret")
        .get(
            application(
                "v1.endpoint.get-secret",
                "What its deliveries are verified with",
            )
            .shows_a_secret(),
            owner::get_secret::<OfApplication>,
        )
        .and_at("/api/v1/app/{app_id}/endpoint/{endpoint_id}/secret/rotate")
        .post(
            application(
                "v1.endpoint.rotate-secret",
                "Gives it a new secret; the old one signs too for a while",
            )
            .needs(Capability::ManageEndpointSecret),
            owner::rotate::<OfApplication>,
        )
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EndpointSecretRotateIn")]
pub(crate) struct RotateIn {
    #[schemars(with = "Option<bounds::AnySecret>")]
    key: Option<String>,
    #[schemars(range(max = GRACE_MAX.as_secs()))]
    grace_period_seconds: Option<u32>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "EndpointSecretOut")]
pub(crate) struct SecretOut {
    key: String,
}

impl From<RotateIn> for RotateInput {
    fn from(body: RotateIn) -> Self {
        Self {
            key: body.key.map(Secret::from),
            grace_seconds: body.grace_period_seconds,
        }
    }
}

impl SecretOut {
    pub(crate) fn of(secret: &Secret) -> Result<Self, AppError> {
        let text = std::str::from_utf8(secret.expose());
        let text = text.map_err(|error| AppError::Internal(error.into()))?;
        Ok(Self {
            key: text.to_owned(),
        })
    }
}
