//! Event types from OpenAPI documents: shapes, routes, handlers.

use crate::Shared;
use crate::background::begun;
use crate::body::{BodyLimit, Call, NoBody};
use crate::bounds::Word;
use crate::operation::{Routes, organisation};
use crate::render::{Accepted, Answer};
use app::AppError;
use app::event_types::{ImportInput, Imported};
use axum::Json;
use axum::extract::State;
use model::event_type::EventType;
use model::name::Name;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// The largest document with what surrounds it: GitHub's, with all of its webhooks, would fit.
const IMPORT_BYTES_MAX: usize = 16 << 20;

pub(super) fn routes() -> Routes {
    Routes::at("/api/v1/event-type/export/openapi")
        .post(
            organisation(
                "v1.event-type.export-openapi",
                "Begins to write an OpenAPI document of all event types",
            ),
            export,
        )
        .and_at("/api/v1/event-type/import/openapi")
        .post_with_limit(
            organisation(
                "v1.event-type.import-openapi",
                "Makes event types of an OpenAPI document's webhooks, or writes them anew",
            ),
            BodyLimit(IMPORT_BYTES_MAX),
            import,
        )
}

/// An OpenAPI document whose webhooks are to be event types: either as `spec` or as `specRaw`.
/// They are those under `webhooks`, or before OpenAPI 3.1 under `x-webhooks`. References lead to
/// parts of the document itself; nothing is fetched.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct EventTypeImportOpenApiIn {
    /// The document.
    spec: Option<Map<String, Value>>,
    /// The document as text, JSON or YAML.
    spec_raw: Option<String>,
    /// Archive the event types that are not in the document.
    #[serde(default)]
    replace_all: bool,
    /// Only say what would be done.
    #[serde(default)]
    dry_run: bool,
}

impl From<EventTypeImportOpenApiIn> for ImportInput {
    fn from(body: EventTypeImportOpenApiIn) -> Self {
        Self {
            spec: body.spec,
            spec_raw: body.spec_raw,
            replace_all: body.replace_all,
            dry_run: body.dry_run,
        }
    }
}

#[derive(Serialize, JsonSchema)]
struct EventTypeImportOpenApiOut {
    data: EventTypeImportOpenApiOutData,
}

/// What was done. Of a dry run, what would be: then `modified` is empty, and `to_modify` is there.
#[derive(Serialize, JsonSchema)]
struct EventTypeImportOpenApiOutData {
    /// The event types that were made or written anew.
    #[schemars(with = "Vec<Word>")]
    modified: Vec<String>,
    /// The event types that would be made or written anew, as they would be.
    to_modify: Option<Vec<EventTypeFromOpenApi>>,
    /// Those that are new.
    #[schemars(with = "Vec<Word>")]
    created: Vec<String>,
    /// Those that were there, and changed.
    #[schemars(with = "Vec<Word>")]
    updated: Vec<String>,
    /// Those that were as the document has them.
    #[schemars(with = "Vec<Word>")]
    unchanged: Vec<String>,
    /// Those that are not in the document, and archived for it.
    #[schemars(with = "Vec<Word>")]
    archived: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct EventTypeFromOpenApi {
    #[schemars(with = "Word")]
    name: String,
    description: String,
    deprecated: bool,
    #[schemars(with = "Option<Map<String, Value>>")]
    schemas: Option<Box<RawValue>>,
    #[schemars(with = "Option<Word>")]
    group_name: Option<String>,
    #[schemars(with = "Option<Vec<Word>>")]
    feature_flags: Option<Vec<String>>,
}

impl EventTypeImportOpenApiOutData {
    fn new(imported: Imported, dry_run: bool) -> Result<Self, AppError> {
        let written = || imported.created.iter().chain(&imported.updated);
        let names = |event_types: &[EventType]| {
            let names = event_types
                .iter()
                .map(|event_type| event_type.name.to_string());
            names.collect()
        };
        let words = |names: &[Name]| names.iter().map(Name::to_string).collect();
        let mut modified: Vec<String> = match dry_run {
            true => Vec::new(),
            false => written()
                .map(|event_type| event_type.name.to_string())
                .collect(),
        };
        modified.sort_unstable();
        let to_modify = dry_run.then(|| written().map(EventTypeFromOpenApi::new).collect());
        Ok(Self {
            modified,
            to_modify: to_modify.transpose()?,
            created: names(&imported.created),
            updated: names(&imported.updated),
            unchanged: words(&imported.unchanged),
            archived: words(&imported.archived),
        })
    }
}

impl EventTypeFromOpenApi {
    fn new(event_type: &EventType) -> Result<Self, AppError> {
        let schemas = event_type.schemas.clone().map(RawValue::from_string);
        let flags: Vec<String> = event_type
            .feature_flags
            .iter()
            .map(Name::to_string)
            .collect();
        Ok(Self {
            name: event_type.name.to_string(),
            description: event_type.description.clone(),
            deprecated: event_type.deprecated,
            schemas: schemas
                .transpose()
                .map_err(|error| AppError::Internal(error.into()))?,
            group_name: event_type.group_name.as_ref().map(Name::to_string),
            feature_flags: Some(flags).filter(|flags| !flags.is_empty()),
        })
    }
}

begun! {
    /// An export that was begun. Its background work has the document, once it is finished, as its
    /// data's `spec`.
    ExportEventTypeOut;
}

async fn export(
    State(api): State<Shared>,
    call: Call<NoBody>,
) -> Answer<Accepted<Json<ExportEventTypeOut>>> {
    let task = api.app.export_event_types(&call.caller).await?;
    Ok(Accepted(Json(task.into())))
}

async fn import(
    State(api): State<Shared>,
    call: Call<EventTypeImportOpenApiIn>,
) -> Answer<Json<EventTypeImportOpenApiOut>> {
    call.caller.require_organisation()?;
    let body = call.json()?;
    let dry_run = body.dry_run;
    let imported = api
        .app
        .import_event_types(&call.caller, body.into())
        .await?;
    let data = EventTypeImportOpenApiOutData::new(imported, dry_run)?;
    Ok(Json(EventTypeImportOpenApiOut { data }))
}
