//! An endpoint's health: since when its deliveries have been failing, and when that is long enough
//! to disable it.
//!
//! The clock starts at the first failed attempt of a scheduled delivery; any success, a manual one
//! too, clears it. Only a delivery that is given up, or that has itself been tried for so long,
//! makes use of it: one failure after a quiet week is not a week of failures, its own retries may
//! well succeed. Manual and replayed failures never count: somebody is trying something. A receiver
//! that says it is gone (410) is believed at once, whoever asked. Pure.

use crate::verdict::Verdict;
use model::Timestamp;
use model::delivery::Trigger;
use std::time::Duration;
use store::record::HealthChange;

/// What an attempt does to the health of an endpoint that has been failing `since` then. `tried`:
/// its delivery has been tried enough to tell.
pub(crate) fn change(
    verdict: Verdict,
    (trigger, tried): (Trigger, bool),
    since: Option<Timestamp>,
    (now, disable_after): (Timestamp, Duration),
) -> HealthChange {
    let long_enough = |since| now.since(since) >= disable_after;
    match (verdict, since) {
        (Verdict::Delivered, Some(_)) => HealthChange::Works,
        (Verdict::GiveUp, _) => HealthChange::Disable,
        (Verdict::Retry(_), None) if counts(trigger) => HealthChange::FailingSince(now),
        (Verdict::Retry(_), Some(since)) if counts(trigger) && tried && long_enough(since) => {
            HealthChange::Disable
        }
        _ => HealthChange::None,
    }
}

fn counts(trigger: Trigger) -> bool {
    trigger == Trigger::Scheduled
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::delivery::EndReason;
    use model::retry::RetryHint;

    const DAY: u64 = 86_400;

    #[test]
    fn health_follows_scheduled_failures_and_any_success() {
        use HealthChange::{Disable, FailingSince, None as Nothing, Works};
        use Trigger::{Manual, Replay, Scheduled};
        let retry = Verdict::Retry(RetryHint::default());
        let ended = Verdict::Ended(EndReason::EndpointDeleted);
        let now = Timestamp::from_seconds(1_000_000);
        let ago = |days: u64| Some(now.minus(Duration::from_secs(days * DAY)));
        let (tried, fresh) = (true, false);
        let cases = [
            (retry, (Scheduled, fresh), None, FailingSince(now)),
            (retry, (Scheduled, tried), None, FailingSince(now)),
            (retry, (Manual, tried), None, Nothing),
            (retry, (Replay, tried), None, Nothing),
            (retry, (Scheduled, tried), ago(4), Nothing),
            (retry, (Scheduled, fresh), ago(9), Nothing),
            (retry, (Scheduled, tried), ago(5), Disable),
            (retry, (Manual, tried), ago(5), Nothing),
            (retry, (Replay, tried), ago(5), Nothing),
            (Verdict::Delivered, (Scheduled, fresh), ago(4), Works),
            (Verdict::Delivered, (Manual, tried), ago(9), Works),
            (Verdict::Delivered, (Replay, tried), ago(9), Works),
            (Verdict::Delivered, (Scheduled, fresh), None, Nothing),
            (Verdict::GiveUp, (Scheduled, fresh), None, Disable),
            (Verdict::GiveUp, (Manual, tried), ago(1), Disable),
            (Verdict::RetryBlameless, (Scheduled, tried), None, Nothing),
            (Verdict::RetryBlameless, (Scheduled, tried), ago(9), Nothing),
            (ended, (Scheduled, tried), ago(9), Nothing),
        ];
        for (verdict, delivery, since, expected) in cases {
            let times = (now, Duration::from_secs(5 * DAY));
            let got = change(verdict, delivery, since, times);
            assert_eq!(got, expected, "{verdict:?} {delivery:?} {since:?}");
        }
    }

    #[test]
    fn a_clock_that_was_set_back_disables_nothing() {
        let retry = Verdict::Retry(RetryHint::default());
        let since = Some(Timestamp::from_seconds(1_000_000));
        let times = (Timestamp::from_seconds(1), Duration::from_secs(5 * DAY));
        let got = change(retry, (Trigger::Scheduled, true), since, times);
        assert_eq!(got, HealthChange::None);
    }
}
