//! Whole installations moved from an embedded store to PostgreSQL and back.

#[path = "../harness/mod.rs"]
mod harness;
mod refusals;
mod sides;

use harness::{Base, Place, PostgresHarness};
use private_postgres::Database;
use sides::{
    all_hold_something, config, embedded, filled_directory, from_database, from_directory, home,
    to_database, to_directory, transfer,
};
use std::sync::Arc;
use store::conformance::{TestClock, TestEntropy, fill};
use store::transfer::{Table, Transfer};
use store::{Store, StoreError};
use store_postgres::{PostgresStore, Surroundings};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_goes_to_postgresql_and_back_and_stays_the_same() {
    let (home, database) = (home(), Database::new());
    let first = filled_directory(&home).await;
    let there = {
        let mut target = to_database(&database).await;
        transfer(&mut from_directory(&first), &mut target).await
    };
    all_hold_something(&there);
    let second = home.path().join("second");
    let back = {
        let mut source = from_database(&database).await;
        transfer(&mut source, &mut to_directory(&second)).await
    };
    assert_eq!(there, back);
    let other = Database::new();
    let again = {
        let mut source = from_database(&database).await;
        transfer(&mut source, &mut to_database(&other).await).await
    };
    assert_eq!(there, again);
    let third = home.path().join("third");
    let moved = transfer(&mut from_directory(&second), &mut to_directory(&third)).await;
    assert_eq!(there, moved);
}

struct Shared;

