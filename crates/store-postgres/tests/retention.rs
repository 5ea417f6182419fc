//! What has reached its age goes with its partition: without a row being written for it, with what
//! hangs on it, and without anybody waiting for it.

mod nodes;

use model::attempt::AttemptResult;
use model::id::{Key, MessageId};
use model::{Clock, Timestamp};
use nodes::{Node, PATIENCE, config, locking, name, session, until};
use private_postgres::Database;
use std::time::Duration;
use store::accept::{Accept, AcceptError, Accepted};
use store::idempotency::{IdempotencyKey, KEY_LIFE};
use store::record::{HealthChange, NewAttempt, Observed, Outcome, Then};
use store::work::{SweepLimits, Swept};
use store::{Lane, Sealed, Store};
use store_postgres::PostgresConfig;
use tokio::time::Instant;

const DAY: Duration = Duration::from_secs(86_400);
/// Of what nodes write first: the test's clock begins on a Thursday, as weeks since 1970 do.
const WEEK: i64 = 2_922;

async fn sweep(node: &Node) -> Swept {
    let limits = SweepLimits {
        keep_since: node.clock.now().minus(90 * DAY),
        rows_max: 100,
    };
    let mut sum = Swept::default();
    for _ in 0..1_000 {
        let swept = node.store.sweep(limits).await.expect("it can write");
        sum.messages += swept.messages;
        sum.attempts += swept.attempts;
        sum.payloads += swept.payloads;
        sum.ended += swept.ended;
        if !swept.more {
            return sum;
        }
    }
    panic!("sweeping does not come to an end");
}

async fn accept(node: &Node, item: Accept) -> MessageId {
    match node.store.accept(vec![item]).await.remove(0) {
        Ok(Accepted::New { id, .. }) => id,
        other => panic!("it is new, not {other:?}"),
    }
}

/// Writes messages of now with an attempt, an excerpt, an event id and a payload each. The
/// database's own vacuum would come for so many, and a sweep does not wait for it.
fn fill(node: &Node, database: &Database, lane: Lane) {
    let first = Key::<()>::first_at(node.clock.now()).integer();
    let (application, endpoint) = (lane.application.integer(), lane.endpoint.integer());
    let (tail, expiry) = (
        "'\\x000000000000000000000000'",
        node.clock.now().plus(90 * DAY).micros(),
    );
    let day = expiry / 86_400_000_000;
    let (from, to) = (day * 86_400_000_000, (day + 1) * 86_400_000_000);
    database.psql(&format!(
        "CREATE TABLE IF NOT EXISTS payload_{day} PARTITION OF payload FOR VALUES FROM ({from}) TO ({to});
         ALTER TABLE payload_{day} SET (autovacuum_enabled = off);
         ALTER TABLE message_{WEEK} SET (autovacuum_enabled = off);
         ALTER TABLE attempt_{WEEK} SET (autovacuum_enabled = off);
         ALTER TABLE excerpt_{WEEK} SET (autovacuum_enabled = off);
         INSERT INTO message SELECT {application}, {first} + n, {tail}, 'a.b', 'e' || n, NULL, NULL,
             NULL, {expiry}, 0, NULL FROM generate_series(1, 3000) n;
         INSERT INTO event_key SELECT {application}, 'e' || n, {first} + n
             FROM generate_series(1, 3000) n;
         INSERT INTO payload SELECT {application}, {first} + n, {expiry}, '\\x00'
             FROM generate_series(1, 3000) n;
         INSERT INTO attempt SELECT {application}, {first} + 5000 + n, {tail}, {first} + n,
             {endpoint}, 0, 1, 0, 0, 200, 0, 1 FROM generate_series(1, 3000) n;
         INSERT INTO excerpt SELECT {application}, {first} + 5000 + n, '\\x00'
             FROM generate_series(1, 3000) n;"
    ));
}

fn is_there(database: &Database, partition: &str) -> bool {
    let found = database.psql(&format!("SELECT to_regclass('{partition}') IS NOT NULL"));
    found == "t\n"
}

