//! Vitals: what a store counts of itself, and what it says of all that is open.

use super::drafts::{Ending, HOUR, SECOND, idempotency_key};
use super::world::World;
use crate::accept::Accepted;
use crate::vitals::Backlog;

pub(super) async fn the_backlog_is_what_is_open_and_the_earliest_of_it(world: &mut World) {
    assert_eq!(backlog(world).await, Backlog::default());
    let (lane, other) = (world.lane().await, world.lane().await);
    let begin = world.now();
    let mut later = world.draft(lane.application).await;
    later.deliveries[0].due = begin.plus(HOUR);
    world.send(later).await;
    assert_eq!(
        backlog(world).await,
        Backlog::default().and(1, Some(begin.plus(HOUR)))
    );

    world.clock.advance(5 * SECOND);
    let first = world.now();
    world.messages(other.application, 3).await;
    world.clock.advance(5 * SECOND);
    world.message(lane.application).await;
    let expected = Backlog::default().and(5, Some(first));
    assert_eq!(backlog(world).await, expected);
    let held = world.claim(other, 10).await;
    assert_eq!(backlog(world).await, expected, "also while it is held");
    world.reopen().await;
    assert_eq!(backlog(world).await, expected);
    drop(held);

    let claimed = world.claim(other, 10).await;
    world.end_all(claimed, Ending::Success).await;
    let expected = Backlog::default().and(2, Some(first.plus(5 * SECOND)));
    assert_eq!(backlog(world).await, expected);
}

pub(super) async fn a_message_is_counted_when_it_is_durable_and_never_twice(world: &mut World) {
    let lane = world.lane().await;
    let before = world.store().vitals();
    assert_eq!((before.accepted, before.trouble), (0, None));
    assert!(before.commits.count() > 0, "the lane was made");

    world.messages(lane.application, 3).await;
    let mut draft = world.draft(lane.application).await;
    draft.idempotency = Some(idempotency_key(1));
    world.send(draft.clone()).await;
    let again = world.accept(draft).await;
    assert!(matches!(again, Ok(Accepted::Repeated(_))), "{again:?}");
    let mut stale = world.draft(lane.application).await;
    stale.registry_revision += 1;
    world.accept(stale).await.expect_err("it is refused");

    let after = world.store().vitals();
    assert_eq!((after.accepted, after.commits_failed), (4, 0));
    assert!(after.commits.count() >= before.commits.count() + 2);
    assert!(after.commits.count() <= before.commits.count() + 8);
    assert!(after.queue.taken <= after.queue.of && after.queue.of > 0);
}

async fn backlog(world: &World) -> Backlog {
    world.store().backlog().await.expect("reads go on")
}
