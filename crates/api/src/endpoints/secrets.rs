//! An endpoint's signing secret: shapes, routes, handlers. The only place where the API shows a
//! secret, because whoever verifies needs it.

use crate::Shared;
use crate::authentication::Authenticated;
use crate::body::Call;
use crate::render::Answer;
use crate::segments::Segments;
use app::AppError;
use app::endpoints::RotateInput;
use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use model::Secret;
use serde::{Deserialize, Serialize};

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route(
            "/api/v1/app/{app_id}/endpoint/{endpoint_id}/secret",
            get(get_secret),
        )
        .route(
            "/api/v1/app/{app_id}/endpoint/{endpoint_id}/secret/rotate",
            post(rotate),
        )
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RotateIn {
    key: Option<String>,
    grace_period_seconds: Option<u32>,
}

#[derive(Serialize)]
struct SecretOut {
    key: String,
}

impl SecretOut {
    fn of(secret: &Secret) -> Result<Self, AppError> {
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
    call: Call,
) -> Answer<Json<SecretOut>> {
    let tenant = api.app.application(&call.caller, &app_id).await?;
    api.app.endpoint(&tenant, &endpoint_id)?;
    let body: RotateIn = call.json()?;
    let input = RotateInput {
        key: body.key.map(Secret::from),
        grace_seconds: body.grace_period_seconds,
    };
    let secret = api
        .app
        .rotate_secret(&call.caller, &tenant, &endpoint_id, input)
        .await?;
    Ok(Json(SecretOut::of(&secret)?))
}
