//! Chains that connections showed: one row for all nodes' attempts that name it, written once a day
//! by each, and gone when no attempt names it any more.

mod nodes;

use model::attempt::AttemptResult;
use model::chain_seen::ShownChain;
use model::{Clock, Timestamp};
use nodes::{Node, config, name};
use private_postgres::Database;
use std::sync::Arc;
use std::time::Duration;
use store::record::{HealthChange, NewAttempt, Observed, Outcome, Then};
use store::rows::Claimed;
use store::work::SweepLimits;
use store::{Lane, Store};
use store_postgres::PostgresConfig;

const DAY: Duration = Duration::from_secs(86_400);
/// On which the tests' clock begins, with a week of partitions.
const FIRST: i64 = 20_454;

/// An attempt on a node whose connection showed the chain of this key.
async fn attempt(node: &Node, lane: Lane, key: i64) {
    let item = node.message(lane.application, Some(lane.endpoint)).await;
    let accepted = node.store.accept(vec![item]).await.remove(0);
    accepted.expect("it is in order");
    let claimed = node.store.claim(lane, node.clock.now(), 10).await;
    let claimed = claimed.expect("it goes on").remove(0);
    let recorded = node.store.record(outcome(node, claimed, key)).await;
    assert!(!recorded.expect("it can write").stale);
}

fn outcome(node: &Node, claimed: Claimed, key: i64) -> Outcome {
    let mut tail = [0; 12];
    tail[..8].copy_from_slice(&claimed.delivery.key.integer().to_be_bytes());
    Outcome {
        message: claimed.message.message.id,
        event_type: name("order.paid"),
        attempt: NewAttempt {
            tail,
            number: 1,
            started_at: node.clock.now(),
            duration: Duration::ZERO,
            status_code: 200,
            result: AttemptResult::Success,
            endpoint_revision: 1,
            excerpt: None,
            observed: Observed {
                chain: Some(Arc::new(ShownChain {
                    key,
                    stored: b"1".to_vec(),
                })),
                ..Observed::default()
            },
        },
        delivery: claimed.delivery,
        then: Then::Close,
        health: HealthChange::None,
        hold: claimed.hold,
    }
}

/// The keys and days that are kept.
fn kept(database: &Database) -> String {
    database.psql(&format!(
        "SELECT key, day - {FIRST} FROM chain_shown ORDER BY key"
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_is_one_row_of_all_nodes_that_each_writes_once_a_day() {
    let database = Database::new();
    let one = Node::running(config(&database), Duration::ZERO).await;
    let other = Node::running(config(&database), Duration::ZERO).await;
    let lane = one.lane().await;
    for key in [7, -7, 7] {
        attempt(&one, lane, key).await;
    }
    attempt(&other, lane, 7).await;
    assert_eq!(kept(&database), "-7|0\n7|0\n");
    database.psql("DELETE FROM chain_shown WHERE key = 7");
    attempt(&one, lane, 7).await;
    attempt(&other, lane, 7).await;
    assert_eq!(kept(&database), "-7|0\n", "both wrote it on this day");
    one.clock.advance(DAY);
    attempt(&one, lane, 7).await;
    assert_eq!(kept(&database), "-7|0\n7|1\n");
    // Its clock is behind.
    attempt(&other, lane, -7).await;
    assert_eq!(kept(&database), "-7|0\n7|1\n", "a day never goes back");
}

/// A node, 100 days after three chains were seen, on days 0, 1 and 9.
async fn three_chains(config: PostgresConfig) -> Node {
    let node = Node::running(config, Duration::ZERO).await;
    let lane = node.lane().await;
    for (key, wait) in [(1, DAY), (2, 8 * DAY), (3, 91 * DAY)] {
        attempt(&node, lane, key).await;
        node.clock.advance(wait);
    }
    node
}

async fn sweep(node: &Node, keep_since: i64) {
    let limits = SweepLimits {
        keep_since: Timestamp::from_micros((FIRST + keep_since) * 86_400_000_000),
        rows_max: 100,
    };
    while node.store.sweep(limits).await.expect("it can write").more {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_goes_when_the_attempts_of_its_last_day_went_one_by_one() {
    let database = Database::new();
    let node = three_chains(config(&database)).await;
    for (keep_since, left) in [(1, "2|1\n3|9\n"), (9, "3|9\n"), (10, "")] {
        sweep(&node, keep_since).await;
        assert_eq!(kept(&database), left, "since day {keep_since}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_stays_until_the_partition_goes_in_which_it_was_last_named() {
    let database = Database::new();
    let whole = PostgresConfig {
        few_bytes_per_hour: 0,
        ..config(&database)
    };
    let node = three_chains(whole).await;
    for (keep_since, left) in [(6, "1|0\n2|1\n3|9\n"), (8, "3|9\n"), (15, "")] {
        sweep(&node, keep_since).await;
        assert_eq!(kept(&database), left, "since day {keep_since}");
    }
}
