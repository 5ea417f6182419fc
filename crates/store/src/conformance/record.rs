//! Recording: every attempt is kept, and a delivery is changed only by the one who holds it.

use super::drafts::{self, Ending, FIRST_REVISION, SECOND, names, sealed};
use super::observed;
use super::reading::attempt_query;
use super::world::World;
use crate::Lane;
use crate::query::AttemptScope;
use crate::record::{HealthChange, NewAttempt, Outcome};
use crate::rows::{AttemptRow, Claimed, ObservedRow, Standing};
use model::Timestamp;
use model::attempt::{Attempt, AttemptResult};
use model::delivery::{Delivery, EndReason, Trigger};
use model::id::Id;
use std::time::Duration;

pub(super) async fn an_attempt_is_read_back_as_it_was_recorded(world: &mut World) {
    let lane = world.lane().await;
    let mut draft = world.draft(lane.application).await;
    draft.message.channels = names(["north"]);
    draft.deliveries[0].owned = true;
    let claimed = world.send(draft).await.handed_over().remove(0);
    let message = claimed.message.message.clone();
    let mut outcome = world.outcome(claimed, Ending::Retry(world.now().plus(SECOND)));
    outcome.attempt = NewAttempt {
        started_at: Timestamp::from_micros(1_767_227_399_123_456),
        duration: Duration::from_millis(u64::from(u32::MAX)),
        status_code: 999,
        excerpt: Some(sealed("come back later")),
        observed: observed::all("receiver.example"),
        ..outcome.attempt
    };
    let attempt = outcome.attempt.clone();
    let recorded = world.record(outcome).await;
    assert!(!recorded.stale && !recorded.disabled);
    assert_eq!(recorded.attempt.tail(), attempt.tail);

    let endpoint = world.endpoint_row(lane).await.expect("it is live").endpoint;
    let expected = AttemptRow {
        attempt: Attempt {
            id: recorded.attempt,
            message: message.id,
            endpoint: endpoint.id,
            trigger: Trigger::Scheduled,
            number: 1,
            started_at: attempt.started_at,
            duration: attempt.duration,
            status_code: 999,
            result: AttemptResult::Failure,
            url: endpoint.url,
        },
        event_type: message.event_type,
        channels: message.channels,
        excerpt: attempt.excerpt,
        message: None,
        observed: Some(Box::new(ObservedRow {
            phases: attempt.observed.phases,
            head: attempt.observed.head,
            certificates: observed::certificates("receiver.example"),
        })),
    };
    world.reopen().await;
    let found = world
        .store()
        .attempt(lane.application, message.id.key(), recorded.attempt)
        .await;
    assert_eq!(found.expect("reads go on"), Some(expected));
}

pub(super) async fn an_attempt_is_found_only_by_its_whole_id_under_its_message(world: &World) {
    let lane = world.lane().await;
    let other = world.message(lane.application).await.key();
    let claimed = world.claim_one(lane).await;
    let message = world.message(lane.application).await.key();
    let second = world.claim_one(lane).await;
    world.end(claimed, Ending::Success).await;
    let id = world.end(second, Ending::Success).await.attempt;

    let mut tail = id.tail();
    tail[0] ^= 1;
    for (message, id, there) in [
        (message, id, true),
        (other, id, false),
        (message, Id::new(id.key(), tail), false),
    ] {
        let found = world.store().attempt(lane.application, message, id).await;
        assert_eq!(found.expect("reads go on").is_some(), there);
    }
}

pub(super) async fn an_attempt_shows_the_url_it_went_to(world: &World) {
    let lane = world.lane().await;
    let before = world.handed_over(lane).await;
    let row = world
        .replace_endpoint(lane, |it| it.url = "https://moved.example/".to_owned())
        .await;
    let after = world.handed_over(lane).await;
    world.end(before, Ending::Success).await;
    let mut outcome = world.outcome(after, Ending::Success);
    outcome.attempt.endpoint_revision = row.revision;
    world.record(outcome).await;

    let rows = world.attempts_to(lane).await;
    let urls: Vec<&str> = rows.iter().map(|row| row.attempt.url.as_str()).collect();
    assert_eq!(
        urls,
        ["https://receiver.example/hooks", "https://moved.example/"]
    );
}

