//! Recovery: what failed for good is sent again, once, and nothing else is.

use super::drafts::{DAY, Ending, HOUR, SECOND};
use super::world::World;
use crate::Lane;
use crate::change::{Change, Changed};
use crate::work::{SLICE_MAX, Work, WorkState};
use model::Timestamp;
use model::delivery::Trigger;
use model::id::{MessageKey, TaskId};
use std::collections::BTreeSet;

pub(super) async fn a_recovery_opens_a_replay_for_each_message_that_failed_for_good(
    world: &mut World,
) {
    let lane = world.lane().await;
    let neighbour = world.lane_in(lane.application).await;
    let sent = world.messages(lane.application, 6).await;
    let retry_at = world.now().plus(HOUR);
    let endings = [
        Ending::Success,
        Ending::GivenUp,
        Ending::Retry(retry_at),
        Ending::GivenUp,
    ];
    for lane in [lane, neighbour] {
        for (claimed, ending) in world.claim(lane, 4).await.into_iter().zip(endings) {
            world.end(claimed, ending).await;
        }
    }
    recover_all(world, lane).await;
    world.reopen().await;
    let slices = world.finish_work().await;
    assert_eq!(slices[0].lanes[0].endpoint, lane.endpoint);
    assert_eq!(slices[0].lanes[0].due, world.now());

    assert_eq!(replays(world, lane).await, [sent[1].key(), sent[3].key()]);
    assert_eq!(replays(world, neighbour).await, []);
    let open = world.open_deliveries(lane).await;
    let rest = open.iter().filter(|one| one.trigger == Trigger::Scheduled);
    assert_eq!(rest.count(), 3, "one to retry, two pending");
    let replayed = open.iter().filter(|one| one.trigger == Trigger::Replay);
    for delivery in replayed {
        assert_eq!((delivery.due, delivery.attempts), (world.now(), 0));
    }
}

pub(super) async fn a_recovery_reaches_from_since_to_before_until(world: &World) {
    let lane = world.lane().await;
    let begin = world.now();
    let mut failed = Vec::new();
    for _ in 0..4 {
        failed.push(failed_message(world, lane).await);
        world.clock.advance(SECOND);
    }
    start(world, lane, begin.plus(SECOND), begin.plus(3 * SECOND)).await;
    world.finish_work().await;
    assert_eq!(replays(world, lane).await, failed[1..3]);
}

pub(super) async fn a_message_that_was_resent_with_success_is_not_recovered(world: &World) {
    let lane = world.lane().await;
    let message = failed_message(world, lane).await;
    world.resend(lane, message, Trigger::Manual).await;
    let claimed = world.claim_one(lane).await;
    world.end(claimed, Ending::Success).await;
    recover_all(world, lane).await;
    world.finish_work().await;
    assert_eq!(world.open_deliveries(lane).await, []);
}

pub(super) async fn a_message_that_is_being_resent_is_not_recovered(world: &World) {
    let lane = world.lane().await;
    let message = failed_message(world, lane).await;
    world.resend(lane, message, Trigger::Manual).await;
    let _held = world.claim_one(lane).await;
    recover_all(world, lane).await;
    world.finish_work().await;
    assert_eq!(world.open_deliveries(lane).await, []);
}

pub(super) async fn a_second_recovery_does_not_repeat_the_first(world: &World) {
    let lane = world.lane().await;
    let message = failed_message(world, lane).await;
    recover_all(world, lane).await;
    recover_all(world, lane).await;
    world.finish_work().await;
    assert_eq!(replays(world, lane).await, [message]);

    let claimed = world.claim_one(lane).await;
    world.end(claimed, Ending::GivenUp).await;
    recover_all(world, lane).await;
    world.finish_work().await;
    assert_eq!(replays(world, lane).await, [message], "it failed once more");
}

pub(super) async fn what_a_disabled_endpoint_failed_to_get_is_recovered(world: &World) {
    let lane = world.lane().await;
    let message = world.message(lane.application).await.key();
    let claimed = world.claim_one(lane).await;
    world.end(claimed, Ending::Retry(world.now())).await;
    for disabled in [true, false] {
        world
            .replace_endpoint(lane, move |it| it.disabled = disabled)
            .await;
        world.finish_work().await;
    }
    recover_all(world, lane).await;
    world.finish_work().await;
    assert_eq!(replays(world, lane).await, [message]);
}

pub(super) async fn a_message_whose_payload_is_gone_is_not_recovered(world: &World) {
    let lane = world.lane().await;
    let mut draft = world.draft(lane.application).await;
    draft.message.expires_at = world.now().plus(5 * DAY);
    world.send(draft).await;
    let claimed = world.claim_one(lane).await;
    world.end(claimed, Ending::GivenUp).await;
    world.clock.advance(5 * DAY);
    world.sweep(super::sweep::payloads_only(world)).await;
    let kept = failed_message(world, lane).await;
    recover_all(world, lane).await;
    world.finish_work().await;
    assert_eq!(replays(world, lane).await, [kept]);
}

/// More than two slices. Each message failed twice before; after each slice the store is opened
/// anew, and what the slice opened fails once more.
pub(super) async fn a_recovery_goes_on_after_reopening_and_opens_each_replay_once(
    world: &mut World,
) {
    let count = 2 * SLICE_MAX + 10;
    let lane = world.lane().await;
    let sent = world.messages(lane.application, count).await;
    for ending in [Ending::Retry(world.now()), Ending::GivenUp] {
        let claimed = world.claim(lane, count).await;
        world.end_all(claimed, ending).await;
    }
    let id = recover_all(world, lane).await;

    let mut replayed: BTreeSet<MessageKey> = BTreeSet::new();
    while world.work().await.task.is_some() {
        world.reopen().await;
        let opened = world.claim(lane, count).await;
        assert!(opened.len() <= SLICE_MAX, "a slice keeps to its limit");
        for one in &opened {
            assert!(
                replayed.insert(one.delivery.message),
                "replayed twice: {one:?}"
            );
        }
        world.end_all(opened, Ending::GivenUp).await;
    }
    assert_eq!(replayed, sent.iter().map(|sent| sent.key()).collect());
    let row = world.store().work_row(id).await.expect("reads go on");
    let row = row.expect("it is there");
    assert_eq!(row.state, WorkState::Finished);
    assert_eq!(row.done, count as u64);
}

async fn failed_message(world: &World, lane: Lane) -> MessageKey {
    let claimed = world.handed_over(lane).await;
    let message = claimed.delivery.message;
    world.end(claimed, Ending::GivenUp).await;
    message
}

/// Starts a recovery of everything up to now.
async fn recover_all(world: &World, lane: Lane) -> TaskId {
    let (since, until) = (world.now().minus(14 * DAY), world.now().plus(SECOND));
    start(world, lane, since, until).await
}

async fn start(world: &World, lane: Lane, since: Timestamp, until: Timestamp) -> TaskId {
    let change = Change::StartWork {
        tail: world.tail(),
        application: Some(lane.application),
        work: Work::Recover {
            endpoint: lane.endpoint,
            since,
            until,
        },
    };
    match world.change(change).await {
        Changed::Work(id, _) => id,
        other => panic!("started work, was told of {other:?}"),
    }
}

/// The messages of all open replays.
async fn replays(world: &World, lane: Lane) -> Vec<MessageKey> {
    let open = world.open_deliveries(lane).await;
    let replays = open.iter().filter(|one| one.trigger == Trigger::Replay);
    replays.map(|one| one.message).collect()
}
