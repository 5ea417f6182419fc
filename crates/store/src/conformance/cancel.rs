//! Cancelling: what is open to an endpoint is ended, up to a delivery.

use super::drafts::{self, Ending};
use super::world::World;
use crate::Lane;
use crate::change::{Change, ChangeError, Changed};
use model::attempt::AttemptResult;
use model::delivery::{EndReason, Trigger};
use model::id::{DeliveryKey, Key};

const ENDED: AttemptResult = AttemptResult::Cancelled(EndReason::Cancelled);

fn cancel(lane: Lane, up_to: impl Into<Option<DeliveryKey>>) -> Change {
    Change::CancelDeliveries {
        application: lane.application,
        endpoint: lane.endpoint,
        up_to: up_to.into(),
    }
}

pub(super) async fn cancelling_ends_what_was_opened_before_and_nothing_else(world: &mut World) {
    let lane = world.lane().await;
    let neighbour = world.lane_in(lane.application).await;
    let sent = world.messages(lane.application, 4).await;
    let mut claimed = world.claim(lane, 2).await;
    let retried = claimed.remove(0);
    world.end(retried, Ending::Retry(world.now())).await;
    world.resend(lane, sent[0].key(), Trigger::Manual).await;
    let up_to = of_lane(&sent[2], lane);
    let changed = world.change(cancel(lane, up_to)).await;
    assert!(matches!(changed, Changed::Work(..)), "{changed:?}");

    world.reopen().await;
    world.finish_work().await;
    let left = world.open_deliveries(lane).await;
    let left: Vec<_> = left.iter().map(|one| (one.message, one.trigger)).collect();
    let scheduled = (sent[3].key(), Trigger::Scheduled);
    let manual = (sent[0].key(), Trigger::Manual);
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(
        left.contains(&scheduled) && left.contains(&manual),
        "{left:?}"
    );
    let expected = [AttemptResult::Failure, ENDED, ENDED, ENDED];
    assert_eq!(world.results(lane).await, expected);
    assert_eq!(world.open_deliveries(neighbour).await.len(), 4);
}

pub(super) async fn cancelling_ends_what_was_opened_in_the_same_moment(world: &mut World) {
    let lane = world.lane().await;
    world.messages(lane.application, 2).await;
    world.change(cancel(lane, None)).await;
    let [later] = &world.messages(lane.application, 1).await[..] else {
        panic!("one was sent");
    };
    let kept = of_lane(later, lane);
    let row = world.endpoint_row(lane).await.expect("it is live");
    assert!(row.cancelled_up_to < kept);
    world.finish_work().await;
    let left = world.open_deliveries(lane).await;
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(left[0].message, later.key());
    assert_eq!(world.results(lane).await, [ENDED, ENDED]);
}

/// The delivery of a message to this lane.
fn of_lane(sent: &drafts::Sent, lane: Lane) -> DeliveryKey {
    let mut to = sent.draft.deliveries.iter();
    let place = to.position(|one| one.endpoint == lane.endpoint);
    sent.deliveries[place.expect("it is for this lane")].0
}

pub(super) async fn a_cancellation_is_seen_with_its_endpoint_and_stays(world: &mut World) {
    let lane = world.lane().await;
    let before = world.endpoint_row(lane).await.expect("it is live");
    assert!(before.cancelled_up_to < DeliveryKey::first_at(world.now()));
    let [early, late] = [5, 7].map(Key::from_integer);
    for (up_to, expected) in [(early, early), (late, late), (early, late)] {
        world.change(cancel(lane, up_to)).await;
        let row = world.endpoint_row(lane).await.expect("it is live");
        assert_eq!(row.cancelled_up_to, expected);
        assert_eq!(row.revision, before.revision, "nobody saved anything");
    }
    let row = world.replace_endpoint(lane, |it| it.version = 2).await;
    assert_eq!(row.cancelled_up_to, late);
    world.reopen().await;
    assert_eq!(world.endpoint_row(lane).await, Some(row));
}

pub(super) async fn cancelling_at_what_is_not_there_is_missing(world: &World) {
    let lane = world.lane().await;
    let stranger = world.lane().await;
    let crossed = Lane {
        application: stranger.application,
        ..lane
    };
    let refused = world.try_change(cancel(crossed, Key::MAX)).await;
    assert!(matches!(refused, Err(ChangeError::Missing)), "{refused:?}");
    let delete = Change::DeleteEndpoint(lane.application, lane.endpoint);
    world.change(delete).await;
    let refused = world.try_change(cancel(lane, Key::MAX)).await;
    assert!(matches!(refused, Err(ChangeError::Missing)), "{refused:?}");
}
