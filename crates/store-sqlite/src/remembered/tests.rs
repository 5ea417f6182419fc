//! Keys are found wherever they are: in memory, in a run that is half written, in a run on disk,
//! and after a restart at any of these points.

use super::spill::SPILL_ROWS_MAX;
use super::*;
use crate::connection::prepare_for_writing;
use crate::schema;
use model::id::Tail;
use store::idempotency::{Fingerprint, KEY_LIFE, Made, Prior};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

struct Fixture {
    connection: Connection,
    index: Index<IdempotencyRow>,
    next: i64,
}

impl Fixture {
    fn new(keys_max: usize) -> Self {
        let connection = Connection::open_in_memory().unwrap();
        prepare_for_writing(&connection).unwrap();
        schema::migrate(&connection, 0).unwrap();
        let index = Index::load(&connection, NOW, keys_max).unwrap();
        Self {
            connection,
            index,
            next: 0,
        }
    }

    fn add(&mut self, count: usize) {
        let end = NOW.plus(KEY_LIFE).micros();
        let hour = end.div_euclid(HOUR) + 1;
        let mut fresh = HashMap::new();
        for _ in 0..count {
            self.next += 1;
            let id = self.next;
            self.connection
                .execute(
                    "INSERT INTO idempotency VALUES (?1, ?2, ?3, ?3, 202, ?2, ?4)",
                    params![hour, id, fingerprint(id), Tail::default()],
                )
                .unwrap();
            let made = Made {
                key: id,
                tail: Tail::default(),
            };
            let told = Prior {
                status: 202,
                body: fingerprint(id),
                made,
            };
            fresh.insert(fingerprint(id), Remembered { hour, id, told });
        }
        self.index.add(&fresh);
    }

    fn reload(&mut self, keys_max: usize) {
        self.index = Index::load(&self.connection, NOW, keys_max).unwrap();
    }

    fn find(&self, id: i64, now: Timestamp) -> Option<i64> {
        let found = self.index.find(&self.connection, now, &fingerprint(id));
        found.unwrap().map(|prior| prior.made.key)
    }

    fn assert_all_found(&self) {
        for id in 1..=self.next {
            assert_eq!(self.find(id, NOW), Some(id));
        }
        assert_eq!(self.find(self.next + 1, NOW), None);
    }

    fn in_memory(&self) -> usize {
        self.index
            .hours
            .lock()
            .values()
            .map(|hour| hour.recent.len())
            .sum()
    }

    /// Writes pieces of a run, all of them or so many.
    fn spill(&self, pieces: usize) {
        let mut spill = self.index.begin_spill().expect("there are too many");
        for _ in 0..pieces {
            let end = spill.write_piece(&self.connection).unwrap();
            if spill.written_to(end) {
                return spill.end();
            }
        }
    }
}

/// As evenly spread as a hash.
fn fingerprint(id: i64) -> Fingerprint {
    let spread = |id: i64| {
        (id as u64)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .to_be_bytes()
    };
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&spread(id));
    bytes[8..].copy_from_slice(&id.to_be_bytes());
    bytes
}

#[test]
fn nothing_leaves_memory_while_it_fits() {
    let mut fixture = Fixture::new(100);
    fixture.add(100);
    assert!(fixture.index.begin_spill().is_none());
    fixture.assert_all_found();
}

#[test]
fn keys_are_found_in_memory_in_runs_and_after_a_restart() {
    let mut fixture = Fixture::new(1_000);
    fixture.add(3 * SPILL_ROWS_MAX);
    fixture.spill(usize::MAX);
    assert_eq!(fixture.in_memory(), 0);
    fixture.add(2_000);
    fixture.assert_all_found();
    fixture.spill(usize::MAX);
    fixture.add(10);
    fixture.assert_all_found();

    fixture.reload(1_000);
    assert_eq!(fixture.in_memory(), 10);
    fixture.assert_all_found();
}

