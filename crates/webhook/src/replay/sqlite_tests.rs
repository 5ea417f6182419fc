//! What a guard in SQLite promises beside what every guard does: across processes, across a crash,
//! and in the transaction of the work.

use super::tests::{NOW, UNTIL, key};
use super::*;
use rusqlite::Connection;

struct Database {
    folder: tempfile::TempDir,
}

impl Database {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { folder }
    }

    fn connect(&self) -> Connection {
        Connection::open(self.folder.path().join("shop.db")).expect("a database")
    }

    /// What another process would have.
    fn guard(&self) -> Arc<Sqlite> {
        Arc::new(Sqlite::new(self.connect()).expect("a guard"))
    }
}

fn reserve(guard: &Arc<Sqlite>, now: i64) -> Result<Reservation, ReserveError> {
    Reservation::new(guard.clone(), &[key("a"), key("b")], now, UNTIL)
}

#[test]
fn it_gives_back_what_is_dropped_and_has_seen_what_is_confirmed() {
    let database = Database::new();
    let (one, other) = (database.guard(), database.guard());
    let held = reserve(&one, NOW).expect("new");
    let busy = reserve(&other, NOW).expect_err("held");
    assert!(matches!(busy, ReserveError::InProgress));
    drop(held);
    let held = reserve(&other, NOW).expect("given back");
    held.confirm().expect("held");
    drop((one, other));
    let seen = reserve(&database.guard(), UNTIL).expect_err("remembered");
    assert!(matches!(seen, ReserveError::Seen { key: 0 }));
    assert!(
        reserve(&database.guard(), UNTIL + 1).is_ok(),
        "its time is over"
    );
}

#[test]
fn what_a_crash_left_reserved_is_welcome_once_its_lease_is_over() {
    let database = Database::new();
    let lease = i64::from(LEASE_SECONDS);
    let late = reserve(&database.guard(), NOW).expect("new");
    let guard = database.guard();
    let busy = reserve(&guard, NOW + lease).expect_err("leased");
    assert!(matches!(busy, ReserveError::InProgress));
    let current = reserve(&guard, NOW + lease + 1).expect("the lease is over");
    assert!(matches!(late.confirm(), Err(GuardError::Over)));
    // Nor has the late one given it back.
    assert!(reserve(&guard, NOW + lease + 1).is_err());
    current.confirm().expect("held");
}

#[test]
fn a_key_is_confirmed_with_the_work_or_not_at_all() {
    let database = Database::new();
    let guard = database.guard();
    let mut orders = database.connect();
    orders
        .execute("CREATE TABLE paid (id INTEGER)", [])
        .expect("a table");
    for commits in [false, true] {
        let held = reserve(&guard, NOW).expect("not confirmed yet");
        let transaction = orders.transaction().expect("begun");
        let paid = transaction.execute("INSERT INTO paid VALUES (7)", []);
        paid.expect("written");
        Sqlite::confirm_in(&transaction, &held).expect("held");
        match commits {
            true => transaction.commit(),
            false => transaction.rollback(),
        }
        .expect("ended");
    }
    let seen = reserve(&guard, NOW).expect_err("confirmed");
    assert!(matches!(seen, ReserveError::Seen { key: 0 }));
    let count = orders.query_row("SELECT count(*) FROM paid", [], |row| row.get(0));
    assert_eq!(count, Ok(1));
}

#[test]
fn what_fails_is_told_with_its_cause() {
    let database = Database::new();
    let guard = database.guard();
    let dropped = database.connect().execute("DROP TABLE webhook_replay", []);
    dropped.expect("gone");
    match reserve(&guard, NOW).expect_err("there is no table") {
        ReserveError::Guard(GuardError::Failed(cause)) => {
            assert!(cause.to_string().contains("no such table"), "{cause}");
        }
        other => panic!("{other}"),
    }
}
