//! What the first page shows of the whole installation, read of the store once for all who look,
//! and again when it is old: after a second, or after a hundred times as long as reading took.
//!
//! Attempts of hours that are over are kept: only the last two are counted again.

use crate::problem::Answer;
use app::page::LIMIT_MAX;
use app::security::SecurityEventsInput;
use app::statistics::{
    AttemptCounts, AttemptTimes, AttemptTimesInput, EndpointCount, FailingEndpoints, Period,
};
use app::{App, Caller, ListInput};
use model::Timestamp;
use model::node::Node;
use model::security::Severity;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

const HOUR: i64 = 3_600_000_000;
const DAY: Duration = Duration::from_secs(86_400);
/// So many hours are shown: 28 days.
pub(super) const HOURS: i64 = 28 * 24;
/// For how long what was read is good at least.
const GOOD_FOR: Duration = Duration::from_secs(1);
/// And for so many times as long as reading took: it takes at most a hundredth of the time.
const GOOD_FOR_TIMES: u32 = 100;

/// What was read last.
#[derive(Default)]
pub(crate) struct Glance(Mutex<Held>);

#[derive(Default)]
struct Held {
    until: Duration,
    seen: Option<Arc<Seen>>,
}

/// What was read.
#[derive(Clone, Default)]
pub(super) struct Seen {
    pub(super) hours: Hours,
    pub(super) failing: FailingEndpoints,
    pub(super) endpoints: EndpointCount,
    pub(super) events: Events,
    pub(super) nodes: Vec<Node>,
}

/// How many attempts ended in each hour, by when it begins.
#[derive(Clone, Default)]
pub(super) struct Hours(BTreeMap<Timestamp, AttemptCounts>);

/// The security events of the last day, by how bad they are: the least first.
#[derive(Clone, Copy, Default)]
pub(super) struct Events {
    pub(super) counts: [u64; Severity::ALL.len()],
    /// Whether there are more, which were not counted.
    pub(super) more: bool,
}

impl Glance {
    /// What is to be seen now. Whoever comes while somebody reads waits for that.
    pub(super) async fn look(&self, app: &App, caller: &Caller) -> Answer<Arc<Seen>> {
        let mut held = self.0.lock().await;
        let begun = app.clock.monotonic();
        if let Some(seen) = held.seen.as_ref().filter(|_| begun < held.until) {
            return Ok(seen.clone());
        }
        let before = held.seen.as_ref().map(|seen| seen.hours.clone());
        let seen = Arc::new(read(app, caller, before.unwrap_or_default()).await?);
        let ended = app.clock.monotonic();
        let rest = GOOD_FOR.max(ended.saturating_sub(begun) * GOOD_FOR_TIMES);
        *held = Held {
            until: ended + rest,
            seen: Some(seen.clone()),
        };
        Ok(seen)
    }
}

async fn read(app: &App, caller: &Caller, mut hours: Hours) -> Answer<Seen> {
    let input = AttemptTimesInput {
        since: Some(hours.since(app.clock.now())),
        period: Some(Period::Hour),
        ..AttemptTimesInput::default()
    };
    hours.take(&app.all_attempt_times(caller, input).await?);
    Ok(Seen {
        hours,
        failing: app.failing_endpoints(caller).await?,
        endpoints: app.count_endpoints(caller, false).await?,
        events: events(app, caller).await?,
        nodes: app.nodes(caller).await?,
    })
}

async fn events(app: &App, caller: &Caller) -> Answer<Events> {
    let list = ListInput {
        limit: Some(LIMIT_MAX),
        after: Some(app.clock.now().minus(DAY)),
        ..ListInput::default()
    };
    let input = SecurityEventsInput {
        list,
        ..SecurityEventsInput::default()
    };
    let page = app.security_events(caller, &input).await?;
    let mut events = Events {
        more: !page.done,
        ..Events::default()
    };
    for kept in page.data {
        events.counts[kept.event.severity as usize] += 1;
    }
    Ok(events)
}

