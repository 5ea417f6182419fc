//! A schema that a later version has changed, under nodes of this one: what they have under way
//! goes on, and they join until they are too old.

mod nodes;

use model::attempt::AttemptResult;
use model::id::DeliveryKey;
use model::{Clock, Entropy};
use nodes::{Node, PATIENCE, config, locking, name, session, until, until_waiting};
use private_postgres::Database;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use store::accept::Accepted;
use store::conformance::{TestClock, TestEntropy};
use store::record::{HealthChange, NewAttempt, Observed, Outcome, Then};
use store::{Lane, Store};
use store_postgres::{OpenError, PostgresConfig, PostgresStore, Surroundings};
use tokio::time::Instant;

/// What a later version may do.
const ADDS: [&str; 7] = [
    "ALTER TABLE message ADD COLUMN priority smallint;
     ALTER TABLE message ADD COLUMN source text NOT NULL DEFAULT 'api';
     CREATE TABLE incident (id bigint PRIMARY KEY, kind smallint NOT NULL);
     CREATE INDEX incident_kind ON incident (kind);",
    "ALTER TABLE delivery ADD COLUMN priority smallint NOT NULL DEFAULT 3;",
    "ALTER TABLE endpoint ADD COLUMN ordered boolean NOT NULL DEFAULT false;",
    "ALTER TABLE application ADD COLUMN plan text;",
    "ALTER TABLE node ADD COLUMN place text;",
    "CREATE INDEX CONCURRENTLY delivery_priority ON delivery (priority, endpoint);
     CREATE INDEX CONCURRENTLY message_priority ON message (application, priority);",
    "ALTER TABLE attempt ADD COLUMN cost bigint NOT NULL DEFAULT 0;",
];

/// What this version could not go on with.
const TAKES: [&str; 1] = ["-- works_with: 2\nALTER TABLE message DROP COLUMN tags;"];

fn later(database: &Database, migrations: &'static [&'static str]) -> PostgresConfig {
    PostgresConfig {
        later_migrations: migrations,
        version: "later".to_owned(),
        ..config(database)
    }
}

/// Accepts, claims and records until told to stop. What was accepted.
async fn work(node: &Node, lane: Lane, stop: &AtomicBool) -> (BTreeSet<DeliveryKey>, Duration) {
    let (mut accepted, mut longest) = (BTreeSet::new(), Duration::ZERO);
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        number += 1;
        let mut item = node.message(lane.application, Some(lane.endpoint)).await;
        let slot = format!("{:p}-{number}", Arc::as_ptr(&node.store));
        item.message.event_id = Some(name(&slot));
        let begun = Instant::now();
        match node.store.accept(vec![item]).await.remove(0) {
            Ok(Accepted::New { deliveries, .. }) => {
                accepted.extend(deliveries.iter().map(|(key, _)| *key));
            }
            other => panic!("it is new, not {other:?}"),
        }
        longest = longest.max(begun.elapsed());
        record_due(node, lane).await;
    }
    (accepted, longest)
}

async fn record_due(node: &Node, lane: Lane) {
    let claimed = node.store.claim(lane, node.clock.now(), 10).await;
    for claimed in claimed.expect("it goes on") {
        let outcome = Outcome {
            message: claimed.message.message.id,
            event_type: name("order.paid"),
            attempt: NewAttempt {
                tail: {
                    let mut tail = [0; 12];
                    tail[..8].copy_from_slice(&claimed.delivery.key.integer().to_be_bytes());
                    tail
                },
                number: 1,
                started_at: claimed.delivery.due,
                duration: Duration::ZERO,
                status_code: 200,
                result: AttemptResult::Success,
                endpoint_revision: 1,
                excerpt: None,
                observed: Observed::default(),
            },
            delivery: claimed.delivery,
            then: Then::Close,
            health: HealthChange::None,
            hold: claimed.hold,
        };
        let recorded = node.store.record(outcome).await.expect("it goes on");
        assert!(!recorded.stale, "nobody else has it");
    }
}

