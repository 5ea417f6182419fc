//! What a count costs beside very many attempts that it doesn't count.

use crate::claims::open;
use crate::harness::Place as _;
use crate::log::{self, Run};
use crate::{Empty, server};
use model::id::{AttemptKey, Key};
use std::time::Duration;
use store::Store as _;
use store::conformance::TestClock;
use store::query::StatisticsQuery;

/// 100,000 attempts at endpoint 2 of application 7, and of another as many, in a partition that the
/// store has made.
const DELIVERED: &str = "INSERT INTO endpoint
        (id, tail, application, url, description, disabled, metadata, version, secrets, revision,
         created_at, updated_at)
        VALUES (2, '\\x00', 7, '', '', false, '', 0, '', 1, 0, 0);
    INSERT INTO attempt
        (application, id, tail, message, endpoint, trigger, number, started_at, duration_ms,
         status_code, result, revision)
        SELECT 7, FIRST + n, '\\x00', FIRST, 2 + n % 2, 0, 1, 0, 0, 200, 0, 1
        FROM generate_series(1, ROWS) n;
    ANALYZE attempt";
/// How many these are.
const ROWS: i64 = 200_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_count_beside_a_hundred_thousand_attempts_reads_those_that_it_counts() {
    let base = Empty::base();
    let store = open(&base).await;
    let first = AttemptKey::first_at(TestClock::START).integer();
    let delivered = DELIVERED.replace("FIRST", &first.to_string());
    (base.psql)(&delivered.replace("ROWS", &ROWS.to_string()));
    let counts = store.statistics(StatisticsQuery {
        endpoint: Key::from_integer(2),
        since: TestClock::START.minus(Duration::from_secs(1)),
        until: TestClock::START,
    });
    assert_eq!(counts.await.expect("reads go on").success, 0);

    let runs = log::runs(server());
    let counts = |run: &&Run| {
        run.statement
            .starts_with("SELECT result, count(*) AS attempts")
    };
    let worst = runs.iter().filter(counts).max_by_key(|run| run.buffers());
    let worst = worst.expect("the store sends it");
    assert!(worst.buffers() <= 20, "{:#}", worst.plan);
}
