//! What is taken from the payloads that an endpoint gets: shapes, routes, handlers.

use super::part::{self, At, Part};
use crate::operation::{Routes, application};
use crate::redaction::{Paths, RuleInOut, Rules};
use app::AppError;
use app::access::limits::Capability;
use app::endpoints::{RedactionInput, RemovablePart};
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
            part::get::<Redaction>,
        )
        .put(
            application("v1.endpoint.set-redaction", "Replaces it")
                .needs(Capability::ManageEndpoint),
            part::put::<Redaction>,
        )
        .delete(
            application("v1.endpoint.delete-redaction", "Takes it away")
                .needs(Capability::ManageEndpoint),
            part::delete::<Redaction>,
        )
}

struct Redaction;

impl Part for Redaction {
    type In = RedactionIn;
    type Out = RedactionOut;

    async fn get(at: At<'_>) -> Result<RedactionOut, AppError> {
        Ok(at.app.endpoint_redaction(at.tenant, at.endpoint)?.into())
    }

    async fn put(at: At<'_>, body: RedactionIn) -> Result<(), AppError> {
        let input = body.into();
        at.app
            .put_endpoint_redaction(at.caller, at.tenant, at.endpoint, input)
            .await
    }

    async fn delete(at: At<'_>) -> Result<(), AppError> {
        at.remove(RemovablePart::Redaction).await
    }
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
