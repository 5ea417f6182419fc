//! A source's endpoints: those of the application that gets what comes to it. Shapes with less in
//! them than an endpoint has, and the same use cases.

use crate::Shared;
use crate::authentication::Authenticated;
use crate::body::Call;
use crate::bounds::{self, Headers, Notes, Rate, Text, WebUrl, Word};
use crate::endpoints::headers::{HeadersIn, HeadersOut};
use crate::endpoints::secrets::{RotateIn, SecretOut};
use crate::operation::{Routes, organisation};
use crate::query::{FromQuery, Pairs, Query};
use crate::render::{Answer, Created, ListOut, NoContent, SavedOut, Time};
use crate::segments::Segments;
use app::endpoints::{EndpointInput, EndpointView, HeadersInput, NewEndpointInput};
use app::{AppError, ListInput};
use axum::Json;
use axum::extract::State;
use model::Secret;
use model::application::Metadata;
use model::id::EndpointKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::num::NonZeroU16;

pub(super) fn routes() -> Routes {
    Routes::at("/ingest/api/v1/source/{source_id}/endpoint")
        .get(
            organisation("v1.ingest.endpoint.list", "Its endpoints, the newest first"),
            list,
        )
        .post(
            organisation("v1.ingest.endpoint.create", "Makes one"),
            create,
        )
        .and_at("/ingest/api/v1/source/{source_id}/endpoint/{endpoint_id}")
        .get(
            organisation("v1.ingest.endpoint.get", "One of them"),
            get_one,
        )
        .put(
            organisation("v1.ingest.endpoint.upsert", "Writes one anew, or makes it"),
            put,
        )
        .delete(
            organisation(
                "v1.ingest.endpoint.delete",
                "Deletes one; what is open to it is ended",
            ),
            delete,
        )
        .and_at("/ingest/api/v1/source/{source_id}/endpoint/{endpoint_id}/headers")
        .get(
            organisation(
                "v1.ingest.endpoint.get-headers",
                "The headers that its deliveries carry, without those that hold secrets",
            ),
            get_headers,
        )
        .put(
            organisation("v1.ingest.endpoint.set-headers", "Replaces them"),
            put_headers,
        )
        .and_at("/ingest/api/v1/source/{source_id}/endpoint/{endpoint_id}/secret")
        .get(
            organisation(
                "v1.ingest.endpoint.get-secret",
                "What its deliveries are verified with",
            )
            .shows_a_secret(),
            get_secret,
        )
        .and_at("/ingest/api/v1/source/{source_id}/endpoint/{endpoint_id}/secret/rotate")
        .post(
            organisation(
                "v1.ingest.endpoint.rotate-secret",
                "Gives it a new secret; the old one signs too for a while",
            ),
            rotate,
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

struct EndpointsQuery(ListInput);

impl FromQuery for EndpointsQuery {
    fn from_query(query: &Pairs) -> Result<Self, AppError> {
        Ok(Self(query.list::<EndpointKind>()?))
    }
}

async fn list(
    State(api): State<Shared>,
    Segments(source): Segments<String>,
    Query(EndpointsQuery(input)): Query<EndpointsQuery>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<ListOut<IngestEndpointOut>>> {
    let tenant = api.app.source_application(&caller, &source).await?;
    let page = api.app.endpoints(&tenant, &input)?;
    Ok(Json(page.map(IngestEndpointOut::from).into()))
}

async fn create(
    State(api): State<Shared>,
    Segments(source): Segments<String>,
    call: Call<IngestEndpointIn>,
) -> Answer<Created<Json<IngestEndpointOut>>> {
    let tenant = api.app.source_application(&call.caller, &source).await?;
    let mut body = call.json()?;
    let new = NewEndpointInput {
        secret: body.secret.take().map(Secret::from),
        headers: body.headers.take().map(HeadersInput),
    };
    let made = api
        .app
        .create_endpoint(&call.caller, &tenant, body.into(), new)
        .await?;
    Ok(Created(Json(made.value.into())))
}

async fn get_one(
    State(api): State<Shared>,
    Segments((source, endpoint)): Segments<(String, String)>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<IngestEndpointOut>> {
    let tenant = api.app.source_application(&caller, &source).await?;
    Ok(Json(api.app.endpoint(&tenant, &endpoint)?.into()))
}

async fn put(
    State(api): State<Shared>,
    Segments((source, endpoint)): Segments<(String, String)>,
    call: Call<IngestEndpointIn>,
) -> Answer<SavedOut<Json<IngestEndpointOut>>> {
    let tenant = api.app.source_application(&call.caller, &source).await?;
    let body = call.json()?;
    let put = api
        .app
        .put_endpoint(&call.caller, &tenant, &endpoint, body.into())
        .await?;
    Ok(SavedOut::of(put, Into::into))
}

async fn delete(
    State(api): State<Shared>,
    Segments((source, endpoint)): Segments<(String, String)>,
    Authenticated(caller): Authenticated,
) -> Answer<NoContent> {
    let tenant = api.app.source_application(&caller, &source).await?;
    api.app.delete_endpoint(&caller, &tenant, &endpoint).await?;
    Ok(NoContent)
}

async fn get_headers(
    State(api): State<Shared>,
    Segments((source, endpoint)): Segments<(String, String)>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<HeadersOut>> {
    let tenant = api.app.source_application(&caller, &source).await?;
    Ok(Json(api.app.headers(&tenant, &endpoint)?.into()))
}

async fn put_headers(
    State(api): State<Shared>,
    Segments((source, endpoint)): Segments<(String, String)>,
    call: Call<HeadersIn>,
) -> Answer<NoContent> {
    let tenant = api.app.source_application(&call.caller, &source).await?;
    api.app.endpoint(&tenant, &endpoint)?;
    let input = HeadersInput(call.json()?.headers);
    api.app
        .put_headers(&call.caller, &tenant, &endpoint, input)
        .await?;
    Ok(NoContent)
}

async fn get_secret(
    State(api): State<Shared>,
    Segments((source, endpoint)): Segments<(String, String)>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<SecretOut>> {
    let tenant = api.app.source_application(&caller, &source).await?;
    let secret = api.app.secret(&caller, &tenant, &endpoint)?;
    Ok(Json(SecretOut::of(&secret)?))
}

async fn rotate(
    State(api): State<Shared>,
    Segments((source, endpoint)): Segments<(String, String)>,
    call: Call<RotateIn>,
) -> Answer<NoContent> {
    let tenant = api.app.source_application(&call.caller, &source).await?;
    api.app.endpoint(&tenant, &endpoint)?;
    let input = call.json()?.into();
    api.app
        .rotate_secret(&call.caller, &tenant, &endpoint, input)
        .await?;
    Ok(NoContent)
}