pub(super) async fn a_success_closes_the_delivery(world: &mut World) {
    closes(world, Ending::Success, Standing::Delivered).await;
}

pub(super) async fn giving_up_closes_the_delivery(world: &mut World) {
    closes(world, Ending::GivenUp, Standing::Failed).await;
}

async fn closes(world: &mut World, ending: Ending, standing: Standing) {
    let lane = world.lane().await;
    let claimed = world.handed_over(lane).await;
    world.end(claimed, ending).await;
    for _ in 0..2 {
        assert_eq!(world.open_deliveries(lane).await, []);
        assert_eq!(world.standings(lane).await, [(standing, None)]);
        world.reopen().await;
    }
}

pub(super) async fn a_reschedule_moves_the_due_time_and_counts_the_attempt(world: &mut World) {
    let lane = world.lane().await;
    let claimed = world.handed_over(lane).await;
    let before = claimed.delivery.clone();
    let due = world.now().plus(Duration::from_millis(5_250));
    world.end(claimed, Ending::Retry(due)).await;
    assert_eq!(world.claim(lane, 10).await.len(), 0, "it is not due");
    let expected = Delivery {
        attempts: 1,
        due,
        ..before
    };
    for _ in 0..2 {
        assert_eq!(world.open_deliveries(lane).await, vec![expected.clone()]);
        world.reopen().await;
    }
    world.clock.advance(6 * SECOND);
    let claimed = world.claim_one(lane).await;
    assert_eq!(claimed.delivery, expected);
}

pub(super) async fn recording_a_success_twice_changes_nothing_the_second_time(world: &World) {
    let lane = world.lane().await;
    let (first, second) = twins(world, lane, Ending::Success).await;
    let recorded = world.record(first).await;
    let repeated = world.record(second).await;
    assert_eq!(repeated.attempt, recorded.attempt);
    assert_eq!(world.results(lane).await, [AttemptResult::Success]);
    assert_eq!(world.statistics(lane).await.success, 1);
}

pub(super) async fn recording_a_reschedule_twice_changes_nothing_the_second_time(
    world: &mut World,
) {
    for wait in [SECOND, Duration::ZERO] {
        let lane = world.lane().await;
        let due = world.now().plus(wait);
        let (first, second) = twins(world, lane, Ending::Retry(due)).await;
        let recorded = world.record(first).await;
        let open = world.open_deliveries(lane).await;
        assert_eq!((open[0].attempts, open[0].due), (1, due));

        world.reopen().await;
        world.clock.advance(wait);
        let next = world.claim_one(lane).await;
        let repeated = world.record(second).await;
        assert_eq!(repeated.attempt, recorded.attempt);
        drop(next);
        assert_eq!(world.open_deliveries(lane).await, open);
        assert_eq!(world.results(lane).await, [AttemptResult::Failure]);
        assert_eq!(world.statistics(lane).await.failure, 1);
    }
}

pub(super) async fn an_outcome_of_a_delivery_that_is_gone_keeps_its_attempt_only(world: &World) {
    let lane = world.lane().await;
    let claimed = world.handed_over(lane).await;
    let late = copy_of(&claimed);
    world.end(claimed, Ending::GivenUp).await;

    let before = world.endpoint_row(lane).await;
    let mut outcome = world.outcome(late, Ending::Retry(world.now()));
    outcome.health = HealthChange::Disable;
    let recorded = world.record(outcome).await;
    assert!(recorded.stale && !recorded.disabled);
    assert_eq!(world.results(lane).await, [AttemptResult::Failure; 2]);
    assert_eq!(world.open_deliveries(lane).await, []);
    assert_eq!(world.endpoint_row(lane).await, before);
    assert_eq!(world.statistics(lane).await.failure, 2, "an attempt counts");
}

