//! The whole installation: its settings, what is demanded of endpoints, and carrying settings with
//! the event types to another.

mod policy;
mod settings;

use crate::Shared;
use crate::authentication::Authenticated;
use crate::body::{BodyLimit, Call};
use crate::bounds::Nothing;
use crate::event_types::{EventTypeIn, EventTypeOut, In};
use crate::operation::{Routes, organisation};
use crate::render::{Answer, NoContent, Time};
use app::AppError;
use app::environment::Extent;
use app::environment::carry::{Exported, ImportInput};
use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use settings::{SettingsIn, SettingsOut};

/// The largest import, in bytes: as the largest batch of messages.
const IMPORT_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The form that an export has.
const VERSION: u32 = 1;

pub(crate) fn routes() -> Routes {
    Routes::at("/api/v1/environment/settings")
        .get(
            organisation("v1.environment.get-settings", "The installation's settings"),
            get_settings,
        )
        .put(
            organisation(
                "v1.environment.update-settings",
                "Writes the settings anew: those that are not given become what they were at first",
            ),
            put_settings,
        )
        .patch(
            organisation("v1.environment.patch-settings", "Changes what is given"),
            patch_settings,
        )
        .and_at("/api/v1/environment/export")
        .post(
            organisation("v1.environment.export", "All settings and event types").only_looks(),
            export,
        )
        .and_at("/api/v1/environment/import")
        .post_with_limit(
            organisation(
                "v1.environment.import",
                "Writes settings and event types, all of them or none; deletes nothing",
            ),
            BodyLimit(IMPORT_BYTES_MAX),
            import,
        )
        .merge(policy::routes())
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct EnvironmentIn {
    /// Each is made, or written anew.
    event_types: Option<Vec<EventTypeIn<In>>>,
    /// What is not named stays as it is.
    settings: Option<SettingsIn>,
    /// None: they are not built.
    #[schemars(with = "Option<Nothing>")]
    connectors: Option<Vec<Box<RawValue>>>,
}

impl From<EnvironmentIn> for ImportInput {
    fn from(body: EnvironmentIn) -> Self {
        let types = body.event_types.unwrap_or_default();
        let named = |mut event_type: EventTypeIn<In>| {
            let In(name) = std::mem::take(&mut event_type.name);
            (name, event_type.into())
        };
        Self {
            event_types: types.into_iter().map(named).collect(),
            settings: body.settings.map(|SettingsIn(map)| map).unwrap_or_default(),
            connectors: body.connectors.map_or(0, |list| list.len()),
        }
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct EnvironmentOut {
    /// The form of this.
    version: u32,
    created_at: Time,
    /// Archived ones too.
    event_types: Vec<EventTypeOut>,
    settings: Map<String, Value>,
    /// None: they are not built.
    #[schemars(with = "Nothing")]
    connectors: Vec<Value>,
}

impl EnvironmentOut {
    fn new(exported: Exported) -> Result<Self, AppError> {
        let types = exported.event_types.into_iter().map(EventTypeOut::new);
        Ok(Self {
            version: VERSION,
            created_at: Time(exported.created_at),
            event_types: types.collect::<Result<_, _>>()?,
            settings: exported.settings.all(),
            connectors: Vec::new(),
        })
    }
}

async fn get_settings(
    State(api): State<Shared>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<SettingsOut>> {
    let settings = api.app.environment_settings(&caller).await?;
    Ok(Json(SettingsOut::new(&settings)?))
}

async fn put_settings(
    State(api): State<Shared>,
    call: Call<SettingsIn>,
) -> Answer<Json<SettingsOut>> {
    Ok(Json(set(&api, &call, Extent::All).await?))
}

async fn patch_settings(
    State(api): State<Shared>,
    call: Call<SettingsIn>,
) -> Answer<Json<SettingsOut>> {
    Ok(Json(set(&api, &call, Extent::Some).await?))
}

async fn set(api: &Shared, call: &Call<SettingsIn>, extent: Extent) -> Answer<SettingsOut> {
    call.caller.require_organisation()?;
    let SettingsIn(input) = call.json()?;
    let set = api
        .app
        .set_environment_settings(&call.caller, input, extent);
    Ok(SettingsOut::new(&set.await?)?)
}

async fn export(
    State(api): State<Shared>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<EnvironmentOut>> {
    let exported = api.app.export_environment(&caller).await?;
    Ok(Json(EnvironmentOut::new(exported)?))
}

async fn import(State(api): State<Shared>, call: Call<EnvironmentIn>) -> Answer<NoContent> {
    call.caller.require_organisation()?;
    let body = call.json()?;
    api.app
        .import_environment(&call.caller, body.into())
        .await?;
    Ok(NoContent)
}
