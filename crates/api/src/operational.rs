//! The operator's endpoints, which are told what happens: those of an application of the
//! installation's own. Shapes with less in them than an endpoint has, and the same use cases.

use crate::Shared;
use crate::body::Call;
use crate::bounds::{self, Headers, Notes, Rate, Text, WebUrl, Word};
use crate::endpoints::owner::{self, Brought, EndpointBody, Owner};
use crate::endpoints::texts;
use crate::messages::MessageOut;
use crate::operation::{Routes, organisation};
use crate::render::{Accepted, Answer, NoContent, Time};
use crate::security::words;
use crate::segments::Segments;
use app::endpoints::{EndpointInput, EndpointView, EndpointsOf};
use app::operational::EVENT_TYPES;
use app::{App, AppError, Caller};
use axum::Json;
use axum::extract::State;
use model::Secret;
use model::application::Metadata;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU16;

pub(crate) fn routes() -> Routes {
    contracted()
        .and_at("/api/v1/operational-webhook/endpoint/{endpoint_id}/send-example")
        .post(
            organisation(
                "v1.operational-webhook.endpoint.send-example",
                "Sends it an example of what can happen",
            ),
            send_example,
        )
}

/// What the contract has.
fn contracted() -> Routes {
    Routes::at("/api/v1/operational-webhook/endpoint")
        .get(
            organisation(
                "v1.operational-webhook.endpoint.list",
                "Endpoints that are told what happens, the newest first",
            ),
            owner::list::<Operators>,
        )
        .post(
            organisation("v1.operational-webhook.endpoint.create", "Makes one"),
            owner::create::<Operators>,
        )
        .and_at("/api/v1/operational-webhook/endpoint/{endpoint_id}")
        .get(
            organisation("v1.operational-webhook.endpoint.get", "One of them"),
            owner::get::<Operators>,
        )
        .put(
            organisation(
                "v1.operational-webhook.endpoint.upsert",
                "Writes one anew, or makes it",
            ),
            owner::put::<Operators>,
        )
        .delete(
            organisation(
                "v1.operational-webhook.endpoint.delete",
                "Deletes one; what is open to it is ended",
            ),
            owner::delete::<Operators>,
        )
        .and_at("/api/v1/operational-webhook/endpoint/{endpoint_id}/headers")
        .get(
            organisation(
                "v1.operational-webhook.endpoint.get-headers",
                "The headers that its deliveries carry, without those that hold secrets",
            ),
            owner::get_headers::<Operators>,
        )
        .put(
            organisation(
                "v1.operational-webhook.endpoint.set-headers",
                "Replaces them",
            ),
            owner::put_headers::<Operators>,
        )
        .and_at("/api/v1/operational-webhook/endpoint/{endpoint_id}/secret")
        .get(
            organisation(
                "v1.operational-webhook.endpoint.get-secret",
                "What its deliveries are verified with",
            )
            .shows_a_secret(),
            owner::get_secret::<Operators>,
        )
        .and_at("/api/v1/operational-webhook/endpoint/{endpoint_id}/secret/rotate")
        .post(
            organisation(
                "v1.operational-webhook.endpoint.rotate-secret",
                "Gives it a new secret; the old one signs too for a while",
            ),
            owner::rotate::<Operators>,
        )
}

/// The path to an endpoint: none names whose it is.
#[derive(Deserialize)]
struct Alone(String);

impl From<Alone> for ((), String) {
    fn from(Alone(endpoint): Alone) -> Self {
        ((), endpoint)
    }
}

/// Whoever runs the installation.
struct Operators;

impl Owner for Operators {
    type Path = ();
    type PathTo = Alone;
    type In = OperationalWebhookEndpointIn;
    type Out = OperationalWebhookEndpointOut;
    type Rotated = NoContent;

    async fn find(app: &App, caller: &Caller, (): &()) -> Result<EndpointsOf, AppError> {
        app.operators(caller).await
    }