pub(super) async fn an_outcome_of_a_delivery_that_nobody_holds_is_stale(world: &mut World) {
    let lane = world.lane().await;
    let claimed = world.handed_over(lane).await;
    let delivery = claimed.delivery.clone();
    world.reopen().await; // which took it away
    let recorded = world.end(claimed, Ending::Success).await;
    assert!(recorded.stale);
    assert_eq!(world.results(lane).await, [AttemptResult::Success]);
    assert_eq!(world.open_deliveries(lane).await, [delivery]);
}

pub(super) async fn a_manual_success_closes_the_scheduled_delivery(world: &World) {
    resent(world, Trigger::Manual, Ending::Success, 0).await;
}

pub(super) async fn a_replayed_success_closes_the_scheduled_delivery(world: &World) {
    resent(world, Trigger::Replay, Ending::Success, 0).await;
}

pub(super) async fn a_manual_failure_leaves_the_scheduled_delivery_open(world: &World) {
    resent(world, Trigger::Manual, Ending::GivenUp, 1).await;
}

pub(super) async fn a_replayed_failure_leaves_the_scheduled_delivery_open(world: &World) {
    resent(world, Trigger::Replay, Ending::GivenUp, 1).await;
}

/// A scheduled delivery waits for its retry; the message is sent again meanwhile; so many of its
/// deliveries to this endpoint are left.
async fn resent(world: &World, trigger: Trigger, ending: Ending, left: usize) {
    let lane = world.lane().await;
    let neighbour = world.lane_in(lane.application).await;
    let message = world.message(lane.application).await.key();
    let claimed = world.claim_one(lane).await;
    let retry_at = world.now().plus(300 * SECOND);
    world.end(claimed, Ending::Retry(retry_at)).await;

    world.resend(lane, message, trigger).await;
    let claimed = world.claim_one(lane).await;
    assert_eq!(claimed.delivery.trigger, trigger);
    world.end(claimed, ending).await;
    let open = world.open_deliveries(lane).await;
    assert_eq!(open.len(), left);
    assert!(open.iter().all(|delivery| delivery.due == retry_at));
    assert_eq!(world.open_deliveries(neighbour).await.len(), 1);
}

pub(super) async fn a_scheduled_success_leaves_a_manual_delivery_open(world: &World) {
    let lane = world.lane().await;
    let scheduled = world.handed_over(lane).await;
    let message = scheduled.delivery.message;
    world.resend(lane, message, Trigger::Manual).await;
    world.end(scheduled, Ending::Success).await;
    assert_eq!(
        world.claim_one(lane).await.delivery.trigger,
        Trigger::Manual
    );
}

pub(super) async fn a_manual_success_leaves_other_deliveries_by_hand_open(world: &World) {
    let lane = world.lane().await;
    let claimed = world.handed_over(lane).await;
    let message = claimed.delivery.message;
    world.end(claimed, Ending::GivenUp).await;
    for _ in 0..2 {
        world.resend(lane, message, Trigger::Manual).await;
    }
    world.resend(lane, message, Trigger::Replay).await;
    let first = world.claim(lane, 1).await.remove(0);
    world.end(first, Ending::Success).await;
    let open = world.open_deliveries(lane).await;
    let left: Vec<Trigger> = open.iter().map(|delivery| delivery.trigger).collect();
    assert_eq!(left, [Trigger::Manual, Trigger::Replay]);
}

