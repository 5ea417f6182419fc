//! Nodes whose clocks don't agree: who is refused, and who is not for another's sake.

mod nodes;

use nodes::{Node, config};
use private_postgres::Database;
use std::sync::Arc;
use std::time::Duration;
use store::conformance::{TestClock, TestEntropy};
use store_postgres::{OpenError, PostgresStore, Surroundings};

#[tokio::test(flavor = "multi_thread")]
async fn the_slot_of_a_node_whose_clock_was_ahead_keeps_no_other_from_joining() {
    let database = Database::new();
    let _right = Node::running(config(&database), Duration::ZERO).await;
    let ahead = Node::running(config(&database), Duration::ZERO).await;
    ahead.clock.advance(Duration::from_secs(300));
    ahead.application(1).await;
    ahead.store.close();
    ahead.store.leave().await;
    let _joins = Node::still(config(&database), Duration::ZERO).await;
    let slots = database.psql("SELECT slot FROM node WHERE expires_at > '-infinity' ORDER BY 1");
    assert_eq!(slots, "1\n3\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_set_back_is_refused_where_no_other_node_says_otherwise() {
    let database = Database::new();
    let ahead = Node::running(config(&database), Duration::ZERO).await;
    ahead.clock.advance(Duration::from_secs(300));
    ahead.application(1).await;
    ahead.store.close();
    ahead.store.leave().await;
    let surroundings = Surroundings {
        clock: Arc::new(TestClock::default()),
        entropy: Arc::new(TestEntropy::new(7)),
    };
    let opened = PostgresStore::open(config(&database), surroundings).await;
    let Err(OpenError::ClockBehind { behind }) = opened.map(drop) else {
        panic!("it joined");
    };
    assert!(behind >= Duration::from_secs(300), "{behind:?}");
}
