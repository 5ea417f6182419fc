//! What came in at sources is told however much did, and whatever it was that it came after.

use crate::support::{SECOND, World};
use model::Clock;
use model::id::MessageId;
use std::path::Path;
use std::time::Duration;
use store::accept::{Accepted, ReplayEntry, Seen};
use store::transfer::Transfer;
use store::work::SweepLimits;
use store::{Lane, Store};
use store_sqlite::{SqliteConfig, SqliteTransfer};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

const TICK: Duration = Duration::from_micros(1);

fn few_in_memory() -> SqliteConfig {
    SqliteConfig {
        indexed_keys_max: 20,
        ..SqliteConfig::default()
    }
}

/// One that is remembered for ten minutes, for a day and a bit, or for a month.
fn entry(world: &World, number: u8) -> ReplayEntry {
    let life = match number % 3 {
        0 => 10 * MINUTE,
        1 => DAY + MINUTE,
        _ => 30 * DAY,
    };
    ReplayEntry {
        key: [number; 16],
        unsigned_id: number.is_multiple_of(2).then_some([number; 16]),
        second: None,
        content: [number; 16],
        until: world.clock.now().plus(life),
    }
}

async fn come_in(world: &World, lane: Lane, entry: ReplayEntry) -> Accepted {
    let mut item = world.item(lane).await;
    item.replay = Some(entry);
    let accepted = world.store.accept(vec![item]).await.remove(0);
    accepted.expect("it is in order")
}

async fn come_in_anew(world: &World, lane: Lane, entry: ReplayEntry) -> MessageId {
    match come_in(world, lane, entry).await {
        Accepted::New { id, .. } => id,
        other => panic!("it is new: {other:?}"),
    }
}

async fn assert_seen(world: &World, lane: Lane, all: &[Seen]) {
    for expected in all {
        match come_in(world, lane, expected.entry).await {
            Accepted::Seen(seen) => assert_eq!(seen, *expected),
            other => panic!("it came in before: {other:?}"),
        }
    }
}

async fn move_to(from: &Path, to: &Path) {
    let mut source = SqliteTransfer::source(from).expect("it is at rest");
    let mut target = SqliteTransfer::target(to).expect("nobody is there");
    let begun = Transfer::begin(&mut source, &mut target).await;
    let mut transfer = begun.expect("it begins").chunks_of(7);
    while transfer.step().await.expect("both are there").is_some() {}
    let (all, there) = transfer.counts().await.expect("both are there");
    assert_eq!(all, there);
    transfer.finish().await.expect("all is there");
}

/// While keys are written out, after a restart, and in a store that was filled from another.
#[tokio::test]
async fn what_came_in_is_seen_beyond_what_memory_holds() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let (first, second) = (home.path().join("first"), home.path().join("second"));
    let world = World::open_inline(&first, few_in_memory());
    let lane = world.lane().await;
    let mut all = Vec::new();
    for number in 0..250 {
        let entry = entry(&world, number);
        let id = come_in_anew(&world, lane, entry).await;
        all.push(Seen { id, entry });
    }
    assert_seen(&world, lane, &all).await;
    drop(world);
    let world = World::open_inline(&first, few_in_memory());
    assert_seen(&world, lane, &all).await;
    drop(world);
    move_to(&first, &second).await;
    let world = World::open_inline(&second, few_in_memory());
    assert_seen(&world, lane, &all).await;
    for number in 250..=255 {
        come_in_anew(&world, lane, entry(&world, number)).await;
    }
}

/// What is over is found by nobody, and is neither in the way of what comes later under its key.
#[tokio::test]
async fn what_is_over_gives_way_also_when_it_is_moved() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let (first, second) = (home.path().join("first"), home.path().join("second"));
    let world = World::open_inline(&first, SqliteConfig::default());
    let lane = world.lane().await;
    let mut latest = Vec::new();
    // The second in the hour of the first, the third in the next one.
    for wait in [MINUTE, 12 * MINUTE, 40 * MINUTE] {
        world.clock.advance(wait);
        let entry = entry(&world, 0);
        let id = come_in_anew(&world, lane, entry).await;
        latest = vec![Seen { id, entry }];
        assert_seen(&world, lane, &latest).await;
    }
    let now = latest[0].entry.until;
    drop(world);
    let reopened = World::try_open_inline(&first, SqliteConfig::default(), now);
    let world = reopened.expect("it opens");
    assert_seen(&world, lane, &latest).await;
    drop(world);
    move_to(&first, &second).await;
    let opened = World::try_open_inline(&second, SqliteConfig::default(), now);
    let world = opened.expect("it opens");
    assert_seen(&world, lane, &latest).await;
    world.clock.advance(TICK);
    come_in_anew(&world, lane, latest[0].entry).await;
}

/// With the day that is begun, not with the hour: a sweep has little to look into.
#[tokio::test]
async fn what_is_remembered_for_days_is_swept_with_its_day() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let world = World::open_inline(home.path(), few_in_memory());
    let lane = world.lane().await;
    let mut all = Vec::new();
    for number in 0..60 {
        let entry = ReplayEntry {
            until: entry(&world, 1).until,
            ..entry(&world, number)
        };
        let id = come_in_anew(&world, lane, entry).await;
        all.push(Seen { id, entry });
    }
    let begun = world.clock.now();
    let until = all[0].entry.until;
    for (swept_at, seen) in [(until.plus(120 * MINUTE), true), (until.plus(DAY), false)] {
        world.clock.set(swept_at);
        let limits = SweepLimits {
            keep_since: begun.minus(SECOND),
            rows_max: 25,
        };
        while world.store.sweep(limits).await.expect("it works").more {}
        world.clock.set(begun);
        match seen {
            true => assert_seen(&world, lane, &all).await,
            false => {
                for seen in &all {
                    come_in_anew(&world, lane, seen.entry).await;
                }
            }
        }
    }
}
