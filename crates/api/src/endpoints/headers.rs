//! An endpoint's headers: shapes, routes, handlers.

use crate::Shared;
use crate::authentication::Authenticated;
use crate::body::Call;
use crate::render::Answer;
use crate::segments::Segments;
use app::endpoints::{HeadersInput, HeadersPatch};
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn routes() -> Router<Shared> {
    Router::new().route(
        "/api/v1/app/{app_id}/endpoint/{endpoint_id}/headers",
        get(get_all).put(put_all).patch(patch_some),
    )
}

#[derive(Deserialize)]
struct HeadersIn {
    headers: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HeadersPatchIn {
    headers: BTreeMap<String, Option<String>>,
    #[serde(default)]
    delete_headers: Option<Vec<String>>,
}

#[derive(Serialize)]
struct HeadersOut {
    headers: BTreeMap<String, String>,
    sensitive: BTreeSet<String>,
}

async fn get_all(
    State(api): State<Shared>,
    Segments((app_id, endpoint_id)): Segments<(String, String)>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<HeadersOut>> {
    let tenant = api.app.application(&caller, &app_id).await?;
    let view = api.app.headers(&tenant, &endpoint_id)?;
    Ok(Json(HeadersOut {
        headers: view.headers,
        sensitive: view.sensitive,
    }))
}

async fn put_all(
    State(api): State<Shared>,
    Segments((app_id, endpoint_id)): Segments<(String, String)>,
    call: Call,
) -> Answer<StatusCode> {
    let tenant = api.app.application(&call.caller, &app_id).await?;
    api.app.endpoint(&tenant, &endpoint_id)?;
    let body: HeadersIn = call.json()?;
    let input = HeadersInput(body.headers);
    api.app
        .put_headers(&call.caller, &tenant, &endpoint_id, input)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn patch_some(
    State(api): State<Shared>,
    Segments((app_id, endpoint_id)): Segments<(String, String)>,
    call: Call,
) -> Answer<StatusCode> {
    let tenant = api.app.application(&call.caller, &app_id).await?;
    api.app.endpoint(&tenant, &endpoint_id)?;
    let body: HeadersPatchIn = call.json()?;
    let patch = HeadersPatch {
        headers: body.headers,
        delete: body.delete_headers.unwrap_or_default(),
    };
    api.app
        .patch_headers(&call.caller, &tenant, &endpoint_id, patch)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
