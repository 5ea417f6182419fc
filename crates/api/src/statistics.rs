//! Statistics of applications and of the whole installation: shapes, routes, handlers.

use crate::Shared;
use crate::authentication::Authenticated;
use crate::background::{TaskStatus, TaskType, begun};
use crate::body::Call;
use crate::bounds::Words;
use crate::operation::{Routes, application, organisation};
use crate::query::{FromQuery, Pairs, Query};
use crate::render::{Accepted, Answer, Time};
use crate::segments::Segments;
use app::AppError;
use app::statistics::{
    ApplicationAttempts, AttemptCounts, AttemptTimes, AttemptTimesInput, EndpointCount, NAMED_MAX,
    Period, UsageInput,
};
use app::tasks::Task;
use axum::Json;
use axum::extract::State;
use model::Timestamp;
use model::name::Name;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub(crate) fn routes() -> Routes {
    Routes::at("/api/v1/app/stats/count-active")
        .get(
            organisation(
                "v1.application.count-active",
                "Counts the applications that have an endpoint",
            ),
            count_active,
        )
        .and_at("/api/v1/app/{app_id}/stats/attempts")
        .get(
            application(
                "v1.application.stats.attempts",
                "Counts an application's attempts by event type",
            ),
            attempts,
        )
        .and_at("/api/v1/stats/app/{app_id}/attempt")
        .get(
            application(
                "v1.stats.app-attempts",
                "Counts an application's attempts by time",
            ),
            times,
        )
        .and_at("/api/v1/stats/endpoint/count")
        .get(
            organisation(
                "v1.statistics.endpoint-count",
                "Counts the endpoints of all applications",
            ),
            count_endpoints,
        )
        .and_at("/api/v1/stats/usage/app")
        .post(
            organisation(
                "v1.statistics.aggregate-app-stats",
                "Counts, in the background, the attempts of applications",
            ),
            count_usage,
        )
        .and_at("/api/v1/stats/usage/event-types")
        .put(
            organisation(
                "v1.statistics.aggregate-event-types",
                "Finds out, in the background, which event types applications ask for",
            ),
            aggregate_event_types,
        )
}

/// How many applications are active.
#[derive(Serialize, JsonSchema)]
struct ActiveAppCount {
    count: u64,
}

/// How many endpoints there are.
#[derive(Serialize, JsonSchema)]
struct EndpointCountOut {
    /// Those that messages go to.
    active: u64,
    disabled: u64,
}

impl From<EndpointCount> for EndpointCountOut {
    fn from(count: EndpointCount) -> Self {
        Self {
            active: count.enabled,
            disabled: count.disabled,
        }
    }
}

/// An application's attempts, all together and by event type. The times are those asked for,
/// rounded outwards to five minutes: so finely is counted.
#[derive(Serialize, JsonSchema)]
struct AppAttemptStatsOut {
    since: Time,
    until: Time,
    total_success: u64,
    total_failure: u64,
    /// Deliveries that ended without an attempt having had the last word.
    total_canceled: u64,
    by_event_type: BTreeMap<String, AppAttemptEventTypeStats>,
}

/// Attempts of one event type.
#[derive(Serialize, JsonSchema)]
struct AppAttemptEventTypeStats {
    success: u64,
    failure: u64,
    canceled: u64,
}

impl From<ApplicationAttempts> for AppAttemptStatsOut {
    fn from(attempts: ApplicationAttempts) -> Self {
        let by_event_type = attempts.by_event_type.into_iter().map(|(name, counts)| {
            let stats = AppAttemptEventTypeStats {
                success: counts.success,
                failure: counts.failure,
                canceled: counts.cancelled,
            };
            (name.to_string(), stats)
        });
        Self {
            since: Time(attempts.since),
            until: Time(attempts.until),
            total_success: attempts.total.success,
            total_failure: attempts.total.failure,
            total_canceled: attempts.total.cancelled,
            by_event_type: by_event_type.collect(),
        }
    }
}

/// An application's attempts by time: how many there were in each bucket from `startDate` on.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct AttemptStatisticsResponse {
    start_date: Time,
    /// Where the last bucket ends, which may be shorter than the others.
    end_date: Time,
    period: StatisticsPeriod,
    data: AttemptStatisticsData,
}

/// One number for each bucket.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct AttemptStatisticsData {
    success_count: Vec<u64>,
    failure_count: Vec<u64>,
    /// Deliveries that ended without an attempt having had the last word.
    canceled_count: Vec<u64>,
}

/// How long a bucket is.
#[derive(Clone, Copy, Serialize, JsonSchema)]
enum StatisticsPeriod {
    OneDay,
    OneHour,
    FiveMinutes,
}

impl From<AttemptTimes> for AttemptStatisticsResponse {
    fn from(times: AttemptTimes) -> Self {
        let counts = |count: fn(&AttemptCounts) -> u64| times.buckets.iter().map(count).collect();
        Self {
            start_date: Time(times.since),
            end_date: Time(times.until),
            period: match times.period {
                Period::Day => StatisticsPeriod::OneDay,
                Period::Hour => StatisticsPeriod::OneHour,
                Period::FiveMinutes => StatisticsPeriod::FiveMinutes,
            },
            data: AttemptStatisticsData {
                success_count: counts(|counts| counts.success),
                failure_count: counts(|counts| counts.failure),
                canceled_count: counts(|counts| counts.cancelled),
            },
        }
    }
}

