//! What another lane holds or has waiting costs a claim nothing: counted in SQLite's instructions,
//! not in time.

use super::*;
use crate::connection::prepare_for_writing;
use crate::schema;
use model::id::ApplicationKey;
use std::sync::atomic::{AtomicU64, Ordering};

const FULL: i64 = 10;
const OTHER: i64 = 20;

fn database(rows_of_the_full_lane: i64) -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    prepare_for_writing(&connection).unwrap();
    schema::migrate(&connection, 0).unwrap();
    connection
        .execute(
            "INSERT INTO message (id, tail, application, event_type, expires_at, form, payload)
             VALUES (1, zeroblob(12), 1, 'order.paid', 9, 0, x'00')",
            [],
        )
        .unwrap();
    connection
        .execute(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
             INSERT INTO delivery SELECT ?2, 0, i, 1000 + i, 1, 1, 0, 0 FROM n",
            [rows_of_the_full_lane, FULL],
        )
        .unwrap();
    connection
        .execute(
            "INSERT INTO delivery VALUES (?1, 1, 5, 7, 1, 1, 2, 0)",
            [OTHER],
        )
        .unwrap();
    connection
}

/// Instructions that `work` takes, when its statements have been prepared.
fn instructions<T>(connection: &mut Connection, work: impl Fn(&Connection) -> T) -> (T, u64) {
    work(connection);
    let count = Arc::new(AtomicU64::new(0));
    let counter = count.clone();
    let tick = move || {
        counter.fetch_add(1, Ordering::Relaxed);
        false
    };
    connection.progress_handler(1, Some(tick)).unwrap();
    let done = work(connection);
    connection
        .progress_handler(0, None::<fn() -> bool>)
        .unwrap();
    (done, count.load(Ordering::Relaxed))
}

fn lane(endpoint: i64) -> Lane {
    Lane {
        application: ApplicationKey::from_integer(1),
        endpoint: EndpointKey::from_integer(endpoint),
    }
}

#[test]
fn a_full_lane_costs_another_lanes_claim_nothing() {
    let cost = |rows| {
        let mut connection = database(rows);
        let owned = Arc::new(Owned::default());
        let full = claim(&connection, &owned, (lane(FULL), Timestamp::MAX, 256)).unwrap();
        let work =
            |connection: &_| claim(connection, &owned, (lane(OTHER), Timestamp::MAX, 10)).unwrap();
        let (claimed, cost) = instructions(&mut connection, work);
        assert_eq!(claimed.len(), 1);
        drop(full);
        cost
    };
    assert_eq!(cost(300), cost(100_000));
}

#[test]
fn lanes_are_found_by_jumping_over_their_rows() {
    let cost = |rows| {
        let mut connection = database(rows);
        let owned = Owned::default();
        let work = |connection: &_| lanes(connection, &owned, EndpointKey::MIN, 10).unwrap();
        let (lanes, cost) = instructions(&mut connection, work);
        assert_eq!(lanes.len(), 2);
        cost
    };
    assert_eq!(cost(300), cost(100_000));
}