fn count(database: &Database, of: &str) -> usize {
    let counted = database.psql(&format!("SELECT count(*) FROM {of}"));
    counted.trim().parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_of_two_versions_work_together_while_the_schema_changes() {
    let database = Database::new();
    let old = Node::running(config(&database), Duration::ZERO).await;
    let lane = old.lane().await;
    let stop = AtomicBool::new(false);
    let upgrading = async {
        until(&database, "SELECT count(*) > 5 FROM message", |yes| {
            yes == "t\n"
        })
        .await;
        let new = Node::running(later(&database, &ADDS), Duration::ZERO).await;
        let after = count(&database, "message") + 10;
        let both = format!("SELECT count(*) > {after} FROM message");
        let working = work(&new, lane, &stop);
        let stopping = async {
            until(&database, &both, |yes| yes == "t\n").await;
            // One more of the version before.
            let again = Node::running(config(&database), Duration::ZERO).await;
            record_due(&again, lane).await;
            stop.store(true, Ordering::Relaxed);
            again
        };
        let (worked, again) = tokio::join!(working, stopping);
        record_due(&new, lane).await;
        (worked, again)
    };
    let ((mut accepted, longest), ((more, _), again)) =
        tokio::join!(work(&old, lane, &stop), upgrading);
    record_due(&old, lane).await;
    record_due(&again, lane).await;
    assert!(!accepted.is_empty() && !more.is_empty());
    accepted.extend(more);
    assert_eq!(count(&database, "delivery"), 0, "all is recorded");
    assert_eq!(count(&database, "message"), accepted.len());
    assert_eq!(count(&database, "attempt"), accepted.len());
    assert!(longest < PATIENCE / 3, "one waited for {longest:?}");
    assert_eq!(
        database.psql("SELECT max(version), max(works_with) FROM schema_version"),
        "8|1\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_is_built_on_every_partition_also_one_that_is_made_later() {
    let database = Database::new();
    let old = Node::running(config(&database), Duration::ZERO).await;
    let lane = old.lane().await;
    let item = old.message(lane.application, None).await;
    old.store
        .accept(vec![item])
        .await
        .remove(0)
        .expect("it is new");
    drop(Node::running(later(&database, &ADDS), Duration::ZERO).await);
    // Partitions that this version makes.
    old.clock.advance(Duration::from_secs(30 * 86_400));
    let item = old.message(lane.application, None).await;
    old.store
        .accept(vec![item])
        .await
        .remove(0)
        .expect("it is new");
    let valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'message_priority'::regclass";
    assert_eq!(database.psql(valid), "t\n");
    let without = database.psql(
        "SELECT inhrelid::regclass FROM pg_inherits p WHERE inhparent = 'message'::regclass
         AND NOT EXISTS (SELECT FROM pg_index x JOIN pg_inherits i ON i.inhrelid = x.indexrelid
             WHERE x.indrelid = p.inhrelid AND i.inhparent = 'message_priority'::regclass
             AND x.indisvalid)",
    );
    assert_eq!(without, "");
    assert!(
        count(
            &database,
            "pg_inherits WHERE inhparent = 'message'::regclass"
        ) > 1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_whose_making_was_interrupted_is_made_anew() {
    let database = Database::new();
    let old = Node::running(config(&database), Duration::ZERO).await;
    let lane = old.lane().await;
    let item = old.message(lane.application, None).await;
    old.store
        .accept(vec![item])
        .await
        .remove(0)
        .expect("it is new");
    drop(Node::running(later(&database, &[ADDS[0]]), Duration::ZERO).await);
    let partition = database.psql("SELECT tableoid::regclass FROM message");
    let partition = partition.trim();
    let part = format!("{partition}_of_message_priority");
    database.psql(&format!(
        "CREATE INDEX message_priority ON ONLY message (application, priority);
         CREATE INDEX {part} ON {partition} (application, priority);
         UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{part}'::regclass"
    ));
    drop(Node::running(later(&database, &ADDS), Duration::ZERO).await);
    assert_eq!(count(&database, "pg_index WHERE NOT indisvalid"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_waits_for_a_reader_without_keeping_commits_waiting() {
    let database = Database::new();
    let old = Node::running(config(&database), Duration::ZERO).await;
    let lane = old.lane().await;
    let mut reader = session(&database).await;
    let reading = locking(&mut reader, "LOCK TABLE message IN ACCESS SHARE MODE").await;
    let stop = AtomicBool::new(false);
    let upgrading = async {
        let waiting = async {
            // It has come to where it has to wait, and begun again.
            for _ in 0..3 {
                until_waiting(&database, 1).await;
                let nobody = "SELECT count(*) FROM pg_stat_activity
                    WHERE datname = current_database() AND wait_event_type = 'Lock'";
                until(&database, nobody, |count| count == "0\n").await;
            }
            reading.commit().await.expect("it ends");
        };
        let config = later(&database, &ADDS);
        let (new, ()) = tokio::join!(Node::running(config, Duration::ZERO), waiting);
        stop.store(true, Ordering::Relaxed);
        new
    };
    let ((accepted, longest), _new) = tokio::join!(work(&old, lane, &stop), upgrading);
    assert!(!accepted.is_empty());
    assert!(longest < PATIENCE / 3, "one waited for {longest:?}");
}

async fn refused(config: PostgresConfig) -> OpenError {
    let clock: Arc<dyn Clock> = Arc::new(TestClock::default());
    let entropy: Arc<dyn Entropy> = Arc::new(TestEntropy::new(1));
    let opened = PostgresStore::open(config, Surroundings { clock, entropy }).await;
    match opened {
        Err(error) => error,
        Ok(_) => panic!("it is to be refused"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nodes_could_not_go_on_with_waits_until_they_are_gone_and_refuses_them_then() {
    let database = Database::new();
    let old = Node::running(config(&database), Duration::ZERO).await;
    old.application(1).await;
    let told = refused(later(&database, &TAKES)).await.to_string();
    assert!(told.contains("can't work with schema version 2"), "{told}");
    old.application(2).await;
    old.store.close();
    old.store.leave().await;
    let new = Node::running(later(&database, &TAKES), Duration::ZERO).await;
    new.application(3).await;
    let told = refused(config(&database)).await.to_string();
    assert!(told.contains("start a newer program"), "{told}");
    new.application(4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_has_become_too_old_gets_no_lease_again() {
    let database = Database::new();
    let old = Node::running(config(&database), Duration::ZERO).await;
    old.application(1).await;
    database.psql("INSERT INTO schema_version VALUES (2, 2)");
    database.psql("UPDATE node SET expires_at = '-infinity', epoch = nextval('node_epoch')");
    let refused = old.store.change(nodes::create(2)).await;
    let told = refused.expect_err("it has no lease").to_string();
    assert!(told.contains("start a newer program"), "{told}");
}