/// Whose attempts to count, and between which times.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct AppUsageStatsIn {
    /// Recorded at or after; at most 92 days before `until`.
    since: Time,
    /// Recorded before.
    until: Time,
    /// Of the applications with these ids or uids; of all, where they are not given.
    #[schemars(with = "Option<Words<NAMED_MAX>>")]
    app_ids: Option<Vec<String>>,
}

impl From<AppUsageStatsIn> for UsageInput {
    fn from(body: AppUsageStatsIn) -> Self {
        Self {
            since: body.since.0,
            until: body.until.0,
            applications: body.app_ids,
        }
    }
}

/// The background work that counts. Its result is `appStats` in the `data` of the work: of each
/// application, `appId`, `appUid`, and how many attempts it had (`messageDestinations`). One that
/// had none is left out, unless it was named.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct AppUsageStatsOut {
    id: String,
    status: TaskStatus,
    task: TaskType,
    updated_at: Time,
    /// Which of `appIds` no application has.
    unresolved_app_ids: Vec<String>,
}

impl AppUsageStatsOut {
    fn new(task: &Task, unresolved: &[Name]) -> Self {
        Self {
            id: task.id.to_string(),
            status: TaskStatus(task.state),
            task: TaskType(task.kind),
            updated_at: Time(task.updated_at),
            unresolved_app_ids: unresolved.iter().map(ToString::to_string).collect(),
        }
    }
}

begun! {
    /// The background work that finds it out. Its result is `event_types` in the `data` of the
    /// work: of each application that has endpoints, `appId`, the types that they name
    /// (`explicitlySubscribedEventTypes`), and whether one takes all (`hasCatchAllEndpoint`).
    AggregateEventTypesOut;
}

/// The periods as a parameter.
const PERIODS: [(&str, Period); 3] = [
    ("OneDay", Period::Day),
    ("OneHour", Period::Hour),
    ("FiveMinutes", Period::FiveMinutes),
];

/// What is left out of a count of what is configured.
struct Excluded {
    play: bool,
}

impl FromQuery for Excluded {
    fn from_query(query: &Pairs) -> Result<Self, AppError> {
        Ok(Self {
            play: query.flag("exclude_svix_play")?.unwrap_or(true),
        })
    }
}

/// What is left out of a count of active applications.
struct ExcludedOfActive {
    play: bool,
    disabled: bool,
}

impl FromQuery for ExcludedOfActive {
    fn from_query(query: &Pairs) -> Result<Self, AppError> {
        Ok(Self {
            play: Excluded::from_query(query)?.play,
            disabled: query.flag("exclude_disabled")?.unwrap_or(true),
        })
    }
}

/// Which attempts are to be counted by type.
struct Counted {
    since: Timestamp,
    until: Timestamp,
    event_types: Option<Vec<Name>>,
}

impl FromQuery for Counted {
    fn from_query(query: &Pairs) -> Result<Self, AppError> {
        let (since, until) = (query.required_time("since"), query.required_time("until"));
        let event_types = query.names("event_types")?;
        Ok(Self {
            since: since?,
            until: until?,
            event_types,
        })
    }
}

impl FromQuery for AttemptTimesInput {
    fn from_query(query: &Pairs) -> Result<Self, AppError> {
        Ok(Self {
            since: query.time("startDate")?,
            until: query.time("endDate")?,
            period: query.choice("period", &PERIODS)?,
            event_types: query.names("event_types")?,
        })
    }
}

async fn count_active(
    State(api): State<Shared>,
    Query(excluded): Query<ExcludedOfActive>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<ActiveAppCount>> {
    let ExcludedOfActive { play, disabled } = excluded;
    let count = api
        .app
        .count_active_applications(&caller, disabled, play)
        .await?;
    Ok(Json(ActiveAppCount { count }))
}

async fn count_endpoints(
    State(api): State<Shared>,
    Query(excluded): Query<Excluded>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<EndpointCountOut>> {
    let count = api.app.count_endpoints(&caller, excluded.play).await?;
    Ok(Json(count.into()))
}

async fn attempts(
    State(api): State<Shared>,
    Segments(application): Segments<String>,
    Query(counted): Query<Counted>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<AppAttemptStatsOut>> {
    let times = (counted.since, counted.until);
    let counts = api
        .app
        .application_attempts(&caller, &application, times, counted.event_types)
        .await?;
    Ok(Json(counts.into()))
}

async fn times(
    State(api): State<Shared>,
    Segments(application): Segments<String>,
    Query(input): Query<AttemptTimesInput>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<AttemptStatisticsResponse>> {
    let times = api.app.attempt_times(&caller, &application, input).await?;
    Ok(Json(times.into()))
}

async fn count_usage(
    State(api): State<Shared>,
    call: Call<AppUsageStatsIn>,
) -> Answer<Accepted<Json<AppUsageStatsOut>>> {
    // Others are refused before the body is judged.
    call.caller.require_organisation()?;
    let input = call.json()?.into();
    let (task, unresolved) = api.app.count_usage(&call.caller, input).await?;
    Ok(Accepted(Json(AppUsageStatsOut::new(&task, &unresolved))))
}

async fn aggregate_event_types(
    State(api): State<Shared>,
    Authenticated(caller): Authenticated,
) -> Answer<Accepted<Json<AggregateEventTypesOut>>> {
    let task = api.app.aggregate_event_types(&caller).await?;
    Ok(Accepted(Json(task.into())))
}