    fn rotated(_: &Secret) -> Result<NoContent, AppError> {
        Ok(NoContent)
    }
}

/// An endpoint as a client writes it, whole.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct OperationalWebhookEndpointIn {
    #[schemars(with = "WebUrl")]
    url: String,
    #[serde(default)]
    #[schemars(with = "Text")]
    description: String,
    #[serde(default)]
    disabled: bool,
    /// What it is told of; all, if it is left out.
    #[serde(default, alias = "filterTypes")]
    #[schemars(schema_with = "told_of")]
    event_types: Option<Vec<String>>,
    #[schemars(with = "Option<Rate>")]
    throttle_rate: Option<u16>,
    #[schemars(with = "Option<Word>")]
    uid: Option<String>,
    #[schemars(with = "Option<Notes>")]
    metadata: Option<Metadata>,
    /// Only looked at when it is new.
    #[schemars(with = "Option<bounds::Secret>")]
    secret: Option<String>,
    /// Only looked at when it is new.
    #[schemars(with = "Option<Headers>")]
    headers: Option<BTreeMap<String, String>>,
}

fn told_of(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": ["array", "null"],
        "items": { "type": "string", "enum": EVENT_TYPES },
        "minItems": 1,
    })
}

impl EndpointBody for OperationalWebhookEndpointIn {
    fn brought(&mut self) -> Brought {
        Brought {
            secret: self.secret.take(),
            headers: self.headers.take(),
        }
    }
}

impl From<OperationalWebhookEndpointIn> for EndpointInput {
    fn from(body: OperationalWebhookEndpointIn) -> Self {
        Self {
            url: body.url,
            description: body.description,
            disabled: body.disabled,
            event_types: body.event_types,
            channels: None,
            throttle_rate: body.throttle_rate,
            rate_limit: None,
            uid: body.uid,
            metadata: body.metadata.unwrap_or_default(),
            version: 1,
        }
    }
}

/// An example that is to be sent.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct OperationalWebhookExampleIn {
    /// Of what, whether or not the endpoint is told of it.
    #[schemars(schema_with = "can_happen")]
    event_type: String,
}

fn can_happen(_: &mut SchemaGenerator) -> Schema {
    words(EVENT_TYPES.into_iter())
}

async fn send_example(
    State(api): State<Shared>,
    Segments(Alone(endpoint)): Segments<Alone>,
    call: Call<OperationalWebhookExampleIn>,
) -> Answer<Accepted<Json<MessageOut>>> {
    let operators = owner::found::<Operators>(&api.app, &call.caller, &()).await?;
    api.app.endpoint(&operators, &endpoint)?;
    let body = call.json()?;
    let sent =
        api.app
            .send_operational_example(&call.caller, (&operators, &endpoint), &body.event_type);
    Ok(Accepted(Json(sent.await?.into())))
}

/// An endpoint that is told what happens.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct OperationalWebhookEndpointOut {
    id: String,
    uid: Option<String>,
    url: String,
    description: String,
    disabled: bool,
    event_types: Option<BTreeSet<String>>,
    throttle_rate: Option<u16>,
    metadata: Metadata,
    created_at: Time,
    updated_at: Time,
}

impl From<EndpointView> for OperationalWebhookEndpointOut {
    fn from(view: EndpointView) -> Self {
        let endpoint = view.endpoint;
        Self {
            id: endpoint.id.to_string(),
            uid: endpoint.uid.map(|uid| uid.to_string()),
            url: endpoint.url,
            description: endpoint.description,
            disabled: endpoint.disabled,
            event_types: endpoint.event_types.map(texts),
            throttle_rate: endpoint.rate_limit.map(NonZeroU16::get),
            metadata: endpoint.metadata,
            created_at: Time(endpoint.created_at),
            updated_at: Time(endpoint.updated_at),
        }
    }
}
