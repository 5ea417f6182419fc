//! What outcomes do to an endpoint's health, and what becomes of a disabled one.

use super::drafts::{Ending, HOUR, SECOND};
use super::world::World;
use crate::Lane;
use crate::change::Change;
use crate::record::{HealthChange, Recorded};
use crate::rows::Standing;
use model::Timestamp;
use model::attempt::AttemptResult;
use model::delivery::EndReason;
use model::endpoint::Endpoint;

const ENDED: AttemptResult = AttemptResult::Cancelled(EndReason::EndpointDisabled);

pub(super) async fn failing_begins_once(world: &mut World) {
    let lane = world.lane().await;
    assert_eq!(failing_since(world, lane).await, None);
    let since = world.now();
    fail(world, lane, HealthChange::FailingSince(since)).await;
    world.clock.advance(HOUR);
    fail(world, lane, HealthChange::FailingSince(world.now())).await;
    fail(world, lane, HealthChange::None).await;
    assert_eq!(failing_since(world, lane).await, Some(since));
    world.reopen().await;
    assert_eq!(failing_since(world, lane).await, Some(since));
}

pub(super) async fn what_fails_is_found_by_when_that_began(world: &mut World) {
    let mut lanes = Vec::new();
    for _ in 0..5 {
        lanes.push(world.lane().await);
    }
    let [first, second, fine, off, gone] = lanes[..] else {
        unreachable!("there are five");
    };
    for lane in [first, second, off, gone] {
        world.clock.advance(HOUR);
        fail(world, lane, HealthChange::FailingSince(world.now())).await;
    }
    fail(world, fine, HealthChange::None).await;
    fail(world, off, HealthChange::Disable).await;
    let delete = Change::DeleteEndpoint(gone.application, gone.endpoint);
    world.change(delete).await;
    world.reopen().await;
    for (disabled, limit, expected) in [
        (false, 9, &[first, second][..]),
        (false, 1, &[first]),
        (true, 9, &[off]),
    ] {
        let found = world.store().failing_endpoints(disabled, limit).await;
        let found = found.expect("reads go on");
        let keys: Vec<_> = found.iter().map(|row| row.endpoint.id.key()).collect();
        let expected: Vec<_> = expected.iter().map(|lane| lane.endpoint).collect();
        assert_eq!(keys, expected, "disabled: {disabled}");
    }
}

pub(super) async fn a_success_forgets_since_when_it_failed(world: &World) {
    let lane = world.lane().await;
    let neighbour = world.lane_in(lane.application).await;
    for lane in [lane, neighbour] {
        fail(world, lane, HealthChange::FailingSince(world.now())).await;
    }
    let claimed = world.handed_over(lane).await;
    let mut outcome = world.outcome(claimed, Ending::Success);
    outcome.health = HealthChange::Works;
    world.record(outcome).await;
    assert_eq!(failing_since(world, lane).await, None);
    assert!(failing_since(world, neighbour).await.is_some());
}

pub(super) async fn failing_and_working_leave_revisions_alone(world: &World) {
    let lane = world.lane().await;
    let before = revisions(world, lane).await;
    fail(world, lane, HealthChange::FailingSince(world.now())).await;
    fail(world, lane, HealthChange::Works).await;
    assert_eq!(revisions(world, lane).await, before);
}

pub(super) async fn enabling_forgets_since_when_it_failed(world: &World) {
    let lane = world.lane().await;
    let since = world.now();
    fail(world, lane, HealthChange::FailingSince(since)).await;
    let write = |disabled| world.replace_endpoint(lane, move |it| it.disabled = disabled);
    assert_eq!(
        write(false).await.failing_since,
        Some(since),
        "it was enabled"
    );
    assert_eq!(write(true).await.failing_since, Some(since));
    assert_eq!(write(false).await.failing_since, None);
    assert_eq!(failing_since(world, lane).await, None);
}

pub(super) async fn an_outcome_can_disable_its_endpoint(world: &mut World) {
    let lane = world.lane().await;
    let neighbour = world.lane_in(lane.application).await;
    world.messages(lane.application, 2).await;
    let before = revisions(world, lane).await;

    let claimed = world.claim(lane, 1).await.remove(0);
    let mut outcome = world.outcome(claimed, Ending::GivenUp);
    outcome.health = HealthChange::Disable;
    assert!(world.record(outcome).await.disabled);
    let row = world.endpoint_row(lane).await.expect("it is live");
    assert!(row.endpoint.disabled);
    let after = revisions(world, lane).await;
    assert!(
        after.0 > before.0 && after.1 > before.1,
        "{before:?} {after:?}"
    );

    world.reopen().await;
    world.finish_work().await;
    assert_eq!(world.results(lane).await, [AttemptResult::Failure, ENDED]);
    assert_eq!(world.open_deliveries(lane).await, []);
    assert_eq!(world.open_deliveries(neighbour).await.len(), 2);
}

