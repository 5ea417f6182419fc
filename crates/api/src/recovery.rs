//! What is done for an endpoint as a whole: recovery, replays, cancelling and statistics.

use crate::Shared;
use crate::attempts::ClassIn;
use crate::authentication::Authenticated;
use crate::background::begun;
use crate::body::Call;
use crate::bounds::{Word, Words};
use crate::operation::{Routes, application};
use crate::query::{FromQuery, Pairs, Query};
use crate::render::{Accepted, Answer, NoContent, Time};
use crate::segments::Segments;
use crate::status::StatusIn;
use app::AppError;
use app::access::limits::Capability;
use app::recover::RecoverInput;
use app::replay::{BulkReplayInput, EVENT_TYPES_MAX};
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
            )
            .needs(Capability::CreateAttempts),
            recover,
        )
        .and_at("/api/v1/app/{app_id}/endpoint/{endpoint_id}/bulk-replay")
        .post(
            application(
                "v1.endpoint.bulk-replay",
                "Sends again, in the background, what was sent to an endpoint",
            )
            .needs(Capability::CreateAttempts),
            bulk_replay,
        )
        .and_at("/api/v1/app/{app_id}/endpoint/{endpoint_id}/replay-missing")
        .post(
            application(
                "v1.endpoint.replay-missing",
                "Sends, in the background, what an endpoint wants and never got",
            )
            .needs(Capability::CreateAttempts),
            replay_missing,
        )
        .and_at("/api/v1/app/{app_id}/endpoint/{endpoint_id}/cancel-msgs")
        .post(
            application(
                "v1.endpoint.cancel-msgs",
                "Cancels what is on its way to an endpoint",
            )
            .needs(Capability::ManageEndpoint),
            cancel,
        )
        .and_at("/api/v1/app/{app_id}/endpoint/{endpoint_id}/stats")
        .get(
            application("v1.endpoint.get-stats", "Counts its attempts"),
            statistics,
        )
}

/// Which messages to send again: those accepted between the two.
#[derive(Deserialize, JsonSchema)]
struct RecoverIn {
    /// At or after; at most 14 days before `until`.
    since: Time,
    /// Before; now, where it is not given.
    until: Option<Time>,
}

/// Which messages to send again: those accepted between the two.
#[derive(Deserialize, JsonSchema)]
struct ReplayIn {
    /// At or after; at most 14 days before `until`.
    since: Time,
    /// Before; now, where it is not given.
    until: Option<Time>,
}

/// Which of an endpoint's messages to send again.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct BulkReplayIn {
    /// Accepted at or after; at most 14 days before `until`.
    since: Time,
    /// Accepted before; now, where it is not given.
    until: Option<Time>,
    /// Of one of these types.
    #[schemars(with = "Option<Words<EVENT_TYPES_MAX>>")]
    event_types: Option<Vec<String>>,
    /// With this one among their channels.
    #[schemars(with = "Option<Word>")]
    channel: Option<String>,
    /// With this one among their tags.
    #[schemars(with = "Option<Word>")]
    tag: Option<String>,
    /// How they stand with the endpoint: what is pending or sending is on its way and can't be
    /// asked for.
    status: Option<StatusIn>,
    /// What their last request was answered with.
    status_code_class: Option<ClassIn>,
}

begun! {
    /// The background work that sends again what failed.
    RecoverOut;
    /// The background work that sends it.
    ReplayOut;
}

fn reach(since: Time, until: Option<Time>) -> RecoverInput {
    RecoverInput {
        since: since.0,
        until: until.map(|Time(until)| until),
    }
}

impl From<BulkReplayIn> for BulkReplayInput {
    fn from(body: BulkReplayIn) -> Self {
        Self {
            reach: reach(body.since, body.until),
            event_types: body.event_types,
            channel: body.channel,
            tag: body.tag,
            status: body.status.map(|StatusIn(status)| status),
            status_code_class: body.status_code_class.map(|ClassIn(class)| class),
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
    let RecoverIn { since, until } = call.json()?;
    let begun = api
        .app
        .recover(&call.caller, (&tenant, &endpoint), reach(since, until))
        .await?;
    Ok(Accepted(Json(begun.into())))
}

async fn bulk_replay(
    State(api): State<Shared>,
    Segments((application, endpoint)): Segments<(String, String)>,
    call: Call<BulkReplayIn>,
) -> Answer<Accepted<Json<ReplayOut>>> {
    let tenant = api.app.application(&call.caller, &application).await?;
    let body = call.json()?;
    let begun = api
        .app
        .bulk_replay(&call.caller, (&tenant, &endpoint), body.into())
        .await?;
    Ok(Accepted(Json(begun.into())))
}

async fn replay_missing(
    State(api): State<Shared>,
    Segments((application, endpoint)): Segments<(String, String)>,
    call: Call<ReplayIn>,
) -> Answer<Accepted<Json<ReplayOut>>> {
    let tenant = api.app.application(&call.caller, &application).await?;
    let ReplayIn { since, until } = call.json()?;
    let begun = api
        .app
        .replay_missing(&call.caller, (&tenant, &endpoint), reach(since, until))
        .await?;
    Ok(Accepted(Json(begun.into())))
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
