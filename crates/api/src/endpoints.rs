//! Endpoints: shapes, routes, handlers. Headers and secrets have files of their own.

mod headers;
mod secrets;

use crate::Shared;
use crate::authentication::Authenticated;
use crate::body::Call;
use crate::query::{FromQuery, Pairs, Query};
use crate::render::{Answer, ListOut, Time, patch, saved_status};
use crate::segments::Segments;
use app::endpoints::{EndpointInput, EndpointPatch, HeadersInput, NewEndpointInput};
use app::{AppError, ListInput, Patch};
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use model::Secret;
use model::application::Metadata;
use model::endpoint::Endpoint;
use model::id::EndpointKind;
use model::name::Name;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU16;

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/api/v1/app/{app_id}/endpoint", get(list).post(create))
        .route(
            "/api/v1/app/{app_id}/endpoint/{endpoint_id}",
            get(get_one).put(put).patch(patch_one).delete(delete),
        )
        .merge(headers::routes())
        .merge(secrets::routes())
}

/// An endpoint as a client writes it, whole.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EndpointIn {
    url: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    disabled: bool,
    #[serde(alias = "filterTypes")]
    event_types: Option<Vec<String>>,
    channels: Option<Vec<String>>,
    throttle_rate: Option<u16>,
    rate_limit: Option<u16>,
    uid: Option<String>,
    metadata: Option<Metadata>,
    #[serde(default = "first_version")]
    version: u16,
    /// Only looked at when it is new.
    secret: Option<String>,
    /// Only looked at when it is new.
    headers: Option<BTreeMap<String, String>>,
}

fn first_version() -> u16 {
    1
}

