//! What a claim costs beside a lane in which very much is due.

use crate::harness::{Base, Place};
use crate::log::{self, Run};
use crate::{Empty, server};
use model::Timestamp;
use model::id::Key;
use std::sync::Arc;
use store::conformance::{TestClock, TestEntropy};
use store::{Lane, Store as _};
use store_postgres::{PostgresStore, Surroundings};

/// 100,000 due deliveries of endpoint 1, and one each of endpoints 2 and 3, of one message.
const WAITING: &str = "INSERT INTO message (application, id, tail, event_type, expires_at, form)
        VALUES (7, KEY, '\\x000102030405060708090a0b', 'order.paid', 0, 0);
    INSERT INTO delivery
        (endpoint, class, due, id, application, message, trigger, attempts, owner)
        SELECT greatest(n - 99999, 1), 0, n, n, 7, KEY, 0, 0, 0 FROM generate_series(1, 100002) n";

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_beside_a_hundred_thousand_due_deliveries_reads_few_pages() {
    let base = Empty::base();
    let store = open(&base).await;
    let key = "(SELECT floor FROM node)";
    (base.psql)(&WAITING.replace("KEY", key));
    let lane = Lane {
        application: Key::from_integer(7),
        endpoint: Key::from_integer(2),
    };
    let now = Timestamp::from_micros(1_000_000);
    let held = store.claim(lane, now, 10).await.expect("it claims");
    assert_eq!(held.len(), 1);
    let full = Lane {
        endpoint: Key::from_integer(1),
        ..lane
    };
    drop(store.claim(full, now, 10).await.expect("it claims"));
    let lanes = store.lanes(Key::from_integer(0), 10).await;
    assert_eq!(lanes.expect("reads go on").len(), 2);

    let runs = log::runs(server());
    for (statement, most) in [
        (
            "SELECT id, application, endpoint, message, trigger, attempts, due FROM delivery",
            20,
        ),
        ("UPDATE delivery d SET owner", 150),
        ("WITH RECURSIVE each_lane", 60),
    ] {
        let begins = |run: &&Run| run.statement.starts_with(statement);
        let worst = runs.iter().filter(begins).max_by_key(|run| run.buffers());
        let worst = worst.expect("the store sends it");
        assert!(worst.buffers() <= most, "{statement}: {:#}", worst.plan);
    }
}

/// A store that has written something: what is written of now has the partitions that it made.
pub(crate) async fn open(base: &Base) -> Arc<PostgresStore> {
    let surroundings = Surroundings {
        clock: Arc::new(TestClock::default()),
        entropy: Arc::new(TestEntropy::new(1)),
    };
    let opened = PostgresStore::open(base.config.clone(), surroundings).await;
    let (store, writer, leases) = opened.expect("it opens");
    tokio::spawn(writer.run());
    tokio::spawn(leases.run());
    store
        .set_setting("name", b"value")
        .await
        .expect("it can write");
    Arc::new(store)
}
