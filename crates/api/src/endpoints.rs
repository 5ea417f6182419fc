//! Endpoints: shapes, routes, handlers. Headers and secrets have files of their own.

pub(crate) mod auth;
mod ca;
mod encryption;
mod example;
pub(crate) mod headers;
mod mtls;
mod oauth;
pub(crate) mod owner;
mod part;
mod payload;
mod pins;
mod rate_limit;
mod redaction;
pub(crate) mod secrets;
pub(crate) mod signature;
mod verification;

use crate::Shared;
use crate::body::Call;
use crate::bounds::{self, Headers, Notes, Ordinal, Rate, Text, WebUrl, Word, Words};
use crate::operation::{Routes, application};
use crate::render::{Answer, Field, Time};
use crate::segments::Segments;
use app::access::limits::Capability;
use app::endpoints::{EVENT_TYPES_MAX, EndpointInput, EndpointPatch, EndpointView, EndpointsOf};
use app::{App, AppError, Caller};
use axum::Json;
use axum::extract::State;
use model::Secret;
use model::application::Metadata;
use model::message::ENDPOINT_CHANNELS_MAX;
use model::name::Name;
use owner::{Brought, EndpointBody, Owner};
use schemars::JsonSchema;
use secrets::SecretOut;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU16;

pub(crate) fn routes() -> Routes {
    Routes::at("/api/v1/app/{app_id}/endpoint")
        .get(
            application("v1.endpoint.list", "Endpoints, the newest first"),
            owner::list::<OfApplication>,
        )
        .post(
            application("v1.endpoint.create", "Makes an endpoint")
                .needs(Capability::ManageEndpoint),
            owner::create::<OfApplication>,
        )
        .and_at("/api/v1/app/{app_id}/endpoint/{endpoint_id}")
        .get(
            application("v1.endpoint.get", "An endpoint"),
            owner::get::<OfApplication>,
        )
        .put(
            application("v1.endpoint.update", "Writes an endpoint anew, or makes it")
                .needs(Capability::ManageEndpoint),
            owner::put::<OfApplication>,
        )
        .patch(
            application("v1.endpoint.patch", "Changes what is given")
                .needs(Capability::ManageEndpoint),
            patch_one,
        )
        .delete(
            application(
                "v1.endpoint.delete",
                "Deletes an endpoint; what is open to it is ended",
            )
            .needs(Capability::ManageEndpoint),
            owner::delete::<OfApplication>,
        )
        .merge(auth::routes())
        .merge(ca::routes())
        .merge(encryption::routes())
        .merge(example::routes())
        .merge(headers::routes())
        .merge(mtls::routes())
        .merge(oauth::routes())
        .merge(payload::routes())
        .merge(pins::routes())
        .merge(rate_limit::routes())
        .merge(redaction::routes())
        .merge(secrets::routes())
        .merge(signature::routes())
        .merge(verification::routes())
}

/// An endpoint as a client writes it, whole.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct EndpointIn {
    #[schemars(with = "WebUrl")]
    url: String,
    #[serde(default)]
    #[schemars(with = "Text")]
    description: String,
    #[serde(default)]
    disabled: bool,
    #[serde(alias = "filterTypes")]
    #[schemars(with = "Option<Words<EVENT_TYPES_MAX>>")]
    event_types: Option<Vec<String>>,
    #[schemars(with = "Option<Words<ENDPOINT_CHANNELS_MAX>>")]
    channels: Option<Vec<String>>,
    #[schemars(with = "Option<Rate>")]
    throttle_rate: Option<u16>,
    #[schemars(with = "Option<Rate>")]
    rate_limit: Option<u16>,
    #[schemars(with = "Option<Word>")]
    uid: Option<String>,
    #[schemars(with = "Option<Notes>")]
    metadata: Option<Metadata>,
    #[serde(default = "first_version")]
    #[schemars(with = "Ordinal")]
    version: u16,
    /// Only looked at when it is new.
    #[schemars(with = "Option<bounds::Secret>")]
    secret: Option<String>,
    /// Only looked at when it is new.
    #[schemars(with = "Option<Headers>")]
    headers: Option<BTreeMap<String, String>>,
}

