//! Applications: shapes, routes, handlers.

use crate::Shared;
use crate::authentication::Authenticated;
use crate::body::Call;
use crate::query::{FromQuery, Pairs, Query};
use crate::render::{Answer, ListOut, Time, patch, saved_status};
use crate::segments::Segments;
use app::applications::{ApplicationInput, ApplicationPatch, ApplicationsInput};
use app::{AppError, Patch};
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use model::application::{Application, Metadata};
use model::id::ApplicationKind;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU16;

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/api/v1/app", get(list).post(create))
        .route(
            "/api/v1/app/{app_id}",
            get(get_one).put(put).patch(patch_one).delete(delete),
        )
}

/// An application as a client writes it, whole. Also embedded in other requests.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApplicationIn {
    name: String,
    uid: Option<String>,
    throttle_rate: Option<u16>,
    rate_limit: Option<u16>,
    metadata: Option<Metadata>,
}

impl From<ApplicationIn> for ApplicationInput {
    fn from(body: ApplicationIn) -> Self {
        Self {
            name: body.name,
            uid: body.uid,
            throttle_rate: body.throttle_rate,
            rate_limit: body.rate_limit,
            metadata: body.metadata.unwrap_or_default(),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ApplicationPatchIn {
    #[serde(deserialize_with = "patch")]
    name: Patch<String>,
    #[serde(deserialize_with = "patch")]
    uid: Patch<Option<String>>,
    #[serde(deserialize_with = "patch")]
    throttle_rate: Patch<Option<u16>>,
    #[serde(deserialize_with = "patch")]
    rate_limit: Patch<Option<u16>>,
    #[serde(deserialize_with = "patch")]
    metadata: Patch<Option<Metadata>>,
}

impl From<ApplicationPatchIn> for ApplicationPatch {
    fn from(body: ApplicationPatchIn) -> Self {
        Self {
            name: body.name,
            uid: body.uid,
            throttle_rate: body.throttle_rate,
            rate_limit: body.rate_limit,
            metadata: body.metadata.map(Option::unwrap_or_default),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ApplicationOut {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<String>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_limit: Option<u16>,
    throttle_rate: Option<u16>,
    metadata: Metadata,
    created_at: Time,
    updated_at: Time,
}

impl From<Application> for ApplicationOut {
    fn from(application: Application) -> Self {
        let rate = application.rate_limit.map(NonZeroU16::get);
        Self {
            id: application.id.to_string(),
            uid: application.uid.map(|uid| uid.to_string()),
            name: application.name,
            rate_limit: rate,
            throttle_rate: rate,
            metadata: application.metadata,
            created_at: Time(application.created_at),
            updated_at: Time(application.updated_at),
        }
    }
}

struct CreateQuery {
    get_if_exists: bool,
}

impl FromQuery for CreateQuery {
    fn from_query(query: &Pairs) -> Result<Self, AppError> {
        let get_if_exists = query.flag("get_if_exists")?.unwrap_or_default();
        Ok(Self { get_if_exists })
    }
}

impl FromQuery for ApplicationsInput {
    fn from_query(query: &Pairs) -> Result<Self, AppError> {
        let flag = |name| Ok::<_, AppError>(query.flag(name)?.unwrap_or_default());
        Ok(Self {
            list: query.list()?.checked::<ApplicationKind>()?,
            exclude_without_endpoints: flag("exclude_apps_with_no_endpoints")?,
            exclude_with_disabled_endpoints: flag("exclude_apps_with_disabled_endpoints")?,
        })
    }
}

async fn list(
    State(api): State<Shared>,
    Query(input): Query<ApplicationsInput>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<ListOut<ApplicationOut>>> {
    let page = api.app.applications(&caller, &input).await?;
    Ok(Json(page.map(ApplicationOut::from).into()))
}

async fn create(
    State(api): State<Shared>,
    Query(query): Query<CreateQuery>,
    call: Call,
) -> Answer<(StatusCode, Json<ApplicationOut>)> {
    call.caller.require_organisation()?;
    let body: ApplicationIn = call.json()?;
    let made = api
        .app
        .create_application(&call.caller, body.into(), query.get_if_exists);
    let made = made.await?;
    Ok((saved_status(&made), Json(made.value.into())))
}

async fn get_one(
    State(api): State<Shared>,
    Segments(path): Segments<String>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<ApplicationOut>> {
    let found = api.app.application(&caller, &path).await?;
    Ok(Json(found.application().clone().into()))
}

async fn put(
    State(api): State<Shared>,
    Segments(path): Segments<String>,
    call: Call,
) -> Answer<(StatusCode, Json<ApplicationOut>)> {
    call.caller.require_organisation()?;
    let found = api.app.find_application(&call.caller, &path).await?;
    let body: ApplicationIn = call.json()?;
    let put = api
        .app
        .put_application(&call.caller, found.as_ref(), body.into())
        .await?;
    Ok((saved_status(&put), Json(put.value.into())))
}

async fn patch_one(
    State(api): State<Shared>,
    Segments(path): Segments<String>,
    call: Call,
) -> Answer<Json<ApplicationOut>> {
    let found = api
        .app
        .application_for_organisation(&call.caller, &path)
        .await?;
    let body: ApplicationPatchIn = call.json()?;
    let patched = api
        .app
        .patch_application(&call.caller, &found, body.into())
        .await?;
    Ok(Json(patched.into()))
}

async fn delete(
    State(api): State<Shared>,
    Segments(path): Segments<String>,
    Authenticated(caller): Authenticated,
) -> Answer<StatusCode> {
    let found = api.app.application_for_organisation(&caller, &path).await?;
    api.app.delete_application(&caller, &found).await?;
    Ok(StatusCode::NO_CONTENT)
}
