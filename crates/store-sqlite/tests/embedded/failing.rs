//! What happens when nothing can be written: nothing is acknowledged, reads go on, and it ends by
//! itself, or the store says that only a restart helps.

use crate::support::{SECOND, World};
use std::time::Duration;
use store::accept::AcceptError;
use store::change::Change;
use store::vitals::Cause;
use store::work::{OutsideKind, OutsideWork, Work};
use store::{Condition, Store, StoreError};
use store_sqlite::SqliteConfig;
use store_sqlite::faults::{CommitFault, Faults};

fn faulty() -> (Faults, SqliteConfig) {
    let faults = Faults::default();
    let config = SqliteConfig {
        faults: faults.clone(),
        ..SqliteConfig::default()
    };
    (faults, config)
}

fn is_unavailable<T>(answer: &Result<T, AcceptError>) -> bool {
    matches!(
        answer,
        Err(AcceptError::Store(StoreError::Unavailable { .. }))
    )
}

#[tokio::test]
async fn a_full_disk_refuses_and_recovers_by_itself() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let (faults, config) = faulty();
    let world = World::open_inline(home.path(), config);
    let lane = world.lane().await;
    world.send(lane).await.expect("there is room");
    faults.limit_pages(1);
    let mut accepted = 1;
    // Free bytes of pages that are there already are still used.
    let refused = loop {
        match world.send(lane).await {
            Ok(_) => accepted += 1,
            refused => break refused,
        }
    };
    assert!(is_unavailable(&refused), "{refused:?}");
    assert_eq!(*world.store.condition().borrow(), Condition::ReadOnly);
    let trouble = world.store.vitals().trouble.expect("it tells why");
    assert_eq!(trouble.cause, Cause::Full);
    assert_eq!(
        world.waiting(lane).await,
        accepted,
        "reads go on, of what was acknowledged"
    );

    world.clock.advance(2 * SECOND);
    assert!(
        is_unavailable(&world.send(lane).await),
        "the disk is still full"
    );
    faults.limit_pages(1_000_000);
    world.clock.advance(2 * SECOND);
    assert_eq!(world.store.vitals().trouble, Some(trouble));
    world.send(lane).await.expect("there is room again");
    assert_eq!(world.store.vitals().trouble, None);
    assert_eq!(*world.store.condition().borrow(), Condition::Writable);
    assert_eq!(world.waiting(lane).await, accepted + 1);
}

#[tokio::test]
async fn between_two_probes_nothing_is_tried() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let (faults, config) = faulty();
    let world = World::open_inline(home.path(), config);
    let lane = world.lane().await;
    faults.fail_commits(Some(CommitFault::Write));
    assert!(is_unavailable(&world.send(lane).await));
    faults.fail_commits(None);
    assert!(is_unavailable(&world.send(lane).await));
    world.clock.advance(SECOND);
    world
        .send(lane)
        .await
        .expect("the probe found that it works");
}

#[tokio::test]
async fn an_outcome_waits_until_it_can_be_recorded() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let (faults, config) = faulty();
    let world = World::open_inline(home.path(), config);
    let lane = world.lane().await;
    world.send(lane).await.expect("there is room");
    let outcome = world.outcome(lane).await;
    faults.fail_commits(Some(CommitFault::Write));
    let store = world.store.clone();
    let recording = tokio::spawn(async move { store.record(outcome).await });
    let mut condition = world.store.condition();
    let failed = condition.wait_for(|condition| *condition == Condition::ReadOnly);
    failed.await.expect("the store is there");
    assert!(!recording.is_finished());
    assert_eq!(world.waiting(lane).await, 0, "it is still held");

    faults.fail_commits(None);
    world.clock.advance(SECOND);
    world.store.step();
    let recorded = recording.await.expect("no panic").expect("it is recorded");
    assert!(!recorded.stale);
    assert_eq!(world.waiting(lane).await, 0, "it is done");
}

