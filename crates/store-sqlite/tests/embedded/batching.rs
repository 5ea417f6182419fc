//! The one writer: many requests in few commits, the same requests in the same database.

use crate::support::{SECOND, World};
use std::path::Path;
use store::Store;
use store::accept::Accepted;
use store::idempotency::{IdempotencyKey, KEY_LIFE};
use store_sqlite::SqliteConfig;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_at_once_shares_commits() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let world = World::open(home.path(), SqliteConfig::default());
    let lane = world.lane().await;
    let before = world.store.commits();
    let mut running = Vec::new();
    for _ in 0..2_000 {
        let (store, item) = (world.store.clone(), world.item(lane).await);
        running.push((store, item));
    }
    let running: Vec<_> = running
        .into_iter()
        .map(|(store, item)| tokio::spawn(async move { store.accept(vec![item]).await }))
        .collect();
    for accepted in running {
        let accepted = accepted.await.expect("no panic").remove(0);
        accepted.expect("it is accepted");
    }
    let commits = world.store.commits() - before;
    assert!(commits < 1_000, "{commits} commits for 2,000 messages");
    assert_eq!(world.waiting(lane).await, 2_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outcome_alone_is_recorded_too() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let world = World::open(home.path(), SqliteConfig::default());
    let lane = world.lane().await;
    world.send(lane).await.expect("it is accepted");
    let outcome = world.outcome(lane).await;
    let recorded = world.store.record(outcome).await.expect("it is recorded");
    assert!(!recorded.stale);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_inbox_makes_callers_wait_and_refuses_nobody() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let config = SqliteConfig {
        inbox_kib: 4,
        ..SqliteConfig::default()
    };
    let world = World::open(home.path(), config);
    let lane = world.lane().await;
    let mut running = Vec::new();
    for _ in 0..200 {
        let (store, item) = (world.store.clone(), world.item(lane).await);
        running.push(tokio::spawn(async move { store.accept(vec![item]).await }));
    }
    for accepted in running {
        accepted
            .await
            .expect("no panic")
            .remove(0)
            .expect("it is accepted");
    }
    assert_eq!(world.waiting(lane).await, 200);
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let world = World::open(home.path(), SqliteConfig::default());
    let lane = world.lane().await;
    let item = world.item(lane).await;
    world.store.close();
    let refused = world
        .store
        .accept(vec![item])
        .await
        .remove(0)
        .expect_err("it is closed");
    assert!(refused.to_string().contains("closed"), "{refused}");
}

#[tokio::test]
async fn a_clean_close_leaves_everything_in_the_databases_file() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let world = World::open(home.path(), SqliteConfig::default());
    let lane = world.lane().await;
    world.send(lane).await.expect("it is accepted");
    drop(world);
    let log = home.path().join("postrider.db-wal");
    let left = log.metadata().map_or(0, |metadata| metadata.len());
    assert_eq!(left, 0);
}

/// Checkpoints in the background, and the writer's after them, let the log start anew.
#[tokio::test]
async fn the_log_does_not_grow_with_what_is_committed() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let config = SqliteConfig {
        checkpoint_bytes: 1 << 20,
        ..SqliteConfig::default()
    };
    let world = World::open(home.path(), config);
    assert_log_stays_small(&world, home.path()).await;
}

/// If there are no checkpoints in the background, the writer sees to it.
#[tokio::test]
async fn a_log_that_is_too_long_starts_anew() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let config = SqliteConfig {
        checkpoint_bytes: 1 << 20,
        wal_bytes_max: 4 << 20,
        ..SqliteConfig::default()
    };
    let (world, _nobody_runs_it) = World::open_without_checkpoints(home.path(), config);
    assert_log_stays_small(&world, home.path()).await;
}

async fn assert_log_stays_small(world: &World, path: &Path) {
    let lane = world.lane().await;
    for _ in 0..600 {
        let item = world.item(lane).await;
        for accepted in world.store.accept(vec![item; 10]).await {
            accepted.expect("it is accepted");
        }
    }
    let size = |name: &str| {
        let metadata = path.join(name).metadata().expect("it is there");
        metadata.len()
    };
    let (log, database) = (size("postrider.db-wal"), size("postrider.db"));
    assert!(database > 4 << 20, "the database has {database} bytes");
    assert!(log < 12 << 20, "the log has {log} bytes");
}

/// More idempotency keys than memory may hold, while they are written out and after a restart.
#[tokio::test]
async fn keys_beyond_what_memory_holds_are_remembered() {
    const KEYS: u8 = 250;
    let home = tempfile::tempdir().expect("a temporary directory");
    let config = SqliteConfig {
        indexed_keys_max: 20,
        ..SqliteConfig::default()
    };
    let key = |number: u8| IdempotencyKey {
        fingerprint: [number; 16],
        body: [number; 16],
        life: KEY_LIFE,
        status: 202,
    };
    let world = World::open_inline(home.path(), config.clone());
    let lane = world.lane().await;
    let mut made = Vec::new();
    for number in 0..KEYS {
        let mut item = world.item(lane).await;
        item.idempotency = Some(key(number));
        match world.store.accept(vec![item]).await.remove(0) {
            Ok(Accepted::New { id, .. }) => made.push(id.key().integer()),
            other => panic!("it is new: {other:?}"),
        }
    }
    let remembered = async |world: &World| {
        let mut found = Vec::new();
        for number in 0..KEYS {
            let prior = world
                .store
                .prior(&[[number; 16]])
                .await
                .expect("reads go on");
            found.push(prior.expect("it is remembered").made.key);
        }
        found
    };
    assert_eq!(remembered(&world).await, made);
    drop(world);
    let world = World::open_inline(home.path(), config);
    assert_eq!(remembered(&world).await, made);
}

#[tokio::test]
async fn the_same_requests_make_the_same_database() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let run = async |path: &Path| {
        let config = SqliteConfig {
            checkpoint_bytes: 1 << 16,
            ..SqliteConfig::default()
        };
        let world = World::open_inline(path, config);
        let lane = world.lane().await;
        for _ in 0..50 {
            world.send(lane).await.expect("it is accepted");
            world.clock.advance(SECOND);
            let outcome = world.outcome(lane).await;
            world.store.record(outcome).await.expect("it is recorded");
        }
        drop(world);
        std::fs::read(path.join("postrider.db")).expect("it can be read")
    };
    let first = run(&home.path().join("first")).await;
    let second = run(&home.path().join("second")).await;
    assert!(first.len() > 100_000);
    assert!(first == second, "the files differ");
}
