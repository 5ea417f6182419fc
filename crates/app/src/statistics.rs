//! How many attempts to an endpoint ended how, and how many of its deliveries are open; then the
//! same of an application, or of all (`attempts`), what is configured (`census`), what all
//! applications use (`usage`), and which endpoints get nothing through (`failing`).

mod attempts;
mod census;
mod failing;
mod usage;

pub use attempts::{ApplicationAttempts, AttemptCounts, AttemptTimes, AttemptTimesInput, Period};
pub use census::EndpointCount;
pub use failing::{FailingEndpoint, FailingEndpoints};
pub use usage::{NAMED_MAX, UsageInput};

use crate::{App, AppError, Caller};
use model::Timestamp;
use std::time::Duration;
use store::query::StatisticsQuery;

/// The longest time over which attempts are counted.
pub const STATISTICS_SPAN: Duration = Duration::from_secs(28 * 86_400);
/// For clients that compute 28 days a little before they ask.
const GRACE: Duration = Duration::from_secs(5 * 60);

/// The counts. Attempts are those recorded within the times asked for; open deliveries are counted
/// as they are now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EndpointStatistics {
    /// Attempts that succeeded.
    pub success: u64,
    /// Open deliveries without an attempt.
    pub pending: u64,
    /// Open deliveries that will be retried.
    pub sending: u64,
    /// Attempts that failed.
    pub fail: u64,
    /// Deliveries that ended without an attempt having had the last word.
    pub cancelled: u64,
}

impl App {
    /// Counts an endpoint's attempts between two times; by default over the last 28 days.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::BadRequest`] for times that can't be counted between.
    pub async fn endpoint_statistics(
        &self,
        caller: &Caller,
        (application, endpoint): (&str, &str),
        (since, until): (Option<Timestamp>, Option<Timestamp>),
    ) -> Result<EndpointStatistics, AppError> {
        let tenant = self.application(caller, application).await?;
        let endpoint = tenant.endpoint(endpoint)?.endpoint.id.key();
        let (since, until) = range(since, until, self.clock.now())?;
        let counts = self
            .store
            .statistics(StatisticsQuery {
                endpoint,
                since,
                until,
            })
            .await?;
        Ok(EndpointStatistics {
            success: counts.success,
            pending: counts.pending,
            sending: counts.retrying,
            fail: counts.failure,
            cancelled: counts.cancelled,
        })
    }
}

fn range(
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    now: Timestamp,
) -> Result<(Timestamp, Timestamp), AppError> {
    if until.is_some_and(|until| until > now) {
        return Err(invalid_range("`until` must not be in the future."));
    }
    let end = until.unwrap_or(now);
    let since = since.unwrap_or_else(|| end.minus(STATISTICS_SPAN));
    if since > end {
        return Err(invalid_range("`since` must not be after `until`."));
    }
    if end.since(since) > STATISTICS_SPAN + GRACE {
        return Err(invalid_range(
            "`since` must be at most 28 days before `until`.",
        ));
    }
    // What was recorded at this very moment counts too, unless one asks for an end.
    Ok((since, until.unwrap_or(Timestamp::MAX)))
}

fn invalid_range(detail: &str) -> AppError {
    AppError::BadRequest {
        code: "invalid_range",
        detail: detail.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;
    const DAY: i64 = 86_400;

    #[test]
    fn ranges_end_by_now_and_last_28_days_at_the_most() {
        let at = |seconds: i64| Timestamp::from_seconds(NOW.saturating_add(seconds));
        let open = i64::MAX;
        let cases = [
            (None, None, Some((-28 * DAY, open))),
            (None, Some(-DAY), Some((-29 * DAY, -DAY))),
            (Some(-28 * DAY), None, Some((-28 * DAY, open))),
            (Some(-28 * DAY - 300), None, Some((-28 * DAY - 300, open))),
            (Some(-28 * DAY - 301), None, None),
            (Some(-40 * DAY), Some(-DAY), None),
            (None, Some(0), Some((-28 * DAY, 0))),
            (None, Some(1), None),
            (Some(-1), Some(-2), None),
            (Some(-2), Some(-2), Some((-2, -2))),
        ];
        for (since, until, expected) in cases {
            let found = range(since.map(at), until.map(at), at(0));
            match (found, expected) {
                (Ok(range), Some((from, to))) => assert_eq!(range, (at(from), at(to))),
                (
                    Err(AppError::BadRequest {
                        code: "invalid_range",
                        ..
                    }),
                    None,
                ) => {}
                (found, expected) => panic!("{since:?} {until:?}: {found:?}, not {expected:?}"),
            }
        }
    }
}