pub(super) async fn what_is_disabled_is_not_disabled_again(world: &World) {
    let lane = world.lane().await;
    let (first, second) = (world.handed_over(lane).await, world.handed_over(lane).await);
    let mut disabled = Vec::new();
    let mut seen = Vec::new();
    for claimed in [first, second] {
        let mut outcome = world.outcome(claimed, Ending::GivenUp);
        outcome.health = HealthChange::Disable;
        disabled.push(world.record(outcome).await.disabled);
        seen.push(revisions(world, lane).await);
    }
    assert_eq!(disabled, [true, false]);
    assert_eq!(seen[0], seen[1]);
}

pub(super) async fn disabling_ends_what_was_opened_before_enabling(world: &World) {
    let lane = world.lane().await;
    world.messages(lane.application, 3).await;
    let retried = world.claim(lane, 1).await.remove(0);
    world
        .end(retried, Ending::Retry(world.now().plus(HOUR)))
        .await;
    world.replace_endpoint(lane, |it| it.disabled = true).await;
    world.replace_endpoint(lane, |it| it.disabled = false).await;
    let later = world.message(lane.application).await;

    world.finish_work().await;
    let results = world.results(lane).await;
    assert_eq!(results, [AttemptResult::Failure, ENDED, ENDED, ENDED]);
    assert_eq!(world.open_deliveries(lane).await, [later.delivery(0)]);
    let standings = world.standings(lane).await;
    assert_eq!(standings[0].0, Standing::Pending);
    assert_eq!(standings[1..], [(Standing::Cancelled, None); 3]);
}

pub(super) async fn writing_a_disabled_endpoint_again_starts_no_work(world: &World) {
    let lane = world.lane().await;
    world.replace_endpoint(lane, |it| it.disabled = true).await;
    world.finish_work().await;
    let description = |text: &'static str| move |it: &mut Endpoint| it.description = text.into();
    world
        .replace_endpoint(lane, description("still disabled"))
        .await;
    assert_eq!(world.finish_work().await, []);
}

pub(super) async fn an_ended_delivery_says_what_it_was(world: &World) {
    let lane = world.lane().await;
    let sent = world.message(lane.application).await;
    world.clock.advance(SECOND);
    let disabled = world.replace_endpoint(lane, |it| {
        it.url = "https://moved.example/".to_owned();
        it.disabled = true;
    });
    let url = disabled.await.endpoint.url;
    world.finish_work().await;
    let mut row = world.attempts_to(lane).await.remove(0);
    assert_eq!(row.attempt.url, url, "as it was when it ended");
    assert_eq!(row.attempt.started_at, world.now());
    assert_eq!(row.attempt.message, sent.id);
    assert_eq!(row.attempt.endpoint.key(), lane.endpoint);
    assert_eq!(row.attempt.trigger, model::delivery::Trigger::Scheduled);
    assert_eq!(row.attempt.status_code, 0);
    assert_eq!(row.event_type, sent.draft.message.event_type);
    assert_eq!(row.excerpt, None);
    let found = world
        .store()
        .attempt(lane.application, sent.key(), row.attempt.id)
        .await;
    row.observed = Some(Box::default());
    assert_eq!(found.expect("reads go on"), Some(row));
}

pub(super) async fn an_attempt_under_way_while_its_endpoint_is_disabled_is_kept(world: &World) {
    let lane = world.lane().await;
    let claimed = world.handed_over(lane).await;
    world.replace_endpoint(lane, |it| it.disabled = true).await;
    world.finish_work().await;
    let recorded = world.end(claimed, Ending::Retry(world.now())).await;
    assert!(recorded.stale, "its delivery was ended");
    assert_eq!(world.results(lane).await, [ENDED, AttemptResult::Failure]);
    assert_eq!(world.open_deliveries(lane).await, []);
}

pub(super) async fn an_attempt_that_ends_before_the_work_is_not_rescheduled(world: &World) {
    let lane = world.lane().await;
    let claimed = world.handed_over(lane).await;
    world.replace_endpoint(lane, |it| it.disabled = true).await;
    world.end(claimed, Ending::Retry(world.now())).await;
    world.finish_work().await;
    assert_eq!(world.results(lane).await, [AttemptResult::Failure, ENDED]);
    assert_eq!(world.open_deliveries(lane).await, []);
}

async fn fail(world: &World, lane: Lane, health: HealthChange) -> Recorded {
    let claimed = world.handed_over(lane).await;
    let mut outcome = world.outcome(claimed, Ending::GivenUp);
    outcome.health = health;
    world.record(outcome).await
}

async fn failing_since(world: &World, lane: Lane) -> Option<Timestamp> {
    let row = world.endpoint_row(lane).await;
    row.expect("it is live").failing_since
}

/// The application's and the endpoint's.
async fn revisions(world: &World, lane: Lane) -> (u64, u32) {
    let registry = world.registry(lane.application).await.expect("it is live");
    let endpoint = registry.endpoint(lane.endpoint).expect("it is live");
    (registry.application.revision, endpoint.revision)
}
