//! An endpoint's health: since when its deliveries have been failing, and when that is long enough
//! to disable it.
//!
//! The clock starts at the first failed attempt of a scheduled delivery; any success, a manual one
//! too, clears it. Manual and replayed failures never count: somebody is trying something. A
//! receiver that says it is gone (410) is believed at once, whoever asked. Pure.

use crate::verdict::Verdict;
use model::Timestamp;
use model::delivery::Trigger;
use std::time::Duration;
use store::record::HealthChange;

/// What an attempt does to the health of an endpoint that has been failing `since` then.
pub(crate) fn change(
    verdict: Verdict,
    trigger: Trigger,
    since: Option<Timestamp>,
    (now, disable_after): (Timestamp, Duration),
) -> HealthChange {
    match (verdict, since) {
        (Verdict::Delivered, Some(_)) => HealthChange::Works,
        (Verdict::GiveUp, _) => HealthChange::Disable,
        (Verdict::Retry(_), None) if counts(trigger) => HealthChange::FailingSince(now),
        (Verdict::Retry(_), Some(since))
            if counts(trigger) && now.since(since) >= disable_after =>
        {
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
        let cases = [
            (retry, Scheduled, None, FailingSince(now)),
            (retry, Manual, None, Nothing),
            (retry, Replay, None, Nothing),
            (retry, Scheduled, ago(4), Nothing),
            (retry, Scheduled, ago(5), Disable),
            (retry, Manual, ago(5), Nothing),
            (retry, Replay, ago(5), Nothing),
            (Verdict::Delivered, Scheduled, ago(4), Works),
            (Verdict::Delivered, Manual, ago(9), Works),
            (Verdict::Delivered, Replay, ago(9), Works),
            (Verdict::Delivered, Scheduled, None, Nothing),
            (Verdict::GiveUp, Scheduled, None, Disable),
            (Verdict::GiveUp, Manual, ago(1), Disable),
            (Verdict::RetryBlameless, Scheduled, None, Nothing),
            (Verdict::RetryBlameless, Scheduled, ago(9), Nothing),
            (ended, Scheduled, ago(9), Nothing),
        ];
        for (verdict, trigger, since, expected) in cases {
            let times = (now, Duration::from_secs(5 * DAY));
            let got = change(verdict, trigger, since, times);
            assert_eq!(got, expected, "{verdict:?} {trigger:?} {since:?}");
        }
    }

    #[test]
    fn a_clock_that_was_set_back_disables_nothing() {
        let retry = Verdict::Retry(RetryHint::default());
        let since = Some(Timestamp::from_seconds(1_000_000));
        let times = (Timestamp::from_seconds(1), Duration::from_secs(5 * DAY));
        let got = change(retry, Trigger::Scheduled, since, times);
        assert_eq!(got, HealthChange::None);
    }
}