/// With threads, nobody has to ask for the store to find out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_driven_store_recovers_without_being_asked() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let (faults, config) = faulty();
    let world = World::open(home.path(), config);
    let lane = world.lane().await;
    faults.fail_commits(Some(CommitFault::Write));
    assert!(is_unavailable(&world.send(lane).await));
    faults.fail_commits(None);
    world.clock.advance(SECOND);
    let mut condition = world.store.condition();
    let recovered = condition.wait_for(|condition| *condition == Condition::Writable);
    let within = tokio::time::timeout(Duration::from_secs(20), recovered);
    within.await.expect("in time").expect("the store is there");
    world.send(lane).await.expect("it works");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_fsync_is_for_good() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let (faults, config) = faulty();
    let world = World::open(home.path(), config);
    let lane = world.lane().await;
    world.send(lane).await.expect("it works");
    let outcome = world.outcome(lane).await;
    let item = world.item(lane).await;
    faults.fail_commits(Some(CommitFault::Sync));
    let refused = world.store.accept(vec![item]).await.remove(0);
    let is_fatal =
        |error: &AcceptError| matches!(error, AcceptError::Store(StoreError::Fatal { .. }));
    assert!(refused.as_ref().is_err_and(is_fatal), "{refused:?}");
    assert_eq!(*world.store.condition().borrow(), Condition::Failed);
    let trouble = world.store.vitals().trouble;
    assert_eq!(trouble.map(|trouble| trouble.cause), Some(Cause::Broken));

    faults.fail_commits(None);
    let refused = world.store.record(outcome).await;
    assert!(
        matches!(refused, Err(StoreError::Fatal { .. })),
        "it is never tried again"
    );
    drop(world);
    let world = World::open_inline(home.path(), SqliteConfig::default());
    assert_eq!(
        world.waiting(lane).await,
        1,
        "a restart recovers what was acknowledged"
    );
}

#[tokio::test]
async fn what_others_do_not_write_is_told_as_unreadable() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let world = World::open_inline(home.path(), SqliteConfig::default());
    let lane = world.lane().await;
    world.send(lane).await.expect("it is accepted");
    let connection = rusqlite::Connection::open(world.store.directory().database());
    let connection = connection.expect("it opens");
    let spoil = connection.execute("UPDATE message SET event_type = 'two words'", []);
    assert_eq!(spoil.expect("it can be written"), 1);
    let refused = world
        .store
        .claim(lane, model::Clock::now(&*world.clock), 1)
        .await;
    let Err(StoreError::Corrupt { reason }) = refused else {
        panic!("it was read: {refused:?}");
    };
    assert!(reason.contains("event_type"), "{reason}");
    assert!(!reason.contains("two words"), "{reason}");
}

#[tokio::test]
async fn work_that_cannot_be_read_leaves_its_turn_to_the_rest() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let world = World::open_inline(home.path(), SqliteConfig::default());
    let application = world.lane().await.application;
    let connection = rusqlite::Connection::open(world.store.directory().database());
    let spoiled = connection.expect("it opens").execute(
        "INSERT INTO task (id, tail, application, kind, subject, low, high, detail, cursor, done,
             state, updated_at)
         VALUES (1, zeroblob(12), 5, 30, 0, 0, 0, 0, 0, 0, 0, 0),
             (2, zeroblob(12), 5, 90, 0, 0, 0, 0, 0, 0, 0, 0)",
        [],
    );
    assert_eq!(spoiled.expect("it can be written"), 2);
    let outside = Work::Outside(OutsideWork {
        kind: OutsideKind::Broadcast,
        arguments: b"what is to be done".to_vec().into(),
    });
    for (application, work) in [(Some(application), Work::ExpungeAll), (None, outside)] {
        let started = Change::StartWork {
            tail: [7; 12],
            application,
            work,
        };
        world.change(started).await;
    }
    assert!(world.store.work().await.is_err(), "it can't be read");
    let slice = world.store.work().await.expect("the other one can");
    assert!(slice.task.is_some() && slice.more);
    assert!(world.store.take_work().await.is_err(), "it can't be read");
    let taken = world.store.take_work().await.expect("the other one can");
    assert!(taken.is_some());
}
