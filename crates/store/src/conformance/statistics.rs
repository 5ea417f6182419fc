//! Statistics: the same as counting the attempts one by one.

use super::drafts::{Ending, HOUR};
use super::world::World;
use crate::Lane;
use crate::query::StatisticsQuery;
use crate::rows::Statistics;
use model::Timestamp;
use model::attempt::AttemptResult;
use model::delivery::{EndReason, Trigger};
use std::time::Duration;

/// What an id's time can tell apart.
const STEP: Duration = Duration::from_millis(4);

pub(super) async fn statistics_equal_a_count_over_attempts(world: &mut World) {
    let lane = world.lane().await;
    let neighbour = world.lane_in(lane.application).await;
    let begin = world.now();
    for _ in 0..80 {
        for lane in [lane, neighbour] {
            end_somehow(world, lane).await;
        }
        let steps = [0, 1, 2, 100, 75_000, 600_000][world.entropy.below(6)];
        world.clock.advance(STEP * steps);
    }
    world.reopen().await;
    let counted = world.attempts_to(lane).await;
    let span = world.now().since(begin) + 2 * HOUR;
    assert!(span > 4 * HOUR, "the attempts are spread over hours");

    let some_time = || begin.minus(HOUR).plus(STEP * steps_below(world, span));
    let hour = Timestamp::from_seconds(begin.seconds() / 3_600 * 3_600 + 3_600);
    let attempt = counted[7].attempt.id.key().time();
    let mut spans = vec![(hour, hour.plus(HOUR)), (attempt, hour), (hour, attempt)];
    spans.extend([(attempt, attempt), (attempt, attempt.plus(STEP))]);
    spans.extend((0..300).map(|_| (some_time(), some_time())));
    for (since, until) in spans {
        let counts = |result: fn(AttemptResult) -> bool| {
            let within = counted.iter().filter(|row| {
                let at = row.attempt.id.key().time();
                since <= at && at < until && result(row.attempt.result)
            });
            within.count() as u64
        };
        let expected = Statistics {
            success: counts(|result| result == AttemptResult::Success),
            failure: counts(|result| result == AttemptResult::Failure),
            cancelled: counts(|result| matches!(result, AttemptResult::Cancelled(_))),
            pending: 0,
            retrying: 0,
        };
        let query = StatisticsQuery {
            endpoint: lane.endpoint,
            since,
            until,
        };
        let found = world.store().statistics(query).await.expect("reads go on");
        assert_eq!(found, expected, "{since:?} to {until:?}");
    }
}

pub(super) async fn open_deliveries_are_counted_as_pending_or_retrying(world: &World) {
    let lane = world.lane().await;
    world.messages(lane.application, 5).await;
    let mut claimed = world.claim(lane, 3).await;
    let retry_at = world.now().plus(HOUR);
    let done = claimed.remove(0);
    world.end(done, Ending::Success).await;
    let message = claimed[0].delivery.message;
    for one in claimed {
        world.end(one, Ending::Retry(retry_at)).await;
    }
    world.resend(lane, message, Trigger::Manual).await;
    let _held = world.claim(lane, 1).await;
    let expected = Statistics {
        success: 1,
        failure: 2,
        cancelled: 0,
        pending: 3,
        retrying: 2,
    };
    assert_eq!(world.statistics(lane).await, expected);
}

pub(super) async fn statistics_count_what_work_ended(world: &World) {
    let lane = world.lane().await;
    world.messages(lane.application, 3).await;
    world.replace_endpoint(lane, |it| it.disabled = true).await;
    world.finish_work().await;
    let expected = Statistics {
        cancelled: 3,
        ..Statistics::default()
    };
    assert_eq!(world.statistics(lane).await, expected);
}

async fn end_somehow(world: &World, lane: Lane) {
    let claimed = world.handed_over(lane).await;
    let mut outcome = world.outcome(claimed, Ending::GivenUp);
    outcome.attempt.result = [
        AttemptResult::Success,
        AttemptResult::Failure,
        AttemptResult::Cancelled(EndReason::PayloadGone),
    ][world.entropy.below(3)];
    world.record(outcome).await;
}

fn steps_below(world: &World, span: Duration) -> u32 {
    let steps = usize::try_from(span.as_millis() / STEP.as_millis()).expect("a few hours");
    u32::try_from(world.entropy.below(steps)).expect("a few hours")
}
