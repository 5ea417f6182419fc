//! What is taken from the payloads that an endpoint gets: shapes, routes, handlers.

use crate::Shared;
use crate::authentication::Authenticated;
use crate::body::Call;
use crate::operation::{Routes, application};
use crate::redaction::{Paths, RuleInOut, Rules};
use crate::render::{Answer, NoContent};
use crate::segments::Segments;
use app::access::limits::Capability;
use app::endpoints::RedactionInput;
use axum::Json;
use axum::extract::State;
use model::redaction::EndpointRedaction;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) fn routes() -> Routes {
    Routes::at("/api/v1/app/{app_id}/endpoint/{endpoint_id}/redaction")
        .get(
            application(
                "v1.endpoint.get-redaction",
                "What is taken from the payloads that it gets",
            ),
            get_one,
        )
        .put(
            application("v1.endpoint.set-redaction", "Replaces it")
                .needs(Capability::ManageEndpoint),
            put,
        )
        .delete(
            application("v1.endpoint.delete-redaction", "Takes it away")
                .needs(Capability::ManageEndpoint),
            delete,
        )
}

/// What is taken from the payloads that an endpoint gets, beside what event types take.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "EndpointRedactionIn")]
struct RedactionIn {
    #[schemars(with = "Rules<0>")]
    rules: Vec<RuleInOut>,
    /// What it may have although a schema marks it as sensitive. Only the organisation may add to
    /// it.
    #[serde(default)]
    #[schemars(with = "Paths")]
    allow_sensitive: Vec<String>,
}

/// The same.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EndpointRedactionOut")]
struct RedactionOut {
    #[schemars(with = "Rules<0>")]
    rules: Vec<RuleInOut>,
    #[schemars(with = "Paths")]
    allow_sensitive: Vec<String>,
}

impl From<RedactionIn> for RedactionInput {
    fn from(body: RedactionIn) -> Self {
        Self {
            rules: body.rules.into_iter().map(Into::into).collect(),
            allow_sensitive: body.allow_sensitive,
        }
    }
}

impl From<EndpointRedaction> for RedactionOut {
    fn from(redaction: EndpointRedaction) -> Self {
        let allowed = redaction.allowed.iter();
        Self {
            rules: redaction.rules.iter().map(Into::into).collect(),
            allow_sensitive: allowed.map(|path| path.as_str().to_owned()).collect(),
        }
    }
}

async fn get_one(
    State(api): State<Shared>,
    Segments((app_id, endpoint_id)): Segments<(String, String)>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<RedactionOut>> {
    let tenant = api.app.application(&caller, &app_id).await?;
    let redaction = api.app.endpoint_redaction(&tenant, &endpoint_id)?;
    Ok(Json(redaction.into()))
}

async fn put(
    State(api): State<Shared>,
    Segments((app_id, endpoint_id)): Segments<(String, String)>,
    call: Call<RedactionIn>,
) -> Answer<NoContent> {
    let tenant = api.app.application(&call.caller, &app_id).await?;
    api.app.endpoint(&tenant, &endpoint_id)?;
    let input = call.json()?.into();
    api.app
        .put_endpoint_redaction(&call.caller, &tenant, &endpoint_id, input)
        .await?;
    Ok(NoContent)
}

async fn delete(
    State(api): State<Shared>,
    Segments((app_id, endpoint_id)): Segments<(String, String)>,
    Authenticated(caller): Authenticated,
) -> Answer<NoContent> {
    let tenant = api.app.application(&caller, &app_id).await?;
    api.app
        .delete_endpoint_redaction(&caller, &tenant, &endpoint_id)
        .await?;
    Ok(NoContent)
}
