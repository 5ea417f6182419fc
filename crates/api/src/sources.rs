//! Sources: shapes, routes, handlers. Their configuration, and what is done with the endpoints of
//! their applications, are in files of their own.

mod auth;
mod config;
mod endpoints;
mod log;

use crate::Shared;
use crate::authentication::Authenticated;
use crate::body::{Call, NoBody};
use crate::bounds::{Notes, SourceName, SourceUid};
use crate::operation::{Routes, organisation};
use crate::portal::{AppPortalAccessOut, text};
use crate::query::{FromQuery, Pairs, Query};
use crate::render::{Answer, Created, Field, ListOut, NoContent, SavedOut, Time};
use crate::segments::Segments;
use app::messages::RecipientPath;
use app::portal::{PORTAL_LIFETIME_MAX, PortalInput};
use app::sources::checks::GENERIC;
use app::sources::{SourceInput, SourcePatch, SourceView, types};
use app::{AppError, ListInput};
use axum::Json;
use axum::extract::State;
use config::{ConfigIn, ConfigOut, is_off};
pub use config::{read_source_config, show_source_config};
use model::Secret;
use model::application::Metadata;
use model::id::SourceKind;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Where incoming webhooks arrive, below the public URL.
const INBOUND: &str = "/in/";

pub(crate) fn routes() -> Routes {
    Routes::at("/ingest/api/v1/source")
        .get(
            organisation("v1.ingest.source.list", "Sources, the oldest first"),
            list,
        )
        .post(
            organisation(
                "v1.ingest.source.create",
                "Makes a source: a place that incoming webhooks arrive at",
            ),
            create,
        )
        .and_at("/ingest/api/v1/source/{source_id}")
        .get(organisation("v1.ingest.source.get", "A source"), get_one)
        .put(
            organisation(
                "v1.ingest.source.upsert",
                "Writes a source anew, but for its URL, or makes it",
            ),
            put,
        )
        .patch(
            organisation("v1.ingest.source.patch", "Changes what is given"),
            patch_one,
        )
        .delete(
            organisation(
                "v1.ingest.source.delete",
                "Deletes a source, with the application of its own",
            ),
            delete,
        )
        .and_at("/ingest/api/v1/source/{source_id}/token/rotate")
        .post(
            organisation(
                "v1.ingest.source.rotate-token",
                "Gives it another inbound URL; the one that it had ends at once",
            ),
            rotate,
        )
        .and_at("/ingest/api/v1/source/{source_id}/dashboard")
        .post(
            organisation(
                "v1.ingest.authentication.consumer-portal-access",
                "A token for the people of its application, and a link for it",
            ),
            dashboard,
        )
        .merge(endpoints::routes())
        .merge(log::routes())
}

/// A source as a client writes it, whole.
#[derive(Deserialize, JsonSchema)]
struct IngestSourceIn {
    /// What people call it.
    #[schemars(with = "SourceName")]
    name: String,
    #[schemars(with = "Option<SourceUid>")]
    uid: Option<String>,
    /// Whose requests arrive there.
    #[serde(rename = "type")]
    #[schemars(schema_with = "source_types")]
    source_type: String,
    #[serde(default)]
    config: Option<ConfigIn>,
    #[schemars(with = "Option<Notes>")]
    metadata: Option<Metadata>,
}

fn source_types(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": types() })
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
struct IngestSourcePatch {
    #[schemars(with = "Field<SourceName>")]
    name: Field<String>,
    #[schemars(with = "Field<Option<SourceUid>>")]
    uid: Field<Option<String>>,
    #[schemars(with = "Field<Notes>")]
    metadata: Field<Metadata>,
}

/// A source.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct IngestSourceOut {
    id: String,
    uid: Option<String>,
    name: String,
    #[serde(rename = "type")]
    #[schemars(schema_with = "source_types")]
    source_type: String,
    /// How it verifies what comes; where the type is `generic-webhook`, `genericConfig` says that.
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<ConfigOut>,
    /// The same where the type is `generic-webhook`: clients know no `config` of that type.
    #[serde(skip_serializing_if = "Option::is_none")]
    generic_config: Option<ConfigOut>,
    /// Where its requests arrive; null where it makes messages by itself, and to keys and tokens
    /// that may not write sources: there is a token in it.
    ingest_url: Option<String>,
    /// By what replays are kept out: `age` where the time is signed, `memory` where it isn't,
    /// `none` where nothing is signed, so that whoever has seen a request can send others.
    #[schemars(schema_with = "guards")]
    replay_protection: &'static str,
    /// Nothing of what arrives is verified.
    #[serde(skip_serializing_if = "is_off")]
    unverified: bool,
    /// Why nothing is taken there as things stand; only there if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    unusable: Option<String>,
    /// The application that gets what arrives, where it isn't the source's own, whose uid is the
    /// source's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    app_id: Option<String>,
    metadata: Metadata,
    created_at: Time,
    updated_at: Time,
}

fn guards(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": ["age", "memory", "none"] })
}