/// A commit can fail with a piece in it: the piece is written again, and nothing twice.
#[test]
fn a_piece_that_was_rolled_back_is_written_again() {
    let mut fixture = Fixture::new(1_000);
    fixture.add(3 * SPILL_ROWS_MAX + 7);
    let mut spill = fixture.index.begin_spill().expect("there are too many");
    let mut pieces = 0;
    loop {
        let failing = fixture.connection.unchecked_transaction().unwrap();
        spill.write_piece(&fixture.connection).unwrap();
        failing.rollback().unwrap();
        fixture.assert_all_found();
        let end = spill.write_piece(&fixture.connection).unwrap();
        pieces += 1;
        if spill.written_to(end) {
            break;
        }
    }
    assert_eq!(pieces, 4);
    spill.end();
    assert_eq!(fixture.in_memory(), 0);
    fixture.assert_all_found();
    fixture.reload(1_000);
    assert_eq!(fixture.in_memory(), 0);
    fixture.assert_all_found();
}

/// Keys go on coming while others leave.
#[test]
fn keys_that_came_while_a_run_was_written_are_found_after_a_restart() {
    let mut fixture = Fixture::new(1_000);
    fixture.add(2 * SPILL_ROWS_MAX);
    let mut spill = fixture.index.begin_spill().expect("there are too many");
    loop {
        fixture.add(10);
        let end = spill.write_piece(&fixture.connection).unwrap();
        fixture.assert_all_found();
        if spill.written_to(end) {
            break;
        }
    }
    spill.end();
    assert_eq!(fixture.in_memory(), 20);
    fixture.assert_all_found();
    fixture.reload(1_000);
    assert_eq!(fixture.in_memory(), 20);
    fixture.assert_all_found();
}

#[test]
fn a_run_that_was_not_finished_is_begun_again() {
    let mut fixture = Fixture::new(1_000);
    fixture.add(3 * SPILL_ROWS_MAX);
    fixture.spill(1);
    fixture.assert_all_found();
    fixture.reload(3 * SPILL_ROWS_MAX);
    assert_eq!(fixture.in_memory(), 3 * SPILL_ROWS_MAX);
    fixture.add(1);
    fixture.spill(usize::MAX);
    assert_eq!(fixture.in_memory(), 0);
    fixture.assert_all_found();
}

/// As in a store that was filled from another, which has no runs yet.
#[test]
fn no_more_than_fits_is_in_memory_after_a_restart() {
    let mut fixture = Fixture::new(1_000);
    fixture.add(3 * SPILL_ROWS_MAX + 10);
    for _ in 0..2 {
        fixture.reload(1_000);
        assert!(fixture.in_memory() <= 1_000);
        fixture.assert_all_found();
    }
    fixture.add(1_000);
    fixture.spill(usize::MAX);
    fixture.assert_all_found();
}

#[test]
fn what_a_crash_left_of_a_run_goes_and_finished_runs_stay() {
    let mut fixture = Fixture::new(1_000);
    fixture.add(2 * SPILL_ROWS_MAX);
    fixture.spill(usize::MAX);
    fixture.add(2 * SPILL_ROWS_MAX);
    fixture.spill(1);
    fixture.reload(2 * SPILL_ROWS_MAX);
    let sql = "SELECT count(*), max(run) FROM idempotency_sorted";
    let left: (i64, i64) = fixture
        .connection
        .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!(left, (2 * SPILL_ROWS_MAX as i64, 0));
    fixture.assert_all_found();
}

#[test]
fn expired_keys_are_not_found_and_swept_away() {
    let mut fixture = Fixture::new(1_000);
    fixture.add(SPILL_ROWS_MAX);
    fixture.spill(usize::MAX);
    fixture.add(5);
    let later = NOW.plus(KEY_LIFE + std::time::Duration::from_secs(3_600));
    assert_eq!(fixture.find(1, later), None);
    assert_eq!(fixture.find(fixture.next, later), None);

    let mut removed = 0;
    loop {
        let (keys, more) =
            sweep_expired::<IdempotencyRow>(&fixture.connection, later, 300).unwrap();
        assert!(keys <= 300);
        removed += keys;
        if !more {
            break;
        }
    }
    assert_eq!(removed, SPILL_ROWS_MAX + 5);
    for table in ["idempotency", "idempotency_sorted", "idempotency_run"] {
        let sql = format!("SELECT count(*) FROM {table}");
        let left: i64 = fixture
            .connection
            .query_row(&sql, [], |row| row.get(0))
            .unwrap();
        assert_eq!(left, 0, "{table}");
    }
    fixture.index.drop_expired(later);
    assert!(fixture.index.hours.lock().is_empty());
}
