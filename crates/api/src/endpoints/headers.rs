//! An endpoint's headers: shapes, routes, handlers.

use super::{OfApplication, owner};
use crate::Shared;
use crate::body::Call;
use crate::bounds::{HeaderChanges, Headers};
use crate::operation::{Routes, application};
use crate::render::{Answer, NoContent};
use crate::segments::Segments;
use app::access::limits::Capability;
use app::endpoints::{HeadersPatch, HeadersView};
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn routes() -> Routes {
    Routes::at("/api/v1/app/{app_id}/endpoint/{endpoint_id}/headers")
        .get(
            application(
                "v1.endpoint.get-headers",
                "The headers that its deliveries carry, without those that hold secrets",
            ),
            owner::get_headers::<OfApplication>,
        )
        .put(
            application("v1.endpoint.update-headers", "Replaces them")
                .needs(Capability::ManageEndpoint),
            owner::put_headers::<OfApplication>,
        )
        .patch(
            application("v1.endpoint.patch-headers", "Changes those that are given")
                .needs(Capability::ManageEndpoint),
            patch_some,
        )
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "EndpointHeadersIn")]
pub(crate) struct HeadersIn {
    #[schemars(with = "Headers")]
    pub(crate) headers: BTreeMap<String, String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EndpointHeadersPatchIn")]
struct HeadersPatchIn {
    #[schemars(with = "HeaderChanges")]
    headers: BTreeMap<String, Option<String>>,
    #[serde(default)]
    delete_headers: Option<Vec<String>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "EndpointHeadersOut")]
pub(crate) struct HeadersOut {
    headers: BTreeMap<String, String>,
    sensitive: BTreeSet<String>,
}

impl From<HeadersView> for HeadersOut {
    fn from(view: HeadersView) -> Self {
        Self {
            headers: view.headers,
            sensitive: view.sensitive,
        }
    }
}

async fn patch_some(
    State(api): State<Shared>,
    Segments((app_id, endpoint_id)): Segments<(String, String)>,
    call: Call<HeadersPatchIn>,
) -> Answer<NoContent> {
    let tenant = api.app.application(&call.caller, &app_id).await?;
    api.app.endpoint(&tenant, &endpoint_id)?;
    let body = call.json()?;
    let patch = HeadersPatch {
        headers: body.headers,
        delete: body.delete_headers.unwrap_or_default(),
    };
    api.app
        .patch_headers(&call.caller, &tenant, &endpoint_id, patch)
        .await?;
    Ok(NoContent)
}