impl From<EndpointIn> for EndpointInput {
    fn from(body: EndpointIn) -> Self {
        Self {
            url: body.url,
            description: body.description,
            disabled: body.disabled,
            event_types: body.event_types,
            channels: body.channels,
            throttle_rate: body.throttle_rate,
            rate_limit: body.rate_limit,
            uid: body.uid,
            metadata: body.metadata.unwrap_or_default(),
            version: body.version,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct EndpointPatchIn {
    #[serde(deserialize_with = "patch")]
    url: Patch<String>,
    #[serde(deserialize_with = "patch")]
    description: Patch<String>,
    #[serde(deserialize_with = "patch")]
    disabled: Patch<bool>,
    #[serde(deserialize_with = "patch", alias = "filterTypes")]
    event_types: Patch<Option<Vec<String>>>,
    #[serde(deserialize_with = "patch")]
    channels: Patch<Option<Vec<String>>>,
    #[serde(deserialize_with = "patch")]
    throttle_rate: Patch<Option<u16>>,
    #[serde(deserialize_with = "patch")]
    rate_limit: Patch<Option<u16>>,
    #[serde(deserialize_with = "patch")]
    uid: Patch<Option<String>>,
    #[serde(deserialize_with = "patch")]
    metadata: Patch<Option<Metadata>>,
    #[serde(deserialize_with = "patch")]
    version: Patch<u16>,
}

impl From<EndpointPatchIn> for EndpointPatch {
    fn from(body: EndpointPatchIn) -> Self {
        Self {
            url: body.url,
            description: body.description,
            disabled: body.disabled,
            event_types: body.event_types,
            channels: body.channels,
            throttle_rate: body.throttle_rate,
            rate_limit: body.rate_limit,
            uid: body.uid,
            metadata: body.metadata.map(Option::unwrap_or_default),
            version: body.version,
        }
    }
}

/// An endpoint as clients see it. Also a part of other answers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EndpointOut {
    id: String,
    uid: Option<String>,
    url: String,
    description: String,
    disabled: bool,
    version: u16,
    event_types: Option<BTreeSet<String>>,
    filter_types: Option<BTreeSet<String>>,
    channels: Option<BTreeSet<String>>,
    rate_limit: Option<u16>,
    throttle_rate: Option<u16>,
    metadata: Metadata,
    created_at: Time,
    updated_at: Time,
}

impl From<Endpoint> for EndpointOut {
    fn from(endpoint: Endpoint) -> Self {
        let event_types = endpoint.event_types.map(texts);
        let rate = endpoint.rate_limit.map(NonZeroU16::get);
        Self {
            id: endpoint.id.to_string(),
            uid: endpoint.uid.map(|uid| uid.to_string()),
            url: endpoint.url,
            description: endpoint.description,
            disabled: endpoint.disabled,
            version: endpoint.version,
            filter_types: event_types.clone(),
            event_types,
            channels: endpoint.channels.map(texts),
            rate_limit: rate,
            throttle_rate: rate,
            metadata: endpoint.metadata,
            created_at: Time(endpoint.created_at),
            updated_at: Time(endpoint.updated_at),
        }
    }
}

fn texts(names: BTreeSet<Name>) -> BTreeSet<String> {
    names.iter().map(Name::to_string).collect()
}

struct ListQuery(ListInput);

impl FromQuery for ListQuery {
    fn from_query(query: &Pairs) -> Result<Self, AppError> {
        Ok(Self(query.list()?.checked::<EndpointKind>()?))
    }
}

async fn list(
    State(api): State<Shared>,
    Segments(app_id): Segments<String>,
    Query(ListQuery(input)): Query<ListQuery>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<ListOut<EndpointOut>>> {
    let tenant = api.app.application(&caller, &app_id).await?;
    let page = api.app.endpoints(&tenant, &input)?;
    Ok(Json(page.map(EndpointOut::from).into()))
}

async fn create(
    State(api): State<Shared>,
    Segments(app_id): Segments<String>,
    call: Call,
) -> Answer<(StatusCode, Json<EndpointOut>)> {
    let tenant = api.app.application(&call.caller, &app_id).await?;
    let mut body: EndpointIn = call.json()?;
    let new = NewEndpointInput {
        secret: body.secret.take().map(Secret::from),
        headers: body.headers.take().map(HeadersInput),
    };
    let made = api
        .app
        .create_endpoint(&call.caller, &tenant, body.into(), new)
        .await?;
    Ok((saved_status(&made), Json(made.value.into())))
}

async fn get_one(
    State(api): State<Shared>,
    Segments((app_id, endpoint_id)): Segments<(String, String)>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<EndpointOut>> {
    let tenant = api.app.application(&caller, &app_id).await?;
    Ok(Json(api.app.endpoint(&tenant, &endpoint_id)?.into()))
}

async fn put(
    State(api): State<Shared>,
    Segments((app_id, endpoint_id)): Segments<(String, String)>,
    call: Call,
) -> Answer<(StatusCode, Json<EndpointOut>)> {
    let tenant = api.app.application(&call.caller, &app_id).await?;
    let body: EndpointIn = call.json()?;
    let put = api
        .app
        .put_endpoint(&call.caller, &tenant, &endpoint_id, body.into())
        .await?;
    Ok((saved_status(&put), Json(put.value.into())))
}

async fn patch_one(
    State(api): State<Shared>,
    Segments((app_id, endpoint_id)): Segments<(String, String)>,
    call: Call,
) -> Answer<Json<EndpointOut>> {
    let tenant = api.app.application(&call.caller, &app_id).await?;
    api.app.endpoint(&tenant, &endpoint_id)?;
    let body: EndpointPatchIn = call.json()?;
    let patched = api
        .app
        .patch_endpoint(&call.caller, &tenant, &endpoint_id, body.into());
    Ok(Json(patched.await?.into()))
}

async fn delete(
    State(api): State<Shared>,
    Segments((app_id, endpoint_id)): Segments<(String, String)>,
    Authenticated(caller): Authenticated,
) -> Answer<StatusCode> {
    let tenant = api.app.application(&caller, &app_id).await?;
    api.app
        .delete_endpoint(&caller, &tenant, &endpoint_id)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
