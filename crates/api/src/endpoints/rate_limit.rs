//! Whether an endpoint's rate limit holds deliveries back: shape, route, handler.

use crate::Shared;
use crate::authentication::Authenticated;
use crate::operation::{Routes, application};
use crate::render::{Answer, Time};
use crate::segments::Segments;
use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;

pub(super) fn routes() -> Routes {
    Routes::at("/api/v1/app/{app_id}/endpoint/{endpoint_id}/rate-limit-status").get(
        application(
            "v1.endpoint.get-throttling-status",
            "Tells whether a rate limit holds deliveries to an endpoint back",
        ),
        get,
    )
}

/// Whether deliveries are held back, and since when.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct EndpointThrottleRateStatusOut {
    status: EndpointRateLimitStatus,
    /// When the first of those was due that wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    throttled_since: Option<Time>,
}

/// Whether deliveries are held back.
#[derive(Serialize, JsonSchema)]
enum EndpointRateLimitStatus {
    Ok,
    RateLimited,
}

async fn get(
    State(api): State<Shared>,
    Segments((application, endpoint)): Segments<(String, String)>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<EndpointThrottleRateStatusOut>> {
    let tenant = api.app.application(&caller, &application).await?;
    let since = api.app.throttled_since(&tenant, &endpoint).await?;
    Ok(Json(EndpointThrottleRateStatusOut {
        status: match since {
            Some(_) => EndpointRateLimitStatus::RateLimited,
            None => EndpointRateLimitStatus::Ok,
        },
        throttled_since: since.map(Time),
    }))
}
