//! Whether an endpoint has proved that its receiver wants what it is to get: shape, routes,
//! handlers.

use crate::Shared;
use crate::authentication::Authenticated;
use crate::body::{Call, NoBody};
use crate::operation::{Routes, application};
use crate::render::{Accepted, Answer};
use crate::segments::Segments;
use app::access::limits::Capability;
use app::endpoints::{VerificationStatus, VerificationView};
use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;
use std::num::NonZeroU32;

pub(super) fn routes() -> Routes {
    Routes::at("/api/v1/app/{app_id}/endpoint/{endpoint_id}/verification")
        .get(
            application(
                "v1.endpoint.get-verification",
                "Tells whether an endpoint has proved that its receiver wants what it gets",
            ),
            get,
        )
        .post(
            application(
                "v1.endpoint.send-challenge",
                "Asks an endpoint's receiver, unless it was asked less than a minute ago",
            )
            .needs(Capability::ManageEndpoint),
            send,
        )
}

/// Whether an endpoint has proved that its receiver wants what it gets.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct EndpointVerificationOut {
    status: EndpointVerificationStatus,
    /// Why it stands so.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The most requests in a minute that the receiver allows, if it said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed_per_minute: Option<NonZeroU32>,
}

/// How it stands.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum EndpointVerificationStatus {
    NotRequired,
    Pending,
    Verified,
    Failed,
}

impl From<VerificationView> for EndpointVerificationOut {
    fn from(view: VerificationView) -> Self {
        Self {
            status: match view.status {
                VerificationStatus::NotRequired => EndpointVerificationStatus::NotRequired,
                VerificationStatus::Pending => EndpointVerificationStatus::Pending,
                VerificationStatus::Verified => EndpointVerificationStatus::Verified,
                VerificationStatus::Failed => EndpointVerificationStatus::Failed,
            },
            reason: view.reason,
            allowed_per_minute: view.per_minute,
        }
    }
}

async fn get(
    State(api): State<Shared>,
    Segments((application, endpoint)): Segments<(String, String)>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<EndpointVerificationOut>> {
    let tenant = api.app.application(&caller, &application).await?;
    Ok(Json(api.app.verification(&tenant, &endpoint)?.into()))
}

async fn send(
    State(api): State<Shared>,
    Segments((application, endpoint)): Segments<(String, String)>,
    call: Call<NoBody>,
) -> Answer<Accepted<Json<EndpointVerificationOut>>> {
    let tenant = api.app.application(&call.caller, &application).await?;
    let sent = api.app.send_challenge(&call.caller, &tenant, &endpoint);
    Ok(Accepted(Json(sent.await?.into())))
}