pub(super) async fn a_manual_success_closes_a_delivery_that_is_under_way(world: &World) {
    let lane = world.lane().await;
    let scheduled = world.handed_over(lane).await;
    let message = scheduled.delivery.message;
    world.resend(lane, message, Trigger::Manual).await;
    let manual = world.claim_one(lane).await;
    assert!(!world.end(manual, Ending::Success).await.stale);

    let recorded = world.end(scheduled, Ending::Retry(world.now())).await;
    assert!(recorded.stale);
    assert_eq!(world.open_deliveries(lane).await, []);
}

pub(super) async fn a_cancelled_attempt_keeps_its_reason(world: &World) {
    let lane = world.lane().await;
    let reasons = [
        EndReason::EndpointDisabled,
        EndReason::EndpointDeleted,
        EndReason::PayloadGone,
        EndReason::Expunged,
        EndReason::Cancelled,
    ];
    for reason in reasons {
        let claimed = world.handed_over(lane).await;
        let mut outcome = world.outcome(claimed, Ending::GivenUp);
        outcome.attempt.result = AttemptResult::Cancelled(reason);
        world.record(outcome).await;
    }
    assert_eq!(
        world.results(lane).await,
        reasons.map(AttemptResult::Cancelled)
    );
    let expected = reasons.map(|_| (Standing::Cancelled, None));
    assert_eq!(world.standings(lane).await, expected);
    assert_eq!(world.statistics(lane).await.cancelled, 5);
}

pub(super) async fn an_attempt_keeps_its_trigger_and_number(world: &World) {
    let lane = world.lane().await;
    let message = world.message(lane.application).await.key();
    for expected in [1, 2] {
        let claimed = world.claim_one(lane).await;
        assert_eq!(claimed.delivery.attempts + 1, expected);
        world.end(claimed, Ending::Retry(world.now())).await;
    }
    for trigger in [Trigger::Manual, Trigger::Replay] {
        let scheduled = world.claim_one(lane).await;
        world.resend(lane, message, trigger).await;
        let claimed = world.claim_one(lane).await;
        world.end(claimed, Ending::GivenUp).await;
        drop(scheduled);
    }
    let scope = AttemptScope::Message(message, Some(lane.endpoint));
    let query = attempt_query(lane.application, scope);
    let rows = world.attempt_rows(&query).await;
    let kept: Vec<(Trigger, u16)> = rows
        .iter()
        .map(|row| (row.attempt.trigger, row.attempt.number))
        .collect();
    let scheduled = [1, 2].map(|number| (Trigger::Scheduled, number));
    assert_eq!(kept[..2], scheduled);
    assert_eq!(kept[2..], [(Trigger::Manual, 1), (Trigger::Replay, 1)]);
}

pub(super) async fn concurrent_outcomes_are_each_recorded_once(world: &World) {
    let lane = world.lane().await;
    world.messages(lane.application, 200).await;
    let claimed = world.claim(lane, 500).await;
    world.end_all(claimed, Ending::Success).await;
    assert_eq!(world.results(lane).await, [AttemptResult::Success; 200]);
    assert_eq!(world.open_deliveries(lane).await, []);
    let rows = world.attempts_to(lane).await;
    assert!(rows.is_sorted_by(|one, next| one.attempt.id.key() < next.attempt.id.key()));
}

/// One outcome, and the same once more.
async fn twins(world: &World, lane: Lane, ending: Ending) -> (Outcome, Outcome) {
    let claimed = world.handed_over(lane).await;
    let copy = copy_of(&claimed);
    let tail = world.tail();
    let both = [claimed, copy].map(|one| drafts::outcome(one, ending, tail, world.now()));
    let [first, second] = both;
    assert_eq!(first.attempt.endpoint_revision, FIRST_REVISION);
    (first, second)
}

/// The same delivery with a hold that lets go of nothing.
fn copy_of(claimed: &Claimed) -> Claimed {
    Claimed {
        delivery: claimed.delivery.clone(),
        message: claimed.message.clone(),
        hold: drafts::empty_hold(claimed.delivery.endpoint, claimed.delivery.key),
    }
}
