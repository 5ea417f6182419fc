//! Chains that connections showed: one row for all attempts that name it, written once a day, and
//! gone when no attempt names it any more.

use crate::support::{SECOND, World};
use model::chain_seen::ShownChain;
use model::{Clock, Timestamp};
use rusqlite::Connection;
use std::sync::Arc;
use std::time::Duration;
use store::work::SweepLimits;
use store::{Lane, Store};
use store_sqlite::SqliteConfig;

const DAY: Duration = Duration::from_secs(86_400);
/// On which the tests' clock begins, counted from 1970.
const FIRST: i64 = 20_454;

/// An attempt whose connection showed the chain of this key.
async fn attempt(world: &World, lane: Lane, key: i64) {
    world.send(lane).await.expect("it is accepted");
    let mut outcome = world.outcome(lane).await;
    outcome.attempt.observed.chain = Some(Arc::new(ShownChain {
        key,
        stored: b"1".to_vec(),
    }));
    world.store.record(outcome).await.expect("it can write");
}

/// The keys and days that are kept.
fn kept(beside: &Connection) -> Vec<(i64, i64)> {
    let mut select = beside
        .prepare("SELECT key, day FROM chain_shown ORDER BY key")
        .expect("there is such a table");
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.expect("it is read").map(Result::unwrap).collect()
}

#[tokio::test]
async fn a_chain_is_one_row_that_is_written_once_a_day() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let world = World::open_inline(home.path(), SqliteConfig::default());
    let beside = Connection::open(world.store.directory().database()).expect("it opens");
    let lane = world.lane().await;
    for key in [7, -7, 7] {
        attempt(&world, lane, key).await;
    }
    assert_eq!(kept(&beside), [(-7, FIRST), (7, FIRST)]);
    beside
        .execute("DELETE FROM chain_shown WHERE key = 7", [])
        .expect("it can write");
    attempt(&world, lane, 7).await;
    assert_eq!(kept(&beside), [(-7, FIRST)], "it was written on this day");
    world.clock.advance(DAY);
    attempt(&world, lane, 7).await;
    assert_eq!(kept(&beside), [(-7, FIRST), (7, FIRST + 1)]);
}

#[tokio::test]
async fn a_chain_goes_when_no_attempt_of_its_last_day_is_left() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let world = World::open_inline(home.path(), SqliteConfig::default());
    let beside = Connection::open(world.store.directory().database()).expect("it opens");
    let lane = world.lane().await;
    for key in [1, 2, 3] {
        attempt(&world, lane, key).await;
    }
    world.clock.advance(DAY / 2);
    attempt(&world, lane, 1).await;
    let noon = world.clock.now();
    world.clock.advance(DAY);
    attempt(&world, lane, 2).await;
    let midnight = Timestamp::from_micros((FIRST + 2) * 86_400_000_000);
    world.clock.advance(10 * DAY);
    for (keep_since, left) in [
        (noon, vec![(1, FIRST), (2, FIRST + 1), (3, FIRST)]),
        (midnight.minus(SECOND), vec![(2, FIRST + 1)]),
        (midnight, vec![]),
    ] {
        let limits = SweepLimits {
            keep_since,
            rows_max: 2,
        };
        while world.store.sweep(limits).await.expect("it can write").more {}
        assert_eq!(kept(&beside), left, "since {keep_since:?}");
    }
}
