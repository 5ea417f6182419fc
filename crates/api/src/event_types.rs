//! Event types: shapes, routes, handlers.

use crate::Shared;
use crate::authentication::Authenticated;
use crate::body::Call;
use crate::query::{FromQuery, Pairs, Query};
use crate::render::{Answer, ListOut, Time, patch, saved_status};
use crate::segments::Segments;
use app::event_types::{EventTypeInput, EventTypePatch, EventTypesInput};
use app::{AppError, Patch};
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use model::event_type::EventType;
use model::name::Name;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/api/v1/event-type", get(list).post(create))
        .route(
            "/api/v1/event-type/{event_type_name}",
            get(get_one).put(put).patch(patch_one).delete(delete),
        )
}

/// An event type as a client writes it, whole. `N` is its name: a text where the body must have it,
/// [`Unread`] where the path does.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventTypeIn<N> {
    name: N,
    description: String,
    #[serde(default)]
    archived: bool,
    #[serde(default)]
    deprecated: bool,
    schemas: Option<Map<String, Value>>,
    feature_flag: Option<String>,
    feature_flags: Option<Vec<String>>,
    group_name: Option<String>,
}

/// Whatever it is, or nothing.
type Unread = Option<IgnoredAny>;

impl<N> From<EventTypeIn<N>> for EventTypeInput {
    fn from(body: EventTypeIn<N>) -> Self {
        Self {
            description: body.description,
            archived: body.archived,
            deprecated: body.deprecated,
            schemas: body.schemas,
            feature_flag: body.feature_flag,
            feature_flags: body.feature_flags,
            group_name: body.group_name,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct EventTypePatchIn {
    #[serde(deserialize_with = "patch")]
    description: Patch<String>,
    #[serde(deserialize_with = "patch")]
    archived: Patch<bool>,
    #[serde(deserialize_with = "patch")]
    deprecated: Patch<bool>,
    #[serde(deserialize_with = "patch")]
    schemas: Patch<Option<Map<String, Value>>>,
    #[serde(deserialize_with = "patch")]
    feature_flag: Patch<Option<String>>,
    #[serde(deserialize_with = "patch")]
    feature_flags: Patch<Option<Vec<String>>>,
    #[serde(deserialize_with = "patch")]
    group_name: Patch<Option<String>>,
}

impl From<EventTypePatchIn> for EventTypePatch {
    fn from(body: EventTypePatchIn) -> Self {
        Self {
            description: body.description,
            archived: body.archived,
            deprecated: body.deprecated,
            schemas: body.schemas,
            feature_flag: body.feature_flag,
            feature_flags: body.feature_flags,
            group_name: body.group_name,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EventTypeOut {
    name: String,
    description: String,
    archived: bool,
    deprecated: bool,
    schemas: Option<Box<RawValue>>,
    feature_flag: Option<String>,
    feature_flags: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_name: Option<String>,
    created_at: Time,
    updated_at: Time,
}

impl EventTypeOut {
    fn new(event_type: EventType) -> Result<Self, AppError> {
        let schemas = event_type.schemas.map(RawValue::from_string).transpose();
        let feature_flags: Vec<String> = event_type
            .feature_flags
            .iter()
            .map(Name::to_string)
            .collect();
        Ok(Self {
            name: event_type.name.to_string(),
            description: event_type.description,
            archived: event_type.archived,
            deprecated: event_type.deprecated,
            schemas: schemas.map_err(|error| AppError::Internal(error.into()))?,
            feature_flag: feature_flags.first().cloned(),
            feature_flags,
            group_name: event_type.group_name.map(|name| name.to_string()),
            created_at: Time(event_type.created_at),
            updated_at: Time(event_type.updated_at),
        })
    }
}

impl FromQuery for EventTypesInput {
    fn from_query(query: &Pairs) -> Result<Self, AppError> {
        Ok(Self {
            list: query.list()?.checked_by_name()?,
            include_archived: query.flag("include_archived")?.unwrap_or_default(),
            with_schemas: query.flag("with_content")?.unwrap_or_default(),
        })
    }
}

struct DeleteQuery {
    expunge: bool,
}

impl FromQuery for DeleteQuery {
    fn from_query(query: &Pairs) -> Result<Self, AppError> {
        let expunge = query.flag("expunge")?.unwrap_or_default();
        Ok(Self { expunge })
    }
}

async fn list(
    State(api): State<Shared>,
    Query(input): Query<EventTypesInput>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<ListOut<EventTypeOut>>> {
    let page = api.app.event_types(&caller, &input).await?;
    Ok(Json(page.try_map(EventTypeOut::new)?.into()))
}

async fn create(State(api): State<Shared>, call: Call) -> Answer<(StatusCode, Json<EventTypeOut>)> {
    call.caller.require_organisation()?;
    let mut body: EventTypeIn<String> = call.json()?;
    let name = std::mem::take(&mut body.name);
    let made = api
        .app
        .create_event_type(&call.caller, &name, body.into())
        .await?;
    Ok((StatusCode::CREATED, Json(EventTypeOut::new(made)?)))
}

async fn get_one(
    State(api): State<Shared>,
    Segments(name): Segments<String>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<EventTypeOut>> {
    let found = api.app.event_type(&caller, &name).await?;
    Ok(Json(EventTypeOut::new(found)?))
}

async fn put(
    State(api): State<Shared>,
    Segments(name): Segments<String>,
    call: Call,
) -> Answer<(StatusCode, Json<EventTypeOut>)> {
    call.caller.require_organisation()?;
    let body: EventTypeIn<Unread> = call.json()?;
    let put = api
        .app
        .put_event_type(&call.caller, &name, body.into())
        .await?;
    Ok((saved_status(&put), Json(EventTypeOut::new(put.value)?)))
}

async fn patch_one(
    State(api): State<Shared>,
    Segments(name): Segments<String>,
    call: Call,
) -> Answer<Json<EventTypeOut>> {
    api.app.event_type_to_change(&call.caller, &name).await?;
    let body: EventTypePatchIn = call.json()?;
    let patched = api
        .app
        .patch_event_type(&call.caller, &name, body.into())
        .await?;
    Ok(Json(EventTypeOut::new(patched)?))
}

async fn delete(
    State(api): State<Shared>,
    Segments(name): Segments<String>,
    Query(query): Query<DeleteQuery>,
    Authenticated(caller): Authenticated,
) -> Answer<StatusCode> {
    api.app
        .delete_event_type(&caller, &name, query.expunge)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
