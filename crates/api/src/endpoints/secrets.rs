//! An endpoint's signing secret: shapes, routes, handlers. The only place where the API shows
//! one, because whoever verifies needs it.

use crate::Shared;
use crate::authentication::Authenticated;
use crate::body::Call;
use crate::bounds;
use crate::operation::{Routes, application};
use crate::render::Answer;
use crate::segments::Segments;
use app::AppError;
use app::access::limits::Capability;
use app::endpoints::{GRACE_MAX, RotateInput};
use axum::Json;
use axum::extract::State;
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
            get_secret,
        )
        .and_at("/api/v1/app/{app_id}/endpoint/{endpoint_id}/secret/rotate")
        .post(
            application(
                "v1.endpoint.rotate-secret",
                "Gives it a new secret; the old one signs too for a while",
            )
            .needs(Capability::ManageEndpointSecret),
            rotate,
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

async fn get_secret(
    State(api): State<Shared>,
    Segments((app_id, endpoint_id)): Segments<(String, String)>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<SecretOut>> {
    let tenant = api.app.application(&caller, &app_id).await?;
    let secret = api.app.secret(&caller, &tenant, &endpoint_id)?;
    Ok(Json(SecretOut::of(&secret)?))
}

async fn rotate(
    State(api): State<Shared>,
    Segments((app_id, endpoint_id)): Segments<(String, String)>,
    call: Call<RotateIn>,
) -> Answer<Json<SecretOut>> {
    let tenant = api.app.application(&call.caller, &app_id).await?;
    api.app.endpoint(&tenant, &endpoint_id)?;
    let input = call.json()?.into();
    let secret = api
        .app
        .rotate_secret(&call.caller, &tenant, &endpoint_id, input)
        .await?;
    Ok(Json(SecretOut::of(&secret)?))
}
