//! Event types: shapes, routes, handlers.

mod openapi;
mod redaction;
mod retry_schedule;

pub(crate) use redaction::CarriedRedaction;
pub(crate) use retry_schedule::{Wait, Waits};

use crate::Shared;
use crate::authentication::Authenticated;
use crate::body::Call;
use crate::bounds::{Schemas, Text, Word};
use crate::operation::{Routes, anybody, organisation};
use crate::query::{FromQuery, Pairs, Query};
use crate::render::{Answer, Created, Field, ListOut, NoContent, SavedOut, Time};
use crate::segments::Segments;
use app::AppError;
use app::event_types::{EventTypeInput, EventTypePatch, EventTypesInput};
use axum::Json;
use axum::extract::State;
use model::event_type::EventType;
use model::name::Name;
use schemars::{JsonSchema, Schema};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

pub(crate) fn routes() -> Routes {
    Routes::at("/api/v1/event-type")
        .get(
            anybody(
                "v1.event-type.list",
                "Event types by name, those that the caller sees",
            ),
            list,
        )
        .post(
            organisation("v1.event-type.create", "Makes an event type"),
            create,
        )
        .and_at("/api/v1/event-type/{event_type_name}")
        .get(anybody("v1.event-type.get", "An event type"), get_one)
        .put(
            organisation(
                "v1.event-type.update",
                "Writes an event type anew, or makes it",
            ),
            put,
        )
        .patch(
            organisation("v1.event-type.patch", "Changes what is given"),
            patch_one,
        )
        .delete(
            organisation(
                "v1.event-type.delete",
                "Archives an event type, or removes it",
            ),
            delete,
        )
        .merge(openapi::routes())
        .merge(redaction::routes())
        .merge(retry_schedule::routes())
}

// `N` says where its name is: in the body, or in the path.
/// An event type as a client writes it, whole.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EventType{N}", transform = N::show)]
pub(crate) struct EventTypeIn<N: Naming> {
    pub(crate) name: N,
    #[schemars(with = "Text")]
    description: String,
    #[serde(default)]
    archived: bool,
    #[serde(default)]
    deprecated: bool,
    #[schemars(with = "Option<Schemas>")]
    schemas: Option<Map<String, Value>>,
    #[schemars(with = "Option<Word>")]
    feature_flag: Option<String>,
    #[schemars(with = "Option<Vec<Word>>")]
    feature_flags: Option<Vec<String>>,
    #[schemars(with = "Option<Word>")]
    group_name: Option<String>,
}

/// The body has the name.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct In(#[schemars(with = "Word")] pub(crate) String);

/// The path has it: in the body it may be whatever it is, or not be there.
#[derive(Default, JsonSchema)]
#[schemars(inline)]
struct Update;

impl<'de> Deserialize<'de> for Update {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<IgnoredAny>::deserialize(deserializer).map(|_| Self)
    }
}

/// Where an event type's name is.
pub(crate) trait Naming {
    /// What the document shows of the shape.
    fn show(_: &mut Schema) {}
}

impl Naming for In {}

impl Naming for Update {
    fn show(shape: &mut Schema) {
        if let Some(Value::Object(fields)) = shape.get_mut("properties") {
            fields.remove("name");
        }
        if let Some(Value::Array(required)) = shape.get_mut("required") {
            required.retain(|name| name != "name");
        }
    }
}

impl<N: Naming> From<EventTypeIn<N>> for EventTypeInput {
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

#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(rename = "EventTypePatch")]
struct EventTypePatchIn {
    #[schemars(with = "Field<Text>")]
    description: Field<String>,
    archived: Field<bool>,
    deprecated: Field<bool>,
    #[schemars(with = "Field<Option<Schemas>>")]
    schemas: Field<Option<Map<String, Value>>>,
    #[schemars(with = "Field<Option<Word>>")]
    feature_flag: Field<Option<String>>,
    #[schemars(with = "Field<Option<Vec<Word>>>")]
    feature_flags: Field<Option<Vec<String>>>,
    #[schemars(with = "Field<Option<Word>>")]
    group_name: Field<Option<String>>,
}

impl From<EventTypePatchIn> for EventTypePatch {
    fn from(body: EventTypePatchIn) -> Self {
        Self {
            description: body.description.0,
            archived: body.archived.0,
            deprecated: body.deprecated.0,
            schemas: body.schemas.0,
            feature_flag: body.feature_flag.0,
            feature_flags: body.feature_flags.0,
            group_name: body.group_name.0,
        }
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventTypeOut {
    name: String,
    description: String,
    archived: bool,
    deprecated: bool,
    #[schemars(with = "Option<Map<String, Value>>")]
    schemas: Option<Box<RawValue>>,
    feature_flag: Option<String>,
    feature_flags: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_name: Option<String>,
    created_at: Time,
    updated_at: Time,
}

impl EventTypeOut {
    pub(crate) fn new(event_type: EventType) -> Result<Self, AppError> {
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
            list: query.list_by_name()?,
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

async fn create(
    State(api): State<Shared>,
    call: Call<EventTypeIn<In>>,
) -> Answer<Created<Json<EventTypeOut>>> {
    call.caller.require_organisation()?;
    let mut body = call.json()?;
    let In(name) = std::mem::take(&mut body.name);
    let made = api
        .app
        .create_event_type(&call.caller, &name, body.into())
        .await?;
    Ok(Created(Json(EventTypeOut::new(made)?)))
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
    call: Call<EventTypeIn<Update>>,
) -> Answer<SavedOut<Json<EventTypeOut>>> {
    call.caller.require_organisation()?;
    let body = call.json()?;
    let put = api
        .app
        .put_event_type(&call.caller, &name, body.into())
        .await?;
    Ok(SavedOut::try_of(put, EventTypeOut::new)?)
}

async fn patch_one(
    State(api): State<Shared>,
    Segments(name): Segments<String>,
    call: Call<EventTypePatchIn>,
) -> Answer<Json<EventTypeOut>> {
    api.app.event_type_to_change(&call.caller, &name).await?;
    let body = call.json()?;
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
) -> Answer<NoContent> {
    api.app
        .delete_event_type(&caller, &name, query.expunge)
        .await?;
    Ok(NoContent)
}
