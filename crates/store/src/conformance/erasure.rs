//! Erasing messages by a step of work that is done outside: payloads, what was answered, and what
//! is open of them.

use super::drafts::{Ending, sealed};
use super::works::{advance, outside, start, take, to, work_row};
use super::world::World;
use crate::Lane;
use crate::change::Change;
use crate::rows::{Claimed, Payload};
use crate::work::{Advanced, OutsideKind, WorkStep};
use model::attempt::AttemptResult;
use model::delivery::{EndReason, Trigger};
use model::id::{ApplicationKey, AttemptId, MessageKey};

const ENDED: AttemptResult = AttemptResult::Cancelled(EndReason::Expunged);

pub(super) async fn a_step_erases_payloads_and_answers_and_ends_what_is_open(world: &mut World) {
    let (lane, other) = (world.lane().await, world.lane().await);
    let neighbour = world.lane_in(lane.application).await;
    let answered = world.handed_over(lane).await;
    let kept = world.handed_over(lane).await;
    let theirs = world.message(other.application).await;
    let (first, second) = (message(&answered), message(&kept));
    let answered = answer(world, answered).await;
    let kept = answer(world, kept).await;
    for message in [first, second] {
        world.resend(neighbour, message, Trigger::Manual).await;
    }
    let id = start(world, None, outside(OutsideKind::Erasure)).await;
    let step = WorkStep {
        done: 2,
        erased: vec![(lane.application, first), (other.application, theirs.key())],
        ..to(7)
    };
    let moved = advance(world, &take(world).await, step).await;
    assert!(matches!(moved, Advanced::Moved(_)), "{moved:?}");

    world.reopen().await;
    assert_eq!(
        payload(world, (lane.application, first)).await,
        Payload::Gone
    );
    let gone = payload(world, (other.application, theirs.key())).await;
    assert_eq!(gone, Payload::Gone);
    let there = payload(world, (lane.application, second)).await;
    assert_ne!(there, Payload::Gone);
    assert_eq!(excerpt(world, lane, (first, answered)).await, sealed(""));
    assert_eq!(excerpt(world, lane, (second, kept)).await, sealed("thanks"));
    assert_eq!(world.results(other).await, [ENDED]);
    assert_eq!(world.results(neighbour).await, [ENDED]);
    assert_eq!(world.open_deliveries(neighbour).await.len(), 1);
    let row = work_row(world, id).await;
    assert_eq!((row.done, take(world).await.cursor), (2, 7));
}

pub(super) async fn a_step_that_is_lost_erases_nothing(world: &World) {
    let lane = world.lane().await;
    let sent = world.message(lane.application).await;
    start(world, None, outside(OutsideKind::Erasure)).await;
    let taken = take(world).await;
    advance(world, &taken, to(5)).await;
    let step = WorkStep {
        erased: vec![(lane.application, sent.key())],
        ..to(6)
    };
    let late = advance(world, &taken, step).await;
    assert!(matches!(late, Advanced::Lost), "{late:?}");
    let row = world.message_row(lane.application, sent.id).await;
    assert_eq!(row, Some(sent.row()));
    assert_eq!(world.open_deliveries(lane).await.len(), 1);
}

pub(super) async fn what_is_answered_to_an_erased_message_later_is_not_kept(world: &mut World) {
    let lane = world.lane().await;
    let under_way = world.handed_over(lane).await;
    let message = message(&under_way);
    erase(world, (lane.application, message)).await;
    let late = answer(world, under_way).await;
    world.reopen().await;
    assert_eq!(excerpt(world, lane, (message, late)).await, sealed(""));
    assert_eq!(world.results(lane).await, [ENDED, AttemptResult::Success]);
}

pub(super) async fn erasing_goes_on_in_a_deleted_application(world: &World) {
    let lane = world.lane().await;
    let claimed = world.handed_over(lane).await;
    let message = message(&claimed);
    let answered = answer(world, claimed).await;
    let delete = Change::DeleteApplication(lane.application);
    world.change(delete).await;
    erase(world, (lane.application, message)).await;
    assert_eq!(
        payload(world, (lane.application, message)).await,
        Payload::Gone
    );
    assert_eq!(excerpt(world, lane, (message, answered)).await, sealed(""));
}

fn message(claimed: &Claimed) -> MessageKey {
    claimed.message.message.id.key()
}

async fn erase(world: &World, message: (ApplicationKey, MessageKey)) {
    start(world, None, outside(OutsideKind::Erasure)).await;
    let step = WorkStep {
        erased: vec![message],
        ..to(1)
    };
    let moved = advance(world, &take(world).await, step).await;
    assert!(matches!(moved, Advanced::Moved(_)), "{moved:?}");
}

/// Its receiver answers with success.
async fn answer(world: &World, claimed: Claimed) -> AttemptId {
    let mut outcome = world.outcome(claimed, Ending::Success);
    outcome.attempt.excerpt = Some(sealed("thanks"));
    world.record(outcome).await.attempt
}

async fn payload(world: &World, of: (ApplicationKey, MessageKey)) -> Payload {
    let all = world.messages_of(of.0).await;
    let id = all.into_iter().find(|id| id.key() == of.1);
    let row = world.message_row(of.0, id.expect("it stays")).await;
    row.expect("it stays").payload
}

async fn excerpt(world: &World, lane: Lane, of: (MessageKey, AttemptId)) -> crate::Sealed {
    let found = world.store().attempt(lane.application, of.0, of.1).await;
    let found = found.expect("reads go on").expect("attempts stay");
    found.excerpt.expect("there was one")
}
