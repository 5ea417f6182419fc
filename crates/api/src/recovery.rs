//! What is done for an endpoint as a whole: recovery and statistics.

use crate::Shared;
use crate::authentication::Authenticated;
use crate::body::Call;
use crate::query::{FromQuery, Pairs, Query};
use crate::render::{Answer, Time};
use crate::segments::Segments;
use app::AppError;
use app::recover::{RecoverInput, Recovery};
use app::statistics::EndpointStatistics;
use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use model::Timestamp;
use serde::{Deserialize, Serialize};

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route(
            "/api/v1/app/{app_id}/endpoint/{endpoint_id}/recover",
            post(recover),
        )
        .route(
            "/api/v1/app/{app_id}/endpoint/{endpoint_id}/stats",
            get(statistics),
        )
}

#[derive(Deserialize)]
struct RecoverIn {
    since: Time,
    until: Option<Time>,
}

impl From<RecoverIn> for RecoverInput {
    fn from(body: RecoverIn) -> Self {
        Self {
            since: body.since.0,
            until: body.until.map(|Time(until)| until),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RecoverOut {
    id: String,
    status: &'static str,
    task: &'static str,
    updated_at: Time,
}

impl From<Recovery> for RecoverOut {
    fn from(recovery: Recovery) -> Self {
        Self {
            id: recovery.id.to_string(),
            status: "running",
            task: "endpoint.recover",
            updated_at: Time(recovery.updated_at),
        }
    }
}

#[derive(Serialize)]
struct StatisticsOut {
    success: u64,
    pending: u64,
    sending: u64,
    fail: u64,
    canceled: u64,
}

impl From<EndpointStatistics> for StatisticsOut {
    fn from(counts: EndpointStatistics) -> Self {
        let EndpointStatistics {
            success,
            pending,
            sending,
            fail,
            cancelled,
        } = counts;
        Self {
            success,
            pending,
            sending,
            fail,
            canceled: cancelled,
        }
    }
}

/// Between which times attempts are counted.
struct Range(Option<Timestamp>, Option<Timestamp>);

impl FromQuery for Range {
    fn from_query(query: &Pairs) -> Result<Self, AppError> {
        Ok(Self(query.time("since")?, query.time("until")?))
    }
}

async fn recover(
    State(api): State<Shared>,
    Segments((application, endpoint)): Segments<(String, String)>,
    call: Call,
) -> Answer<(StatusCode, Json<RecoverOut>)> {
    let tenant = api.app.application(&call.caller, &application).await?;
    let body: RecoverIn = call.json()?;
    let started = api
        .app
        .recover(&call.caller, (&tenant, &endpoint), body.into())
        .await?;
    Ok((StatusCode::ACCEPTED, Json(started.into())))
}

async fn statistics(
    State(api): State<Shared>,
    Segments((application, endpoint)): Segments<(String, String)>,
    Query(Range(since, until)): Query<Range>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<StatisticsOut>> {
    let path = (application.as_str(), endpoint.as_str());
    let counts = api
        .app
        .endpoint_statistics(&caller, path, (since, until))
        .await?;
    Ok(Json(counts.into()))
}
