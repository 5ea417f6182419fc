//! What a guard in PostgreSQL promises beside what every guard does: across processes, across a
//! crash, across a lost connection, in the transaction of the work, and in async code.

use super::tests::{NOW, UNTIL, key};
use super::*;
use private_postgres::Database;
use tokio_postgres::{Client, NoTls};

/// What another process would have.
fn guard(database: &Database) -> Arc<Postgres> {
    let config = database.url().parse().expect("a URL");
    Arc::new(Postgres::connect(config, NoTls).expect("a guard"))
}

fn reserve(guard: &Arc<Postgres>, now: i64) -> Result<Reservation, ReserveError> {
    Reservation::new(guard.clone(), &[key("a"), key("b")], now, UNTIL)
}

/// Waits until there is this many rows.
fn wait_for_rows(database: &Database, count: usize) {
    let rows = || database.psql("SELECT count(*) FROM webhook_replay");
    while rows().trim() != count.to_string() {
        std::thread::yield_now();
    }
}

async fn connect(database: &Database) -> Client {
    let connected = tokio_postgres::connect(database.url(), NoTls).await;
    let (client, connection) = connected.expect("a database");
    tokio::spawn(connection);
    client
}

#[test]
fn it_gives_back_what_is_dropped_and_has_seen_what_is_confirmed() {
    let database = Database::new();
    let (one, other) = (guard(&database), guard(&database));
    let held = reserve(&one, NOW).expect("new");
    let busy = reserve(&other, NOW).expect_err("held");
    assert!(matches!(busy, ReserveError::InProgress));
    drop(held);
    wait_for_rows(&database, 0);
    let held = reserve(&other, NOW).expect("given back");
    held.confirm().expect("held");
    drop((one, other));
    let seen = reserve(&guard(&database), UNTIL).expect_err("remembered");
    assert!(matches!(seen, ReserveError::Seen { key: 0 }));
    assert!(
        reserve(&guard(&database), UNTIL + 1).is_ok(),
        "its time is over"
    );
}

#[test]
fn what_is_old_goes_with_what_is_new() {
    let database = Database::new();
    let guard = guard(&database);
    let held = reserve(&guard, NOW).expect("new");
    held.confirm().expect("held");
    let later = Reservation::new(guard, &[key("c")], UNTIL + 1, UNTIL + 9);
    later.expect("another key").confirm().expect("held");
    wait_for_rows(&database, 1);
}

#[test]
fn what_a_crash_left_reserved_is_welcome_once_its_lease_is_over() {
    let database = Database::new();
    let lease = i64::from(LEASE_SECONDS);
    let late = reserve(&guard(&database), NOW).expect("new");
    let guard = guard(&database);
    let busy = reserve(&guard, NOW + lease).expect_err("leased");
    assert!(matches!(busy, ReserveError::InProgress));
    let current = reserve(&guard, NOW + lease + 1).expect("the lease is over");
    assert!(matches!(late.confirm(), Err(GuardError::Over)));
    // Nor has the late one given it back.
    assert!(reserve(&guard, NOW + lease + 1).is_err());
    current.confirm().expect("held");
}

#[tokio::test]
async fn a_key_is_confirmed_with_the_work_or_not_at_all() {
    let database = Database::new();
    let guard = guard(&database);
    let mut orders = connect(&database).await;
    let table = orders.batch_execute("CREATE TABLE paid (id integer)").await;
    table.expect("a table");
    for commits in [false, true] {
        let held = reserve(&guard, NOW).expect("not confirmed yet");
        let transaction = orders.transaction().await.expect("begun");
        let paid = transaction.execute("INSERT INTO paid VALUES (7)", &[]);
        paid.await.expect("written");
        let confirmed = Postgres::confirm_in(&transaction, &held).await;
        confirmed.expect("held");
        match commits {
            true => transaction.commit().await,
            false => transaction.rollback().await,
        }
        .expect("ended");
        drop(held);
        wait_for_rows(&database, if commits { 2 } else { 0 });
    }
    let seen = reserve(&guard, NOW).expect_err("confirmed");
    assert!(matches!(seen, ReserveError::Seen { key: 0 }));
    assert_eq!(database.psql("SELECT count(*) FROM paid").trim(), "1");
}

#[test]
fn a_connection_that_is_lost_is_made_again() {
    let database = Database::new();
    let guard = guard(&database);
    let held = reserve(&guard, NOW).expect("new");
    let others = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity \
        WHERE datname = current_database() AND backend_type = 'client backend' \
        AND pid <> pg_backend_pid()";
    assert_eq!(database.psql(others).trim(), "1");
    // The one that finds out may fail; what is held is held for all that.
    let confirmed = held.confirm();
    let seen = loop {
        match reserve(&guard, NOW) {
            Err(ReserveError::Guard(GuardError::Failed(_))) => {}
            other => break other.expect_err("held or confirmed"),
        }
    };
    match confirmed {
        Ok(()) => assert!(matches!(seen, ReserveError::Seen { key: 0 })),
        Err(_) => assert!(!matches!(seen, ReserveError::Guard(_)), "{seen}"),
    }
}

#[test]
fn two_that_begin_at_once_make_one_table() {
    let database = Database::new();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| reserve(&guard(&database), NOW).map(drop));
        }
    });
    assert!(reserve(&guard(&database), UNTIL + 1).is_ok());
}

#[test]
fn of_many_that_ask_for_a_key_at_once_one_gets_it() {
    let database = Database::new();
    let guards = [guard(&database), guard(&database)];
    let held = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..16)
            .map(|place: usize| {
                scope.spawn({
                    let guard = &guards[place % 2];
                    move || reserve(guard, NOW).ok()
                })
            })
            .collect();
        let answers = asking.into_iter().map(|one| one.join().expect("no panic"));
        answers.flatten().collect::<Vec<_>>()
    });
    assert_eq!(held.len(), 1);
}

#[test]
fn what_fails_is_told_with_its_cause() {
    let database = Database::new();
    let guard = guard(&database);
    database.psql("DROP TABLE webhook_replay");
    match reserve(&guard, NOW).expect_err("there is no table") {
        ReserveError::Guard(GuardError::Failed(cause)) => {
            let cause = cause.source().expect("what the database says").to_string();
            assert!(cause.contains("webhook_replay"), "{cause}");
        }
        other => panic!("{other}"),
    }
}
