//! Filling a database for a measurement: so many messages as were asked for, each with all that the
//! ones had that it is a copy of, and from the days before them.

use model::id::Key;
use model::{Clock, Entropy, Timestamp};
use private_postgres::Database;
use std::sync::{Arc, Mutex};
use store::conformance::{TestClock, TestEntropy};
use store_postgres::{PostgresConfig, PostgresStore, Surroundings, fill};

const DAY: i64 = 24 * 3_600 * 1_000_000;
/// When the originals were made: not the first day of a partition, so that copies need another.
const MADE: i64 = 2_970 * 7 * DAY + DAY;
const EXPIRES: i64 = MADE + 90 * DAY;
const HOUR: i64 = MADE / (3_600 * 1_000_000) + 13;

/// A database with two delivered messages of each of two applications, of which one failed first
/// and has an excerpt; and one that is not delivered and has no payload any more.
async fn filled_once() -> Database {
    let database = Database::new();
    let clock: Arc<dyn Clock> = Arc::new(TestClock::default());
    let entropy: Arc<dyn Entropy> = Arc::new(TestEntropy::new(1));
    let opened = PostgresStore::open(config(&database), Surroundings { clock, entropy }).await;
    drop(opened.expect("it opens"));
    let key = |time: i64| Key::<()>::first_at(Timestamp::from_micros(time)).integer();
    for (table, from, to) in [
        ("message", key(MADE - DAY), key(MADE + DAY)),
        ("attempt", key(MADE - DAY), key(MADE + DAY)),
        ("excerpt", key(MADE - DAY), key(MADE + DAY)),
        ("payload", EXPIRES, EXPIRES + DAY),
        ("idempotency", HOUR, HOUR + 1),
    ] {
        // As nodes make them, and name them.
        let number = match table {
            "message" | "attempt" | "excerpt" => MADE / (7 * DAY),
            "payload" => EXPIRES / DAY,
            _ => HOUR,
        };
        database.psql(&format!(
            "CREATE TABLE IF NOT EXISTS {table}_{number}
             PARTITION OF {table} FOR VALUES FROM ({from}) TO ({to})"
        ));
    }
    let id = key(MADE) + 16_384;
    for number in 0..5 {
        let (application, id, tail) = (1 + number % 2, id + number, format!("'\\x0{number}'"));
        database.psql(&format!(
            "INSERT INTO message VALUES
                 ({application}, {id}, {tail}, 'a.b', {event}, 'c', 't', NULL, {EXPIRES}, 0, NULL)",
            event = if number == 0 { "'e'" } else { "NULL" },
        ));
        if number < 4 {
            database.psql(&format!(
                "INSERT INTO payload VALUES ({application}, {id}, {EXPIRES}, {tail});
                 INSERT INTO attempt VALUES
                     ({application}, {id}, {tail}, {id}, 5, 0, 1, {MADE}, 8, 200, 0, 1);
                 INSERT INTO idempotency VALUES
                     ({HOUR}, {tail}, '\\x09', 202, {id}, {tail})"
            ));
        }
    }
    let again = id + 16_384;
    database.psql(&format!(
        "INSERT INTO attempt VALUES
             (1, {again}, '\\x07', {id}, 5, 0, 2, {MADE}, 9, 500, 1, 1, false, '\\x0a', 11);
         INSERT INTO excerpt VALUES (1, {again}, '\\x08', '\\x09')"
    ));
    database
}

fn config(database: &Database) -> PostgresConfig {
    PostgresConfig {
        url: database.url().to_owned(),
        ..PostgresConfig::default()
    }
}

#[tokio::test]
async fn there_are_as_many_as_were_asked_for_each_with_all_that_its_original_had() {
    let database = filled_once().await;
    let told = Mutex::new(Vec::new());
    let tell = |count| told.lock().expect("nobody panics with it").push(count);
    fill(&config(&database), 1_000, tell)
        .await
        .expect("it is filled");
    assert_eq!(*told.lock().expect("nobody panics with it"), [1_000]);
    // Of five messages, four have a payload, an attempt and a key; of one there are two attempts.
    let counts = database.psql(
        "SELECT (SELECT count(*) FROM message), (SELECT count(*) FROM payload),
             (SELECT count(*) FROM attempt), (SELECT count(*) FROM excerpt),
             (SELECT count(*) FROM idempotency), (SELECT count(*) FROM delivery)",
    );
    assert_eq!(counts, "1000|800|1000|200|800|0\n");
    let whole = database.psql(
        "SELECT count(*) FROM message m
         JOIN payload p ON p.expires_at = m.expires_at AND p.application = m.application
             AND p.message = m.id AND p.body = m.tail
         JOIN attempt a ON a.application = m.application AND a.message = m.id AND a.tail = m.tail
         JOIN idempotency i ON i.made = m.id AND i.made_tail = m.tail",
    );
    assert_eq!(whole, "800\n");
    let retried = database.psql(
        "SELECT count(*) FROM message m JOIN attempt a ON a.message = m.id AND a.number = 2
         JOIN excerpt e ON e.application = a.application AND e.attempt = a.id
         WHERE m.tail = '\\x00' AND e.body = '\\x08' AND e.head = '\\x09'
         AND a.phases = '\\x0a' AND a.chain = 11",
    );
    assert_eq!(retried, "200\n");
    let named = database.psql("SELECT count(*) FROM message WHERE event_id IS NOT NULL");
    assert_eq!(named, "1\n", "an event id is there once");
}

#[tokio::test]
async fn copies_are_from_the_days_before_and_by_no_node() {
    let database = filled_once().await;
    fill(&config(&database), 500, |_| {})
        .await
        .expect("it is filled");
    let ids = database.psql("SELECT id FROM message ORDER BY id");
    let keys = ids.lines().map(|id| id.parse().expect("a number"));
    let keys: Vec<Key<()>> = keys.map(Key::from_integer).collect();
    let slots = keys.iter().filter(|key| key.integer() >> 14 & 0x3ff != 0);
    assert_eq!(slots.count(), 5, "of the originals");
    let ages = keys.iter().map(|key| (MADE - key.time().micros()) / DAY);
    let mut each_day = [0; 8];
    for age in ages {
        each_day[age as usize] += 1;
    }
    let evenly = each_day[..7].iter().all(|count| (65..=80).contains(count));
    assert!(evenly && each_day[7] <= 1, "{each_day:?}");
    let hours = database.psql("SELECT count(DISTINCT hour), max(hour) FROM idempotency");
    assert_eq!(hours, format!("12|{HOUR}\n"));
}

#[tokio::test]
async fn what_holds_enough_is_left_and_what_holds_nothing_can_not_be_filled() {
    let database = filled_once().await;
    fill(&config(&database), 5, |_| {})
        .await
        .expect("it is full");
    assert_eq!(database.psql("SELECT count(*) FROM message"), "5\n");
    database.psql("TRUNCATE message");
    let refused = fill(&config(&database), 5, |_| {}).await;
    let told = refused.expect_err("there is nothing").to_string();
    assert!(told.contains("no message"), "{told}");
}