fn count(database: &Database, table: &str) -> usize {
    let counted = database.psql(&format!("SELECT count(*) FROM {table}"));
    counted.trim().parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn old_messages_go_with_their_partition_and_no_row_is_written_for_them() {
    let database = Database::new();
    let node = Node::running(config(&database), Duration::ZERO).await;
    let lane = node.lane().await;
    // A commit makes the partitions.
    let item = node.message(lane.application, None).await;
    accept(&node, item).await;
    fill(&node, &database, lane);
    node.clock.advance(100 * DAY);
    let mut reader = session(&database).await;
    let reading = locking(&mut reader, "LOCK TABLE message IN ACCESS SHARE MODE").await;
    sweep(&node).await;
    drop(node);
    // What a session has counted is told when it ends, if not before.
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                    AND backend_type = 'client backend'";
    until(&database, sessions, |count| count == "2\n").await;
    for table in ["message", "attempt", "excerpt"] {
        let partition = format!("{table}_{WEEK}");
        assert!(count(&database, &partition) >= 3_000, "{partition}");
        let deleted = database.psql(&format!(
            "SELECT n_tup_del, n_tup_upd FROM pg_stat_user_tables WHERE relname = '{partition}'"
        ));
        assert_eq!(deleted, "0|0\n", "{partition}");
    }
    assert_eq!(count(&database, "event_key"), 0, "they are found again");
    reading.commit().await.expect("it ends");

    database.psql("UPDATE node SET expires_at = 'epoch'");
    let other = Node::running(config(&database), Duration::ZERO).await;
    other.clock.advance(100 * DAY);
    let swept = sweep(&other).await;
    assert_eq!((swept.messages, swept.attempts), (0, 0), "not row by row");
    for table in ["message", "attempt", "excerpt"] {
        assert!(!is_there(&database, &format!("{table}_{WEEK}")), "{table}");
        assert_eq!(count(&database, table), 0);
    }
    assert_eq!(count(&database, "payload"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_open_of_dropped_messages_is_ended_and_recorded_first() {
    let database = Database::new();
    let node = Node::running(config(&database), Duration::ZERO).await;
    let lane = node.lane().await;
    let mut item = node.message(lane.application, Some(lane.endpoint)).await;
    // Its payload would be kept for longer.
    item.message.deliver_at = Some(node.clock.now().plus(80 * DAY));
    item.message.expires_at = node.clock.now().plus(170 * DAY);
    let id = accept(&node, item).await;
    node.clock.advance(100 * DAY);
    // So that a partition is there for what is written then.
    let item = node.message(lane.application, None).await;
    let young = accept(&node, item).await;
    let swept = sweep(&node).await;
    assert_eq!(swept.ended, 1);
    assert!(!is_there(&database, &format!("message_{WEEK}")));
    assert_eq!(count(&database, "delivery"), 0);
    let open = database.psql("SELECT sum(pending), sum(retrying) FROM open_count");
    assert_eq!(open, "0|0\n");
    let recorded = database.psql("SELECT result, attempts FROM rollup");
    assert_eq!(recorded, "2|1\n", "it counts as ended without an attempt");
    assert_eq!(count(&database, "attempt"), 0, "they go with the message");
    let old = format!("payload WHERE message = {}", id.key().integer());
    assert_eq!(count(&database, &old), 0);
    assert_eq!(count(&database, "payload"), 1, "that of {young:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn younger_attempts_of_dropped_messages_go_with_them() {
    let database = Database::new();
    let node = Node::running(config(&database), Duration::ZERO).await;
    let lane = node.lane().await;
    let mut item = node.message(lane.application, Some(lane.endpoint)).await;
    item.message.expires_at = node.clock.now().plus(95 * DAY);
    accept(&node, item).await;
    node.clock.advance(80 * DAY);
    let claimed = node.store.claim(lane, node.clock.now(), 10).await;
    let claimed = claimed.expect("it can write").remove(0);
    let outcome = Outcome {
        message: claimed.message.message.id,
        event_type: name("order.paid"),
        attempt: NewAttempt {
            tail: [5; 12],
            number: 1,
            started_at: node.clock.now(),
            duration: Duration::ZERO,
            status_code: 200,
            result: AttemptResult::Success,
            endpoint_revision: 1,
            excerpt: Some(Sealed::from(&b"thanks"[..])),
            observed: Observed::default(),
        },
        delivery: claimed.delivery,
        then: Then::Close,
        health: HealthChange::None,
        hold: claimed.hold,
    };
    node.store.record(outcome).await.expect("it can write");
    assert_eq!(
        (count(&database, "attempt"), count(&database, "excerpt")),
        (1, 1)
    );
    node.clock.advance(20 * DAY);
    sweep(&node).await;
    assert!(!is_there(&database, &format!("message_{WEEK}")));
    assert_eq!(
        (count(&database, "attempt"), count(&database, "excerpt")),
        (0, 0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_id_of_a_dropped_message_may_be_used_again() {
    let database = Database::new();
    let node = Node::running(config(&database), Duration::ZERO).await;
    let application = node.application(1).await;
    let named = async || {
        let mut item = node.message(application, None).await;
        item.message.event_id = Some(name("order-1"));
        node.store.accept(vec![item]).await.remove(0)
    };
    named().await.expect("it is new");
    node.clock.advance(100 * DAY);
    assert!(matches!(named().await, Err(AcceptError::EventIdTaken)));
    sweep(&node).await;
    assert!(!is_there(&database, &format!("message_{WEEK}")));
    named().await.expect("it is free");
    sweep(&node).await;
    assert!(matches!(named().await, Err(AcceptError::EventIdTaken)));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_dropped_that_something_open_points_into() {
    let database = Database::new();
    let node = Node::running(config(&database), Duration::ZERO).await;
    let lane = node.lane().await;
    let item = node.message(lane.application, None).await;
    let message = accept(&node, item).await.key().integer();
    node.clock.advance(100 * DAY);
    let (application, endpoint) = (lane.application.integer(), lane.endpoint.integer());
    // Opened when all that was open has been ended, and before the table is locked.
    database.psql(&format!(
        "CREATE FUNCTION open() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
             INSERT INTO delivery VALUES ({endpoint}, 0, 0, 1, {application}, {message}, 1, 0, 0)
                 ON CONFLICT DO NOTHING;
         END $$;
         CREATE EVENT TRIGGER opening ON ddl_command_start WHEN TAG IN ('DROP TABLE')
             EXECUTE FUNCTION open();"
    ));
    let limits = SweepLimits {
        keep_since: node.clock.now().minus(90 * DAY),
        rows_max: 100,
    };
    let swept = node.store.sweep(limits).await.expect("it can write");
    assert!(swept.more, "it is to be ended");
    assert!(is_there(&database, &format!("message_{WEEK}")));
    database.psql("DROP EVENT TRIGGER opening");
    sweep(&node).await;
    assert!(!is_there(&database, &format!("message_{WEEK}")));
}

/// Accepts messages, one after another, until told to stop. How many, and the longest wait.
async fn send(node: &Node, lane: Lane, stop: &std::sync::atomic::AtomicBool) -> (usize, Duration) {
    let (mut sent, mut longest) = (0, Duration::ZERO);
    while !stop.load(std::sync::atomic::Ordering::Relaxed) {
        let item = node.message(lane.application, None).await;
        let begun = Instant::now();
        accept(node, item).await;
        longest = longest.max(begun.elapsed());
        sent += 1;
    }
    (sent, longest)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_for_long_neither_fails_nor_keeps_commits_waiting() {
    let database = Database::new();
    let node = Node::running(config(&database), Duration::ZERO).await;
    let lane = node.lane().await;
    let item = node.message(lane.application, None).await;
    accept(&node, item).await;
    fill(&node, &database, lane);
    node.clock.advance(100 * DAY);
    let mut reader = session(&database).await;
    let tables = "LOCK TABLE message, payload, attempt, excerpt, idempotency IN ACCESS SHARE MODE";
    let reading = locking(&mut reader, tables).await;
    let stop = std::sync::atomic::AtomicBool::new(false);
    let sweeping = async {
        for _ in 0..10 {
            sweep(&node).await;
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    };
    let ((sent, longest), ()) = tokio::join!(send(&node, lane, &stop), sweeping);
    assert!(sent > 10, "{sent}");
    assert!(longest < PATIENCE / 3, "one waited for {longest:?}");
    let there = reading.query_one("SELECT count(*) FROM message", &[]).await;
    let there: i64 = there.expect("it reads on").get(0);
    assert!(there > 3_000, "{there}");
    reading.commit().await.expect("it ends");
    sweep(&node).await;
    assert!(!is_there(&database, &format!("message_{WEEK}")));
    assert_eq!(count(&database, "message"), sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_beside_a_sweep_is_whole() {
    let database = Database::new();
    let node = Node::running(config(&database), Duration::ZERO).await;
    let lane = node.lane().await;
    let item = node.message(lane.application, None).await;
    accept(&node, item).await;
    fill(&node, &database, lane);
    node.clock.advance(100 * DAY);
    let home = tempfile::tempdir().expect("a temporary directory");
    let directory = home.path().join("backup");
    let sweeping = async {
        while is_there(&database, &format!("message_{WEEK}")) {
            sweep(&node).await;
        }
    };
    let backing_up = node.store.backup(&directory);
    let both = async { tokio::join!(backing_up, sweeping) };
    let (made, ()) = tokio::time::timeout(PATIENCE * 4, both)
        .await
        .expect("neither waits for the other");
    made.expect("nothing is dropped that it reads");
    let restored = Database::new();
    let put_back = store_postgres::restore(&directory, &config(&restored)).await;
    put_back.expect("it is whole");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_needs_a_dropped_partition_makes_it_anew() {
    let database = Database::new();
    let node = Node::running(config(&database), Duration::ZERO).await;
    let lane = node.lane().await;
    let keyed = async |fingerprint: u8| {
        let mut item = node.message(lane.application, Some(lane.endpoint)).await;
        item.idempotency = Some(IdempotencyKey {
            fingerprint: [fingerprint; 16],
            body: [2; 16],
            life: KEY_LIFE,
            status: 202,
        });
        accept(&node, item).await
    };
    keyed(1).await;
    let dropped = database.psql(
        "SELECT inhrelid::regclass FROM pg_inherits
         WHERE inhparent::regclass::text IN ('message', 'payload', 'idempotency', 'attempt')",
    );
    for partition in dropped.lines() {
        database.psql(&format!("DROP TABLE {partition}; DELETE FROM delivery"));
    }
    keyed(2).await;
    for table in ["message", "payload", "idempotency"] {
        assert_eq!(count(&database, table), 1, "{table}");
    }
    let claimed = node.store.claim(lane, node.clock.now(), 10).await;
    assert_eq!(claimed.expect("statements are planned anew").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_node_that_sweeps_goes_on_with_it_until_it_is_gone() {
    let database = Database::new();
    let [one, other] = [
        Node::running(config(&database), Duration::ZERO).await,
        Node::running(config(&database), Duration::ZERO).await,
    ];
    let application = one.application(1).await;
    let send = async || {
        let mut item = one.message(application, None).await;
        item.message.expires_at = one.clock.now().plus(DAY);
        accept(&one, item).await;
        one.clock.advance(2 * DAY);
        other.clock.set(one.clock.now());
    };
    send().await;
    assert_eq!(sweep(&one).await.payloads, 1);
    send().await;
    assert_eq!(sweep(&other).await.payloads, 0);
    assert_eq!(count(&database, "payload"), 1);
    one.store.leave().await;
    sweep(&other).await;
    assert_eq!(count(&database, "payload"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn idempotency_keys_go_by_the_hour() {
    let database = Database::new();
    let node = Node::running(config(&database), Duration::ZERO).await;
    let lane = node.lane().await;
    let mut item = node.message(lane.application, None).await;
    item.idempotency = Some(IdempotencyKey {
        fingerprint: [1; 16],
        body: [2; 16],
        life: KEY_LIFE,
        status: 202,
    });
    let begun = node.clock.now();
    accept(&node, item).await;
    let hour = (begun.plus(KEY_LIFE).micros() / 3_600_000_000) + 1;
    let partition = format!("idempotency_{hour}");
    assert_eq!(count(&database, &partition), 1);
    node.clock
        .set(Timestamp::from_micros((hour + 1) * 3_600_000_000 - 1));
    sweep(&node).await;
    assert!(is_there(&database, &partition), "clocks may be apart");
    node.clock.advance(Duration::from_millis(1));
    sweep(&node).await;
    assert!(!is_there(&database, &partition));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_too_much_comes_to_go_row_by_row_it_waits_for_its_partition() {
    let database = Database::new();
    let config = PostgresConfig {
        few_bytes_per_hour: 0,
        ..config(&database)
    };
    let node = Node::running(config, Duration::ZERO).await;
    let lane = node.lane().await;
    for _ in 0..3 {
        let mut item = node.message(lane.application, Some(lane.endpoint)).await;
        // Within the same day, and the same week.
        item.message.expires_at = node.clock.now().plus(DAY / 24);
        accept(&node, item).await;
    }
    node.clock.advance(DAY / 12);
    let swept = sweep(&node).await;
    assert_eq!(
        (swept.payloads, swept.ended),
        (0, 3),
        "ended at their expiry"
    );
    assert_eq!(count(&database, "payload"), 3);
    node.clock.advance(DAY);
    sweep(&node).await;
    assert_eq!(count(&database, "payload"), 0, "gone with their day");
    assert_eq!(count(&database, "attempt"), 3);
    node.clock.advance(90 * DAY);
    let swept = sweep(&node).await;
    assert_eq!(
        (swept.messages, count(&database, "message")),
        (0, 3),
        "a day too old"
    );
    node.clock.advance(7 * DAY);
    sweep(&node).await;
    assert_eq!(
        (count(&database, "message"), count(&database, "attempt")),
        (0, 0)
    );
}
