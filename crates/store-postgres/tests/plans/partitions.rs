//! What it costs that there are many partitions: who looks for rows of one looks at that one.

use crate::claims::open;
use crate::harness::Place;
use crate::log;
use crate::{Empty, server};
use model::Timestamp;
use model::id::Key;
use serde_json::Value;
use store::{Lane, Store as _};

/// As with three months of retention, in a database whose clock is in its first days. The store
/// makes none of these itself.
const PARTITIONS: &str = "DO $$ DECLARE day bigint := 86400000000; BEGIN
    FOR number IN 20460..20555 LOOP
        EXECUTE format('CREATE TABLE payload_%s PARTITION OF payload
            FOR VALUES FROM (%s) TO (%s)', number, number * day, (number + 1) * day);
    END LOOP;
    FOR number IN 1..13 LOOP
        EXECUTE format('CREATE TABLE message_of_%s PARTITION OF message
            FOR VALUES FROM (%s) TO (%s)', number, number * 1000, (number + 1) * 1000);
    END LOOP;
END $$";

/// Three messages whose payloads expire on one day, each with a due delivery.
const WAITING: &str = "INSERT INTO message (application, id, tail, event_type, expires_at, form)
        SELECT 7, KEY + n, '\\x000102030405060708090a0b', 'order.paid', 20500 * 86400000000 + n, 0
        FROM generate_series(1, 3) n;
    INSERT INTO payload SELECT 7, KEY + n, 20500 * 86400000000 + n, '\\x7b7d'
        FROM generate_series(1, 3) n;
    INSERT INTO delivery
        (endpoint, class, due, id, application, message, trigger, attempts, owner)
        SELECT 2, 0, n, n, 7, KEY + n, 0, 0, 0 FROM generate_series(1, 3) n";

#[tokio::test(flavor = "multi_thread")]
async fn who_looks_for_messages_and_payloads_begins_with_their_partitions_only() {
    let base = Empty::base();
    let store = open(&base).await;
    (base.psql)(PARTITIONS);
    (base.psql)(&WAITING.replace("KEY", "(SELECT floor FROM node)"));
    let lane = Lane {
        application: Key::from_integer(7),
        endpoint: Key::from_integer(2),
    };
    let due_by = Timestamp::from_micros(1_000_000);
    let claimed = store.claim(lane, due_by, 10).await.expect("it claims");
    assert_eq!(claimed.len(), 3);

    let runs = log::runs(server());
    for (part, removed) in [
        ("AND id BETWEEN $3 AND $4", 13),
        ("AND p.expires_at BETWEEN $4 AND $5", 95),
    ] {
        let of_it = runs.iter().filter(|run| run.statement.contains(part));
        let most = of_it.map(|run| removed_from(&run.plan)).max();
        let most = most.expect("the store sends it");
        assert!(most >= removed, "{part}: {most} of {removed}");
    }
}

/// The partitions that were left out when the statement began.
fn removed_from(node: &Value) -> u64 {
    let own = node["Subplans Removed"].as_u64().unwrap_or(0);
    let below = node["Plans"].as_array().into_iter().flatten();
    own + below.map(removed_from).sum::<u64>()
}