impl Place for Shared {
    fn base() -> Base {
        Base::shared(config)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_many_nodes_counted_is_added_up() {
    let database = Arc::new(Database::new());
    let harness = PostgresHarness::<Shared>::in_base(Base::of(database.clone(), config));
    fill(Box::new(harness)).await;
    database.psql(
        "INSERT INTO open_count SELECT endpoint, slot + 1, 5, -3 FROM open_count WHERE slot = 1;
         INSERT INTO rollup SELECT endpoint, hour, event_type, result, slot + 1, 2 FROM rollup
         WHERE slot = 1",
    );
    let home = home();
    let path = home.path().join("back");
    let back = {
        let mut source = from_database(&database).await;
        transfer(&mut source, &mut to_directory(&path)).await
    };
    all_hold_something(&back);
    let again = Database::new();
    let there = {
        let mut target = to_database(&again).await;
        transfer(&mut from_directory(&path), &mut target).await
    };
    assert_eq!(there, back);
    for sums in [
        "SELECT endpoint, sum(pending), sum(retrying) FROM open_count GROUP BY 1 ORDER BY 1",
        "SELECT endpoint, hour, event_type, result, sum(attempts) FROM rollup
         GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4",
    ] {
        let summed = database.psql(sums);
        assert!(summed.lines().count() > 1, "{summed}");
        assert_eq!(again.psql(sums), summed);
    }
    let held = again.psql("SELECT count(*) FROM delivery WHERE owner <> 0");
    assert_eq!(held, "0\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_broken_off_goes_on_where_it_was() {
    let (home, database) = (home(), Database::new());
    let path = filled_directory(&home).await;
    let back = home.path().join("back");
    let mut moved = 0;
    // Broken off after each of a few chunks, with both sides let go of.
    for steps in [0, 1, 2, 5, 20, 40] {
        let (mut source, mut target) = (from_directory(&path), to_database(&database).await);
        let begun = Transfer::begin(&mut source, &mut target).await;
        let mut transfer = begun.expect("it goes on").chunks_of(3);
        assert_eq!(transfer.resumed(), steps > 0, "{steps}");
        let (_, there) = transfer.counts().await.expect("both are there");
        assert_eq!(there, moved, "what was moved is there");
        for _ in 0..steps {
            let step = transfer.step().await.expect("both are there");
            moved += step.expect("there is more").rows as u64;
        }
    }
    let there = {
        let mut target = to_database(&database).await;
        transfer(&mut from_directory(&path), &mut target).await
    };
    for steps in [3, 30] {
        let (mut source, mut target) = (from_database(&database).await, to_directory(&back));
        let begun = Transfer::begin(&mut source, &mut target).await;
        let mut transfer = begun.expect("it goes on").chunks_of(3);
        for _ in 0..steps {
            let step = transfer.step().await.expect("both are there");
            step.expect("there is more");
        }
    }
    let mut source = from_database(&database).await;
    assert_eq!(transfer(&mut source, &mut to_directory(&back)).await, there);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_difference_is_found_and_told() {
    let (home, database) = (home(), Database::new());
    let path = filled_directory(&home).await;
    let (mut source, mut target) = (from_directory(&path), to_database(&database).await);
    let begun = Transfer::begin(&mut source, &mut target).await;
    let mut transfer = begun.expect("it begins");
    while transfer.step().await.expect("both are there").is_some() {}
    for (table, spoilt) in [
        (
            "message",
            "UPDATE payload SET body = body || '\\x00'
             WHERE message = (SELECT max(message) FROM payload)",
        ),
        (
            "endpoint",
            "UPDATE endpoint SET disabled = NOT disabled WHERE NOT deleted",
        ),
        ("attempt", "DELETE FROM excerpt"),
        (
            "delivery",
            "DELETE FROM delivery WHERE id = (SELECT max(id) FROM delivery)",
        ),
    ] {
        database.psql(spoilt);
        let table = Table::named(table).expect("it is one");
        let compared = transfer.compare(table, &mut |_| {}).await;
        let difference = compared.expect("both are there").expect_err(spoilt);
        assert_eq!(difference.table, table.name);
        assert_ne!(difference.source, difference.target);
    }
}

/// Whoever adds a column says here how it is moved.
#[tokio::test]
async fn every_column_is_moved_or_is_a_nodes_own() {
    let database = Database::new();
    drop(to_database(&database).await);
    let columns = database.psql(
        "SELECT table_name || '.' || column_name FROM information_schema.columns
         WHERE table_schema = 'public' AND table_name NOT IN (
             SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid)
         ORDER BY 1",
    );
    let nodes_own = [
        "lane.",
        "node.",
        "schema_version.",
        "delivery.owner",
        "task.owner",
    ];
    let by_node = ["open_count.slot", "rollup.slot"];
    // In the neutral form these are columns of messages and of attempts.
    let joined = ["excerpt.", "payload."];
    let moved = |column: &str| {
        let (table, column) = column.split_once('.').expect("it was written so");
        let table = Table::named(table);
        table.is_some_and(|table| table.place(column).is_some())
    };
    let forgotten: Vec<&str> = columns
        .lines()
        .filter(|column| !moved(column))
        .filter(|column| {
            let mut known = nodes_own.iter().chain(&by_node).chain(&joined);
            !known.any(|known| column.starts_with(known))
        })
        .collect();
    assert_eq!(forgotten, [""; 0]);
    assert!(columns.lines().count() > 80, "{columns}");
}

/// The next key is larger than all that are there, whichever slot gives it, on a late clock.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_key_is_given_again_after_a_transfer() {
    let (home, database) = (home(), Database::new());
    let path = filled_directory(&home).await;
    let last = |database: &Database| {
        let found = database.psql(
            "SELECT max(id) FROM (SELECT max(id) AS id FROM message UNION ALL
             SELECT max(id) FROM attempt UNION ALL SELECT max(id) FROM endpoint UNION ALL
             SELECT max(id) FROM task) AS keys",
        );
        found.trim().parse::<i64>().expect("a key")
    };
    {
        let mut target = to_database(&database).await;
        transfer(&mut from_directory(&path), &mut target).await;
    }
    let given = last(&database);
    let made_at = model::id::Key::<()>::from_integer(given).time();
    let behind = made_at.minus(std::time::Duration::from_secs(20));
    for _ in 0..3 {
        let clock = Arc::new(TestClock::new(behind));
        let entropy = Arc::new(TestEntropy::new(4));
        let opened = PostgresStore::open(config(&database), Surroundings { clock, entropy }).await;
        let (store, writer, _leases) = opened.expect("all is there");
        let writing = tokio::spawn(writer.run());
        assert!(application(&store).await.expect("it can write") > given);
        // The others get slots of their own.
        store.close();
        writing.await.expect("it ends without a panic");
    }
    database.psql("UPDATE node SET expires_at = '-infinity'");
    let given = database.psql("SELECT max(id) FROM application");
    let given: i64 = given.trim().parse().expect("a key");
    let back = home.path().join("back");
    {
        let mut source = from_database(&database).await;
        transfer(&mut source, &mut to_directory(&back)).await;
    }
    let clock = Arc::new(TestClock::new(behind));
    let store = embedded(&back, clock, Arc::new(TestEntropy::new(5))).expect("all is there");
    assert!(application(&store).await.expect("it can write") > given);
}

/// Makes one, and gives its key.
async fn application(store: &dyn Store) -> Result<i64, StoreError> {
    use store::change::{Change, ChangeRequest, Changed};
    let tail = model::entropy::random(&TestEntropy::new(77));
    let change = Change::CreateApplication {
        application: store::conformance::application(tail),
        data_key: store::Sealed::from_static(b"key"),
    };
    let request = ChangeRequest {
        change,
        idempotency: None,
        audit: None,
    };
    match store.change(request).await {
        Ok(Changed::Application(row)) => Ok(row.application.id.key().integer()),
        other => panic!("made an application, was told of {other:?}"),
    }
}
