//! Claims while outcomes commit: the moment when a delivery is in neither's hands.

use crate::support::World;
use model::Clock;
use store::Store;
use store::record::Then;
use store_sqlite::SqliteConfig;

/// A claim that read the lane as it was before an outcome, and whose hold as it was after it, would
/// hand out a delivery as it no longer is: its outcome would come too late.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_claimed_as_it_was_before_its_outcome() {
    const MESSAGES: usize = 40;
    const ATTEMPTS: u16 = 80;
    let home = tempfile::tempdir().expect("a temporary directory");
    let world = World::open(home.path(), SqliteConfig::default());
    let lane = world.lane().await;
    let item = world.item(lane).await;
    for accepted in world.store.accept(vec![item; MESSAGES]).await {
        accepted.expect("it is accepted");
    }
    let mut recording = tokio::task::JoinSet::new();
    let mut done = 0;
    while done < MESSAGES {
        let claimed = world.store.claim(lane, world.clock.now(), 8).await;
        for claimed in claimed.expect("reads go on") {
            let mut outcome = world.success(claimed);
            if outcome.attempt.number < ATTEMPTS {
                outcome.then = Then::Reschedule(outcome.delivery.due);
            }
            let store = world.store.clone();
            recording.spawn(async move {
                let last = outcome.then == Then::Close;
                (store.record(outcome).await, last)
            });
        }
        while let Some(recorded) = recording.try_join_next() {
            let (recorded, last) = recorded.expect("no panic");
            assert!(!recorded.expect("it is recorded").stale);
            done += usize::from(last);
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(world.waiting(lane).await, 0);
}
