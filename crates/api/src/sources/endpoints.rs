//! A source's endpoints: those of the application that gets what comes to it. Shapes with less in
//! them than an endpoint has, and the same use cases.

use crate::bounds::{self, Headers, Notes, Rate, Text, WebUrl, Word};
use crate::endpoints::owner::{self, Brought, EndpointBody, Owner};
use crate::operation::{Routes, organisation};
use crate::render::{NoContent, Time};
use app::endpoints::{EndpointInput, EndpointView, EndpointsOf};
use app::{App, AppError, Caller};
use model::Secret;
use model::application::Metadata;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::num::NonZeroU16;

pub(super) fn routes() -> Routes {
    Routes::at("/ingest/api/v1/source/{source_id}/endpoint")
        .get(
            organisation("v1.ingest.endpoint.list", "Its endpoints, the newest first"),
            owner::list::<OfSource>,
        )
        .post(
            organisation("v1.ingest.endpoint.create", "Makes one"),
            owner::create::<OfSource>,
        )
        .and_at("/ingest/api/v1/source/{source_id}/endpoint/{endpoint_id}")
        .get(
            organisation("v1.ingest.endpoint.get", "One of them"),
            owner::get::<OfSource>,
        )
        .put(
            organisation("v1.ingest.endpoint.upsert", "Writes one anew, or makes it"),
            owner::put::<OfSource>,
        )
        .delete(
            organisation(
                "v1.ingest.endpoint.delete",
                "Deletes one; what is open to it is ended",
            ),
            owner::delete::<OfSource>,
        )
        .and_at("/ingest/api/v1/source/{source_id}/endpoint/{endpoint_id}/headers")
        .get(
            organisation(
                "v1.ingest.endpoint.get-headers",
                "The headers that its deliveries carry, without those that hold secrets",
            ),
            owner::get_headers::<OfSource>,
        )
        .put(
            organisation("v1.ingest.endpoint.set-headers", "Replaces them"),
            owner::put_headers::<OfSource>,
        )
        .and_at("/ingest/api/v1/source/{source_id}/endpoint/{endpoint_id}/secret")
        .get(
            organisation(
                "v1.ingest.endpoint.get-secret",
                "What its deliveries are verified with",
            )
            .shows_a_secret(),
            owner::get_secret::<OfSource>,
        )
        .and_at("/ingest/api/v1/source/{source_id}/endpoint/{endpoint_id}/secret/rotate")
        .post(
            organisation(
                "v1.ingest.endpoint.rotate-secret",
                "Gives it a new secret; the old one signs too for a while",
            ),
            owner::rotate::<OfSource>,
        )
}

/// An endpoint as a client writes it, whole.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct IngestEndpointIn {
    #[schemars(with = "WebUrl")]
    url: String,
    #[serde(default)]
    #[schemars(with = "Text")]
    description: String,
    #[serde(default)]
    disabled: bool,
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

impl EndpointBody for IngestEndpointIn {
    fn brought(&mut self) -> Brought {
        Brought {
            secret: self.secret.take(),
            headers: self.headers.take(),
        }
    }
}

impl From<IngestEndpointIn> for EndpointInput {
    fn from(body: IngestEndpointIn) -> Self {
        Self {
            url: body.url,
            description: body.description,
            disabled: body.disabled,
            event_types: None,
            channels: None,
            throttle_rate: body.throttle_rate,
            rate_limit: None,
            uid: body.uid,
            metadata: body.metadata.unwrap_or_default(),
            version: 1,
        }
    }
}

/// An endpoint of a source.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct IngestEndpointOut {
    id: String,
    uid: Option<String>,
    url: String,
    description: String,
    disabled: bool,
    throttle_rate: Option<u16>,
    metadata: Metadata,
    created_at: Time,
    updated_at: Time,
}

impl From<EndpointView> for IngestEndpointOut {
    fn from(view: EndpointView) -> Self {
        let endpoint = view.endpoint;
        Self {
            id: endpoint.id.to_string(),
            uid: endpoint.uid.map(|uid| uid.to_string()),
            url: endpoint.url,
            description: endpoint.description,
            disabled: endpoint.disabled,
            throttle_rate: endpoint.rate_limit.map(NonZeroU16::get),
            metadata: endpoint.metadata,
            created_at: Time(endpoint.created_at),
            updated_at: Time(endpoint.updated_at),
        }
    }
}

/// A source.
struct OfSource;

impl Owner for OfSource {
    type Path = String;
    type PathTo = (String, String);
    type In = IngestEndpointIn;
    type Out = IngestEndpointOut;
    type Rotated = NoContent;

    async fn find(app: &App, caller: &Caller, path: &String) -> Result<EndpointsOf, AppError> {
        let found = app.source_application(caller, path).await;
        found.map(EndpointsOf::Application)
    }

    fn rotated(_: &Secret) -> Result<NoContent, AppError> {
        Ok(NoContent)
    }
}