impl IngestSourceOut {
    fn new(gateway_url: &str, view: SourceView) -> Result<Self, AppError> {
        let source = view.source;
        let config = Some(ConfigOut::try_from(view.config)?);
        let (generic_config, config) = match source.source_type.as_str() {
            GENERIC => (config, None),
            _ => (None, config),
        };
        Ok(Self {
            id: source.id.to_string(),
            uid: source.uid.map(|uid| uid.to_string()),
            name: source.name,
            source_type: source.source_type.to_string(),
            config,
            generic_config,
            ingest_url: view.token.map(|token| ingest_url(gateway_url, &token)),
            replay_protection: view.replay_protection.as_str(),
            unverified: view.unverified,
            unusable: view.unusable,
            app_id: view.application.map(|id| id.to_string()),
            metadata: source.metadata,
            created_at: Time(source.created_at),
            updated_at: Time(source.updated_at),
        })
    }
}

fn ingest_url(gateway_url: &str, token: &Secret) -> String {
    format!("{gateway_url}{INBOUND}{}", text(token))
}

/// A source's new URL.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct RotateTokenOut {
    ingest_url: String,
}

/// What a token for the people of a source's application is to be.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
struct IngestSourceConsumerPortalAccessIn {
    /// How long it is good, in seconds: at most 28 days, which is also what it is unless given.
    #[schemars(range(min = 1, max = PORTAL_LIFETIME_MAX.as_secs()))]
    expiry: Option<i64>,
    /// It may only look, secrets excepted.
    read_only: Option<bool>,
}

struct SourcesQuery(ListInput);

impl FromQuery for SourcesQuery {
    fn from_query(query: &Pairs) -> Result<Self, AppError> {
        Ok(Self(query.list::<SourceKind>()?))
    }
}

impl TryFrom<IngestSourceIn> for SourceInput {
    type Error = AppError;

    fn try_from(body: IngestSourceIn) -> Result<Self, AppError> {
        Ok(Self {
            name: body.name,
            uid: body.uid,
            source_type: body.source_type,
            config: body.config.unwrap_or_default().try_into()?,
            metadata: body.metadata.unwrap_or_default(),
        })
    }
}

async fn list(
    State(api): State<Shared>,
    Query(SourcesQuery(input)): Query<SourcesQuery>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<ListOut<IngestSourceOut>>> {
    let page = api.app.sources(&caller, &input).await?;
    let url = &api.config.gateway_url;
    let page = page.try_map(|view| IngestSourceOut::new(url, view))?;
    Ok(Json(page.into()))
}

async fn create(
    State(api): State<Shared>,
    call: Call<IngestSourceIn>,
) -> Answer<Created<Json<IngestSourceOut>>> {
    call.caller.require_organisation()?;
    let input = call.json()?.try_into()?;
    let made = api.app.create_source(&call.caller, input).await?;
    let url = &api.config.gateway_url;
    Ok(Created(Json(IngestSourceOut::new(url, made.value)?)))
}

async fn get_one(
    State(api): State<Shared>,
    Segments(path): Segments<String>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<IngestSourceOut>> {
    let view = api.app.source(&caller, &path).await?;
    Ok(Json(IngestSourceOut::new(&api.config.gateway_url, view)?))
}

async fn put(
    State(api): State<Shared>,
    Segments(path): Segments<String>,
    call: Call<IngestSourceIn>,
) -> Answer<SavedOut<Json<IngestSourceOut>>> {
    call.caller.require_organisation()?;
    let input = call.json()?.try_into()?;
    let put = api.app.put_source(&call.caller, &path, input).await?;
    let url = &api.config.gateway_url;
    Ok(SavedOut::try_of(put, |view| {
        IngestSourceOut::new(url, view)
    })?)
}

async fn patch_one(
    State(api): State<Shared>,
    Segments(path): Segments<String>,
    call: Call<IngestSourcePatch>,
) -> Answer<Json<IngestSourceOut>> {
    api.app.source_to_change(&call.caller, &path).await?;
    let body = call.json()?;
    let patch = SourcePatch {
        name: body.name.0,
        uid: body.uid.0,
        metadata: body.metadata.0,
    };
    let view = api.app.patch_source(&call.caller, &path, patch).await?;
    Ok(Json(IngestSourceOut::new(&api.config.gateway_url, view)?))
}

async fn delete(
    State(api): State<Shared>,
    Segments(path): Segments<String>,
    Authenticated(caller): Authenticated,
) -> Answer<NoContent> {
    api.app.delete_source(&caller, &path).await?;
    Ok(NoContent)
}

async fn rotate(
    State(api): State<Shared>,
    Segments(path): Segments<String>,
    call: Call<NoBody>,
) -> Answer<Json<RotateTokenOut>> {
    let token = api.app.rotate_source_token(&call.caller, &path).await?;
    let ingest_url = ingest_url(&api.config.gateway_url, &token);
    Ok(Json(RotateTokenOut { ingest_url }))
}

async fn dashboard(
    State(api): State<Shared>,
    Segments(path): Segments<String>,
    call: Call<IngestSourceConsumerPortalAccessIn>,
) -> Answer<Json<AppPortalAccessOut>> {
    let tenant = api.app.source_application(&call.caller, &path).await?;
    let body = call.json()?;
    let input = PortalInput {
        expiry: body.expiry,
        read_only: body.read_only.unwrap_or_default(),
        ..PortalInput::default()
    };
    let named = RecipientPath::parse(&tenant.application().id.to_string())?;
    let recipient = api.app.recipient(&call.caller, named).await?;
    let access = api
        .app
        .portal_access(&call.caller, recipient, input)
        .await?;
    Ok(Json(AppPortalAccessOut::new(
        &api.config.gateway_url,
        &access,
    )))
}