fn first_version() -> u16 {
    1
}

impl EndpointBody for EndpointIn {
    fn brought(&mut self) -> Brought {
        Brought {
            secret: self.secret.take(),
            headers: self.headers.take(),
        }
    }
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

#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(rename = "EndpointPatch")]
struct EndpointPatchIn {
    #[schemars(with = "Field<WebUrl>")]
    url: Field<String>,
    #[schemars(with = "Field<Text>")]
    description: Field<String>,
    disabled: Field<bool>,
    #[serde(alias = "filterTypes")]
    #[schemars(with = "Field<Option<Words<EVENT_TYPES_MAX>>>")]
    event_types: Field<Option<Vec<String>>>,
    #[schemars(with = "Field<Option<Words<ENDPOINT_CHANNELS_MAX>>>")]
    channels: Field<Option<Vec<String>>>,
    #[schemars(with = "Field<Option<Rate>>")]
    throttle_rate: Field<Option<u16>>,
    #[schemars(with = "Field<Option<Rate>>")]
    rate_limit: Field<Option<u16>>,
    #[schemars(with = "Field<Option<Word>>")]
    uid: Field<Option<String>>,
    #[schemars(with = "Field<Option<Notes>>")]
    metadata: Field<Option<Metadata>>,
    #[schemars(with = "Field<Ordinal>")]
    version: Field<u16>,
}

impl From<EndpointPatchIn> for EndpointPatch {
    fn from(body: EndpointPatchIn) -> Self {
        Self {
            url: body.url.0,
            description: body.description.0,
            disabled: body.disabled.0,
            event_types: body.event_types.0,
            channels: body.channels.0,
            throttle_rate: body.throttle_rate.0,
            rate_limit: body.rate_limit.0,
            uid: body.uid.0,
            metadata: body.metadata.0.map(Option::unwrap_or_default),
            version: body.version.0,
        }
    }
}

/// An endpoint as clients see it. Also a part of other answers.
#[derive(Serialize, JsonSchema)]
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
    /// Why nothing is sent to it, or not all that it wants to hear, until somebody does something
    /// about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<HeldOut>,
}

/// Why nothing is sent to an endpoint: a word for programs, and a sentence for people.
#[derive(Serialize, JsonSchema)]
struct HeldOut {
    code: &'static str,
    detail: String,
}

impl From<EndpointView> for EndpointOut {
    fn from(view: EndpointView) -> Self {
        let EndpointView { endpoint, held } = view;
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
            held: held.map(|held| HeldOut {
                code: held.code(),
                detail: held.to_string(),
            }),
        }
    }
}

/// The names as texts.
pub(crate) fn texts(names: BTreeSet<Name>) -> BTreeSet<String> {
    names.iter().map(Name::to_string).collect()
}

/// An application.
struct OfApplication;

impl Owner for OfApplication {
    type Path = String;
    type PathTo = (String, String);
    type In = EndpointIn;
    type Out = EndpointOut;
    type Rotated = Json<SecretOut>;

    async fn find(app: &App, caller: &Caller, path: &String) -> Result<EndpointsOf, AppError> {
        let found = app.application(caller, path).await;
        found.map(EndpointsOf::Application)
    }

    fn rotated(secret: &Secret) -> Result<Json<SecretOut>, AppError> {
        SecretOut::of(secret).map(Json)
    }
}

async fn patch_one(
    State(api): State<Shared>,
    Segments((app_id, endpoint_id)): Segments<(String, String)>,
    call: Call<EndpointPatchIn>,
) -> Answer<Json<EndpointOut>> {
    let tenant = api.app.application(&call.caller, &app_id).await?;
    api.app.endpoint(&tenant, &endpoint_id)?;
    let body = call.json()?;
    let patched = api
        .app
        .patch_endpoint(&call.caller, &tenant, &endpoint_id, body.into());
    Ok(Json(patched.await?.into()))
}