impl Hours {
    /// From when on hours are to be counted, again or at all.
    fn since(&self, now: Timestamp) -> Timestamp {
        let first = begin(now) - (HOURS - 1) * HOUR;
        let again = self
            .0
            .last_key_value()
            .map(|(last, _)| last.micros() - HOUR);
        Timestamp::from_micros(again.map_or(first, |again| again.max(first)))
    }

    /// Takes what was counted, and lets go of what is too old.
    fn take(&mut self, times: &AttemptTimes) {
        for (at, counts) in (times.since.micros()..)
            .step_by(HOUR as usize)
            .zip(&times.buckets)
        {
            self.0.insert(Timestamp::from_micros(at), *counts);
        }
        if let Some((last, _)) = self.0.last_key_value() {
            let first = Timestamp::from_micros(last.micros() - (HOURS - 1) * HOUR);
            self.0 = self.0.split_off(&first);
        }
    }

    /// So many of the last ones, the oldest first.
    pub(super) fn last(&self, hours: usize) -> impl Iterator<Item = (Timestamp, AttemptCounts)> {
        let left_out = self.0.len().saturating_sub(hours);
        let rest = self.0.iter().skip(left_out);
        rest.map(|(at, counts)| (*at, *counts))
    }

    /// All of them, by the day in UTC.
    pub(super) fn days(&self) -> Vec<(Timestamp, AttemptCounts)> {
        let mut days: BTreeMap<i64, AttemptCounts> = BTreeMap::new();
        for (at, counts) in &self.0 {
            let day = days.entry(at.micros().div_euclid(24 * HOUR)).or_default();
            day.success += counts.success;
            day.failure += counts.failure;
        }
        let day = |(day, counts)| (Timestamp::from_micros(day * 24 * HOUR), counts);
        days.into_iter().map(day).collect()
    }
}

/// When the hour began, in microseconds.
fn begin(at: Timestamp) -> i64 {
    at.micros().div_euclid(HOUR) * HOUR
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Midnight, and half an hour later.
    const MIDNIGHT: i64 = 1_800_057_600;
    const NOW: Timestamp = Timestamp::from_seconds(MIDNIGHT + 1_800);

    fn times(since: i64, successes: &[u64]) -> AttemptTimes {
        let counts = |success: &u64| AttemptCounts {
            success: *success,
            ..AttemptCounts::default()
        };
        AttemptTimes {
            since: Timestamp::from_seconds(since),
            until: NOW,
            period: Period::Hour,
            buckets: successes.iter().map(counts).collect(),
        }
    }

    #[test]
    fn at_first_28_days_are_counted_and_then_the_last_two_hours() {
        let mut hours = Hours::default();
        let first = hours.since(NOW);
        assert_eq!(
            first,
            Timestamp::from_seconds(MIDNIGHT - (HOURS - 1) * 3_600)
        );
        assert!(NOW.since(first) < 28 * DAY);
        hours.take(&times(MIDNIGHT - 7_200, &[5, 6, 7]));
        assert_eq!(hours.since(NOW), Timestamp::from_seconds(MIDNIGHT - 3_600));
        hours.take(&times(MIDNIGHT - 3_600, &[60, 70]));
        let counts: Vec<u64> = hours.last(9).map(|(_, counts)| counts.success).collect();
        assert_eq!(counts, [5, 60, 70]);
        let days: Vec<u64> = hours.days().iter().map(|(_, one)| one.success).collect();
        assert_eq!(days, [65, 70]);
    }

    #[test]
    fn what_is_older_than_28_days_is_let_go_of() {
        let mut hours = Hours::default();
        hours.take(&times(MIDNIGHT - HOURS * 3_600, &[1]));
        hours.take(&times(MIDNIGHT - 3_600, &[2, 3]));
        assert_eq!(hours.last(usize::MAX).count(), 2);
        let long_ago = Hours(BTreeMap::from([(
            Timestamp::from_seconds(0),
            AttemptCounts::default(),
        )]));
        assert_eq!(long_ago.since(NOW), Hours::default().since(NOW));
    }
}
