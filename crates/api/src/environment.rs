//! The whole installation: its settings, what is demanded of endpoints, whom security events are
//! told to, and carrying settings with the event types to another.

mod alerts;
mod policy;
mod settings;

use crate::Shared;
use crate::authentication::Authenticated;
use crate::body::{BodyLimit, Call};
use crate::bounds::{Nothing, Schemas, Text, Word};
use crate::event_types::{CarriedRedaction, EventTypeOut, Wait, Waits};
use crate::operation::{Routes, organisation};
use crate::render::{Answer, NoContent, Time};
use app::AppError;
use app::environment::Extent;
use app::environment::beside::{Beside, BesideInput};
use app::environment::carry::{Exported, ImportInput};
use app::event_types::EventTypeInput;
use axum::Json;
use axum::extract::State;
use model::event_type::EventType;
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
        .merge(alerts::routes())
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct EnvironmentIn {
    /// Each is made, or written anew.
    event_types: Option<Vec<CarriedTypeIn>>,
    /// What is not named stays as it is.
    settings: Option<SettingsIn>,
    /// None: they are not built.
    #[schemars(with = "Option<Nothing>")]
    connectors: Option<Vec<Box<RawValue>>>,
}

/// An event type, whole, and what else it is to have. What is null or missing of that stays as it
/// is.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "CarriedEventTypeIn")]
struct CarriedTypeIn {
    #[schemars(with = "Word")]
    name: String,
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
    redaction: Option<CarriedRedaction>,
    /// The waits of a retry schedule of its own.
    #[schemars(with = "Option<Waits>")]
    retry_schedule: Option<Vec<Wait>>,
}

impl From<CarriedTypeIn> for ((String, EventTypeInput), BesideInput) {
    fn from(body: CarriedTypeIn) -> Self {
        let input = EventTypeInput {
            description: body.description,
            archived: body.archived,
            deprecated: body.deprecated,
            schemas: body.schemas,
            feature_flag: body.feature_flag,
            feature_flags: body.feature_flags,
            group_name: body.group_name,
        };
        let rules = body.redaction.map(|redaction| redaction.rules);
        let waits = body.retry_schedule;
        let beside = BesideInput {
            rules: rules.map(|rules| rules.into_iter().map(Into::into).collect()),
            waits: waits.map(|waits| waits.into_iter().map(|Wait(wait)| wait).collect()),
        };
        ((body.name, input), beside)
    }
}

impl From<EnvironmentIn> for ImportInput {
    fn from(body: EnvironmentIn) -> Self {
        let types = body.event_types.unwrap_or_default();
        let (event_types, beside) = types.into_iter().map(Into::into).unzip();
        Self {
            event_types,
            beside,
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
    event_types: Vec<CarriedTypeOut>,
    settings: Map<String, Value>,
    /// None: they are not built.
    #[schemars(with = "Nothing")]
    connectors: Vec<Value>,
}

/// An event type, and what else it has.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "CarriedEventTypeOut")]
struct CarriedTypeOut {
    #[serde(flatten)]
    event_type: EventTypeOut,
    #[serde(skip_serializing_if = "Option::is_none")]
    redaction: Option<CarriedRedaction>,
    /// The waits of a retry schedule of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Waits>")]
    retry_schedule: Option<Vec<Wait>>,
}

impl CarriedTypeOut {
    fn new(event_type: EventType, beside: &Beside) -> Result<Self, AppError> {
        let own = beside.redactions.get(&event_type.name);
        let rules = own.map(|own| own.rules.iter().map(Into::into).collect());
        let rules = rules.filter(|rules: &Vec<_>| !rules.is_empty());
        let schedule = beside.schedules.get(&event_type.name);
        let waits = schedule.map(|own| own.waits().iter().copied().map(Wait).collect());
        Ok(Self {
            redaction: rules.map(|rules| CarriedRedaction { rules }),
            retry_schedule: waits,
            event_type: EventTypeOut::new(event_type)?,
        })
    }
}

impl EnvironmentOut {
    fn new(exported: Exported) -> Result<Self, AppError> {
        let types = exported.event_types.into_iter();
        let types = types.map(|one| CarriedTypeOut::new(one, &exported.beside));
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
