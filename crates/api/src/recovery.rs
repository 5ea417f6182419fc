//! What is done for an endpoint as a whole: recovery, cancelling and statistics.

use crate::Shared;
use crate::authentication::Authenticated;
use crate::body::Call;
use crate::operation::{Routes, application};
use crate::query::{FromQuery, Pairs, Query};
use crate::render::{Accepted, Answer, NoContent, Time};
use crate::segments::Segments;
use app::AppError;
use app::recover::{RecoverInput, Recovery};
use app::statistics::EndpointStatistics;
use axum::Json;
use axum::extract::State;
use model::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) fn routes() -> Routes {
    Routes::at("/api/v1/app/{app_id}/endpoint/{endpoint_id}/recover")
        .post(
            application(
                "v1.endpoint.recover",
                "Sends again, in the background, what failed for good",
            ),
            recover,
        )
        .and_at("/api/v1/app/{app_id}/endpoint/{endpoint_id}/cancel-msgs")
        .post(
            application(
                "v1.endpoint.cancel-msgs",
                "Cancels what is on its way to an endpoint",
            ),
            cancel,
        )
        .and_at("/api/v1/app/{app_id}/endpoint/{endpoint_id}/stats")
        .get(
            application("v1.endpoint.get-stats", "Counts its attempts"),
            statistics,
        )
}

#[derive(Deserialize, JsonSchema)]
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

/// How background work stands.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "BackgroundTaskStatus")]
enum TaskStatus {
    Running,
}

/// What background work does.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "BackgroundTaskType")]
enum TaskKind {
    #[serde(rename = "endpoint.recover")]
    Recover,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct RecoverOut {
    id: String,
    status: TaskStatus,
    task: TaskKind,
    updated_at: Time,
}

impl From<Recovery> for RecoverOut {
    fn from(recovery: Recovery) -> Self {
        Self {
            id: recovery.id.to_string(),
            status: TaskStatus::Running,
            task: TaskKind::Recover,
            updated_at: Time(recovery.updated_at),
        }
    }
}

/// What is to be cancelled.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct CancelMsgsIn {
    /// What was begun before then; at most what was begun until now.
    created_before: Time,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "EndpointStats")]
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
    call: Call<RecoverIn>,
) -> Answer<Accepted<Json<RecoverOut>>> {
    let tenant = api.app.application(&call.caller, &application).await?;
    let body = call.json()?;
    let started = api
        .app
        .recover(&call.caller, (&tenant, &endpoint), body.into())
        .await?;
    Ok(Accepted(Json(started.into())))
}

async fn cancel(
    State(api): State<Shared>,
    Segments((application, endpoint)): Segments<(String, String)>,
    call: Call<CancelMsgsIn>,
) -> Answer<NoContent> {
    let tenant = api.app.application(&call.caller, &application).await?;
    api.app.endpoint(&tenant, &endpoint)?;
    let CancelMsgsIn { created_before } = call.json()?;
    api.app
        .cancel_deliveries(&call.caller, (&tenant, &endpoint), created_before.0)
        .await?;
    Ok(NoContent)
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
