//! How tables are keyed, from the catalogue.

use crate::bound::{grows, parent};
use crate::{Empty, server};
use crate::{harness::PostgresHarness, named};
use std::collections::BTreeMap;

/// What grows with traffic by an order of its own, and why.
const OTHERWISE: [(&str, &str); 3] = [
    ("payload", "goes by expiry, and whoever reads one knows it"),
    (
        "idempotency",
        "is found by a hash of who asks, for what, and the key",
    ),
    (
        "replay_key",
        "is found by a hash of what came in, and goes by its end",
    ),
];

/// Indexes by another order: what goes with old messages is looked for in the first, whosever it
/// is; the second has what was given up, and nothing else.
const BY_MESSAGE: [(&str, &str); 2] =
    [("event_key", "message"), ("attempt", "message endpoint id")];

/// What stays small: what is configured, who may come in, what is open, counts of endpoints by
/// the hour, security events, of which nobody can cause many, who changed what, and what
/// certificates receivers have.
const SMALL: [&str; 26] = [
    "access_version",
    "api_key",
    "application",
    "audit_checkpoint",
    "audit_entry",
    "audit_left",
    "audit_start",
    "chain_shown",
    "data_key",
    "delivery",
    "endpoint",
    "endpoint_url",
    "event_type",
    "lane",
    "node",
    "one_time_token",
    "open_count",
    "retry_schedule",
    "revoked_token",
    "rollup",
    "schema_version",
    "security_event",
    "setting",
    "source",
    "task",
    "token_floor",
];

/// The columns of each index, in their order, by table.
const INDEXES: &str = "SELECT t.relname || ' ' || string_agg(a.attname, ' ' ORDER BY k.place)
    FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid,
    LATERAL unnest(i.indkey) WITH ORDINALITY AS k (number, place), pg_attribute a
    WHERE t.relnamespace = 'public'::regnamespace AND a.attrelid = t.oid
    AND a.attnum = k.number AND k.place <= i.indnkeyatts GROUP BY t.relname, i.indexrelid";

#[tokio::test(flavor = "multi_thread")]
async fn what_grows_with_traffic_is_keyed_by_application() {
    let harness = PostgresHarness::<Empty>::default();
    let claim = "record::an_attempt_is_read_back_as_it_was_recorded";
    store::conformance::check(claim, Box::new(harness)).await;
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in server().psql(&named(0), INDEXES).lines() {
        let (table, columns) = line.split_once(' ').expect("a table and columns");
        let indexes = found.entry(parent(table).to_owned()).or_default();
        indexes.push(columns.to_owned());
    }
    for (table, indexes) in &found {
        if SMALL.contains(&table.as_str()) {
            continue;
        }
        assert!(
            grows(table),
            "does {table} stay small, or what finds its rows?"
        );
        let otherwise = OTHERWISE.iter().any(|(other, _)| other == table);
        let by_application = |columns: &&String| {
            let index = (table.as_str(), columns.as_str());
            !BY_MESSAGE.contains(&index)
        };
        for columns in indexes.iter().filter(by_application).filter(|_| !otherwise) {
            assert!(columns.starts_with("application "), "{table}: {columns}");
        }
    }
    assert_eq!(found["payload"][0], "expires_at application message");
    assert_eq!(found["idempotency"][0], "hour fingerprint");
    let growing = found.keys().filter(|table| grows(table)).count();
    assert_eq!(growing, 7, "{found:?}");
}
