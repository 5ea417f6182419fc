//! What becomes of a delivery and its endpoint after an attempt. Pure: the time and the jitter's
//! draw are arguments.

use crate::health;
use crate::verdict::Verdict;
use model::Timestamp;
use model::attempt::AttemptResult;
use model::delivery::Trigger;
use model::retry::{RetryHint, RetrySchedule};
use std::time::Duration;
use store::record::{HealthChange, Then};

/// The rules that hold for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules<'a> {
    /// When it is tried again: by its event type's own schedule, or else the operator's.
    pub(crate) schedule: &'a RetrySchedule,
    /// How long an endpoint may be failing before it is disabled.
    pub(crate) disable_after: Duration,
}

/// An attempt at its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Situation {
    /// Why its delivery was opened.
    pub(crate) trigger: Trigger,
    /// 1 for the delivery's first attempt.
    pub(crate) number: u16,
    /// When its message was first due.
    pub(crate) began: Timestamp,
    /// Whether the endpoint is still there, and not disabled: it may have gone meanwhile, and then
    /// nothing is tried again.
    pub(crate) endpoint_live: bool,
    /// Since when the endpoint has been failing.
    pub(crate) failing_since: Option<Timestamp>,
    /// The time.
    pub(crate) now: Timestamp,
    /// Of `0.0..1.0`, for the jitter.
    pub(crate) draw: f64,
}

/// What to record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decision {
    /// How the attempt ended.
    pub(crate) result: AttemptResult,
    /// What becomes of the delivery.
    pub(crate) then: Then,
    /// What becomes of the endpoint.
    pub(crate) health: HealthChange,
}

/// Decides.
pub(crate) fn decide(verdict: Verdict, situation: &Situation, rules: Rules<'_>) -> Decision {
    let Situation {
        trigger,
        now,
        failing_since,
        ..
    } = *situation;
    let (result, hint) = match verdict {
        Verdict::Delivered => (AttemptResult::Success, None),
        Verdict::Retry(hint) => (AttemptResult::Failure, Some(hint)),
        Verdict::RetryBlameless => (AttemptResult::Failure, Some(RetryHint::default())),
        Verdict::GiveUp => (AttemptResult::Failure, None),
        Verdict::Ended(reason) => (AttemptResult::Cancelled(reason), None),
    };
    let again = trigger.retries() && situation.endpoint_live;
    let wait = hint.filter(|_| again).and_then(|hint| {
        rules
            .schedule
            .wait_after(situation.number, hint, situation.draw)
    });
    let tried_for = now.since(situation.began);
    let tried = wait.is_none() || (situation.number > 1 && tried_for >= rules.disable_after);
    let times = (now, rules.disable_after);
    let health = health::change(verdict, (trigger, tried), failing_since, times);
    let wait = wait.filter(|_| health != HealthChange::Disable);
    Decision {
        result,
        then: wait.map_or(Then::Close, |wait| Then::Reschedule(now.plus(wait))),
        health,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::delivery::EndReason;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

    fn situation() -> Situation {
        Situation {
            trigger: Trigger::Scheduled,
            number: 1,
            began: NOW.minus(Duration::from_secs(3_600)),
            endpoint_live: true,
            failing_since: None,
            now: NOW,
            draw: 0.5,
        }
    }

    fn decided(verdict: Verdict, situation: Situation) -> Decision {
        let rules = Rules {
            schedule: &RetrySchedule::default(),
            disable_after: Duration::from_secs(5 * 86_400),
        };
        decide(verdict, &situation, rules)
    }

    fn failure() -> Verdict {
        Verdict::Retry(RetryHint::default())
    }

    fn in_seconds(seconds: u64) -> Then {
        Then::Reschedule(NOW.plus(Duration::from_secs(seconds)))
    }

    #[test]
    fn a_scheduled_failure_is_tried_again_by_the_schedule_and_then_given_up() {
        let waits = [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000];
        for (number, wait) in (1..).zip(waits) {
            let decision = decided(
                failure(),
                Situation {
                    number,
                    ..situation()
                },
            );
            assert_eq!(decision.then, in_seconds(wait), "{number}");
            assert_eq!(decision.result, AttemptResult::Failure);
        }
        let last = decided(
            failure(),
            Situation {
                number: 8,
                ..situation()
            },
        );
        assert_eq!(
            (last.result, last.then),
            (AttemptResult::Failure, Then::Close)
        );
    }

    #[test]
    fn one_try_is_all_that_people_asked_for() {
        for trigger in [Trigger::Manual, Trigger::Replay] {
            let decision = decided(
                failure(),
                Situation {
                    trigger,
                    ..situation()
                },
            );
            assert_eq!(
                (decision.then, decision.health),
                (Then::Close, HealthChange::None)
            );
        }
    }

    #[test]
    fn nothing_is_tried_again_at_an_endpoint_that_went() {
        let gone = Situation {
            endpoint_live: false,
            ..situation()
        };
        assert_eq!(decided(failure(), gone).then, Then::Close);
        let long_failing = |number| Situation {
            number,
            failing_since: Some(Timestamp::MIN),
            ..situation()
        };
        let decision = decided(failure(), long_failing(8));
        assert_eq!(
            (decision.then, decision.health),
            (Then::Close, HealthChange::Disable)
        );
        let decision = decided(failure(), long_failing(1));
        assert_eq!(
            (decision.then, decision.health),
            (in_seconds(5), HealthChange::None),
            "its own retries may succeed"
        );
        let itself_long = Situation {
            began: NOW.minus(Duration::from_secs(5 * 86_400)),
            ..long_failing(2)
        };
        let decision = decided(failure(), itself_long);
        assert_eq!(
            (decision.then, decision.health),
            (Then::Close, HealthChange::Disable)
        );
        let decision = decided(Verdict::GiveUp, situation());
        assert_eq!(
            (decision.then, decision.health),
            (Then::Close, HealthChange::Disable)
        );
    }

    #[test]
    fn what_ended_is_recorded_with_its_reason() {
        let decision = decided(Verdict::Ended(EndReason::PayloadGone), situation());
        assert_eq!(
            decision.result,
            AttemptResult::Cancelled(EndReason::PayloadGone)
        );
        assert_eq!(
            (decision.then, decision.health),
            (Then::Close, HealthChange::None)
        );
    }

    #[test]
    fn our_own_faults_are_tried_again_and_blame_nobody() {
        let decision = decided(Verdict::RetryBlameless, situation());
        assert_eq!(
            (decision.then, decision.health),
            (in_seconds(5), HealthChange::None)
        );
    }

    proptest! {
        #[test]
        fn only_a_scheduled_failure_leaves_a_delivery_open(
            number in 0u16..12, kind in 0usize..5, trigger in 0usize..3,
            live: bool, draw in 0.0..1.0
        ) {
            let verdict = [
                Verdict::Delivered,
                failure(),
                Verdict::RetryBlameless,
                Verdict::GiveUp,
                Verdict::Ended(EndReason::EndpointDeleted),
            ][kind];
            let trigger = [Trigger::Scheduled, Trigger::Manual, Trigger::Replay][trigger];
            let at = Situation { trigger, number, endpoint_live: live, draw, ..situation() };
            if let Then::Reschedule(due) = decided(verdict, at).then {
                prop_assert!(trigger == Trigger::Scheduled && live && number < 8);
                prop_assert!(matches!(kind, 1 | 2));
                prop_assert!(due > NOW);
            }
        }
    }
}
