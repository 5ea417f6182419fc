//! Expunging all that an application has: payloads go, and what is open of them ends.

use super::drafts::{DAY, Ending};
use super::world::World;
use crate::Lane;
use crate::change::{Change, Changed};
use crate::rows::Payload;
use crate::work::{SLICE_MAX, Work, WorkRow, WorkState};
use model::attempt::AttemptResult;
use model::delivery::EndReason;
use model::id::TaskId;

const ENDED: AttemptResult = AttemptResult::Cancelled(EndReason::Expunged);

pub(super) async fn expunging_all_takes_what_was_accepted_before_and_nothing_else(
    world: &mut World,
) {
    let lane = world.lane().await;
    let stranger = world.lane().await;
    let theirs = world.message(stranger.application).await;
    let before = world.messages(lane.application, 3).await;
    let delivered = world.claim(lane, 1).await.remove(0);
    world.end(delivered, Ending::Success).await;
    let revision = revision(world, lane).await;
    let id = expunge_all(world, lane).await;
    let after = world.message(lane.application).await;
    world.finish_work().await;
    assert_eq!(self::revision(world, lane).await, revision + 1);

    world.reopen().await;
    for sent in &before {
        let row = world.message_row(lane.application, sent.id).await;
        assert_eq!(row.expect("messages stay").payload, Payload::Gone);
    }
    let row = world.message_row(lane.application, after.id).await;
    assert_eq!(row, Some(after.row()));
    let row = world.message_row(stranger.application, theirs.id).await;
    assert_eq!(row, Some(theirs.row()));
    assert_eq!(
        world.results(lane).await,
        [AttemptResult::Success, ENDED, ENDED]
    );
    let open = world.open_deliveries(lane).await;
    assert_eq!(open.len(), 1, "of what came after");
    assert_eq!(world.open_deliveries(stranger).await.len(), 1);
    let row = self::row(world, id).await;
    assert_eq!((row.state, row.done), (WorkState::Finished, 3));
}

/// More than two slices, by what they end and by what they remove.
pub(super) async fn expunging_all_goes_on_after_reopening(world: &mut World) {
    let count = SLICE_MAX + 10;
    let lane = world.lane().await;
    world.lane_in(lane.application).await;
    let sent = world.messages(lane.application, count).await;
    let held = world.claim(lane, 10).await;
    let id = expunge_all(world, lane).await;
    let mut slices = 0;
    while world.work().await.task.is_some() {
        slices += 1;
        world.reopen().await;
    }
    drop(held);
    assert!(slices > 2, "a slice keeps to its limit");
    assert_eq!(world.open_deliveries(lane).await, []);
    assert_eq!(world.results(lane).await, vec![ENDED; count]);
    for sent in [&sent[0], &sent[count - 1]] {
        let row = world.message_row(lane.application, sent.id).await;
        assert_eq!(row.expect("messages stay").payload, Payload::Gone);
    }
    let row = self::row(world, id).await;
    assert_eq!((row.state, row.done), (WorkState::Finished, count as u64));
}

pub(super) async fn what_is_gone_already_is_not_expunged_again(world: &World) {
    let lane = world.lane().await;
    world.messages(lane.application, 2).await;
    world.clock.advance(DAY);
    for expected in [2, 0] {
        let id = expunge_all(world, lane).await;
        world.finish_work().await;
        assert_eq!(row(world, id).await.done, expected);
    }
    assert_eq!(world.results(lane).await, [ENDED; 2]);
}

pub(super) async fn expunging_all_goes_on_in_a_deleted_application(world: &World) {
    let lane = world.lane().await;
    world.messages(lane.application, 2).await;
    let id = expunge_all(world, lane).await;
    let delete = Change::DeleteApplication(lane.application);
    world.change(delete).await;
    world.finish_work().await;
    let row = self::row(world, id).await;
    assert_eq!((row.state, row.done), (WorkState::Finished, 2));
}

async fn expunge_all(world: &World, lane: Lane) -> TaskId {
    let change = Change::StartWork {
        tail: world.tail(),
        application: Some(lane.application),
        work: Work::ExpungeAll,
    };
    match world.change(change).await {
        Changed::Work(id, _) => id,
        other => panic!("started work, was told of {other:?}"),
    }
}

async fn revision(world: &World, lane: Lane) -> u64 {
    let registry = world.registry(lane.application).await;
    registry.expect("it is live").application.revision
}

async fn row(world: &World, id: TaskId) -> WorkRow {
    let row = world.store().work_row(id).await;
    row.expect("reads go on").expect("it is there")
}
