//! Finds what is kept under a hash for some time: [`idempotency`](crate::idempotency) keys, and
//! what came in at sources ([`replays`](crate::replays)). Rows are only appended, at the end of the
//! hour in which they expire: a tree in the order of the keys themselves would dirty a page for
//! each. What finds them is in memory, by the first 8 bytes of the key (which is a hash, and so as
//! good as random).
//!
//! Memory is bounded: when there are too many keys, those of one hour are written to disk as a
//! sorted run, a piece in each commit, and a filter of 2 bytes per key stays until they expire. A
//! run costs a sequential write and, for a key that is not in it, one lookup in a thousand. At the
//! start all is built again from the rows.

mod filter;
mod spill;

use crate::failure::Failure;
use crate::idempotency::IdempotencyRow;
use crate::replays::ReplayRow;
use filter::Filter;
use model::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::{BTreeMap, HashMap};
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard};
use store::encoding::HOUR;

pub(crate) use spill::Spill;

/// What something is kept under.
pub(crate) type Hash = [u8; 16];

/// What is kept, in a table of its own and two beside it, in which its sorted runs are.
pub(crate) trait Kept {
    /// What of it is told.
    type Told: Copy;
    /// What is asked of the tables.
    const STATEMENTS: &'static Statements;

    /// Reads a row's columns beside hour, number and key, in the order of
    /// [`Statements::row`].
    fn read(row: &Row<'_>, key: Hash) -> Result<Self::Told, Failure>;

    /// Whether it is still to be told, whatever the hour's end is.
    fn is_live(told: &Self::Told, now: Timestamp) -> bool;
}

/// What is asked of the tables of one kind.
pub(crate) struct Statements {
    /// The row of this hour, number and key.
    pub(crate) row: &'static str,
    pub(crate) next_hour: &'static str,
    pub(crate) keys_behind: &'static str,
    pub(crate) runs: &'static str,
    pub(crate) add_run: &'static str,
    pub(crate) prefixes: &'static str,
    pub(crate) find_prefix: &'static str,
    pub(crate) add_prefix: &'static str,
    pub(crate) remove_unfinished: &'static str,
    pub(crate) sweep: [&'static str; 2],
    pub(crate) sweep_runs: &'static str,
}

/// The statements of a table, by its name, its key's column and what is read of a row.
macro_rules! statements {
    ($table:literal, $key:literal, $columns:literal) => {
        &$crate::remembered::Statements {
            row: concat!(
                "SELECT ",
                $columns,
                " FROM ",
                $table,
                " WHERE hour = ?1 AND id = ?2 AND ",
                $key,
                " = ?3"
            ),
            next_hour: concat!("SELECT min(hour) FROM ", $table, " WHERE hour > ?1"),
            keys_behind: concat!(
                "SELECT id, ",
                $key,
                " FROM ",
                $table,
                " WHERE hour = ?1 AND id > ?2 ORDER BY id LIMIT ?3"
            ),
            runs: concat!(
                "SELECT run, last_id FROM ",
                $table,
                "_run WHERE hour = ?1 ORDER BY run"
            ),
            add_run: concat!(
                "INSERT INTO ",
                $table,
                "_run (hour, run, last_id) VALUES (?1, ?2, ?3)"
            ),
            prefixes: concat!(
                "SELECT prefix FROM ",
                $table,
                "_sorted WHERE hour = ?1 AND run = ?2"
            ),
            find_prefix: concat!(
                "SELECT id FROM ",
                $table,
                "_sorted WHERE hour = ?1 AND run = ?2 AND prefix = ?3"
            ),
            add_prefix: concat!(
                "INSERT INTO ",
                $table,
                "_sorted (hour, run, prefix, id) VALUES (?1, ?2, ?3, ?4)"
            ),
            remove_unfinished: concat!(
                "DELETE FROM ",
                $table,
                "_sorted WHERE hour = ?1 AND run >= ?2"
            ),
            sweep: [
                concat!(
                    "DELETE FROM ",
                    $table,
                    " WHERE (hour, id) IN
                     (SELECT hour, id FROM ",
                    $table,
                    " WHERE hour <= ?1 LIMIT ?2)"
                ),
                concat!(
                    "DELETE FROM ",
                    $table,
                    "_sorted WHERE (hour, run, prefix, id) IN
                     (SELECT hour, run, prefix, id FROM ",
                    $table,
                    "_sorted
                      WHERE hour <= ?1 LIMIT ?2)"
                ),
            ],
            sweep_runs: concat!("DELETE FROM ", $table, "_run WHERE hour <= ?1"),
        }
    };
}
pub(crate) use statements;

/// A key that was written, and where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Remembered<T> {
    pub(crate) hour: i64,
    /// Larger than those that were written in this hour before.
    pub(crate) id: i64,
    pub(crate) told: T,
}

/// What a transaction adds.
pub(crate) type Fresh<K> = HashMap<Hash, Remembered<<K as Kept>::Told>>;

/// What finds all that is kept, shared by the writer and the readers.
pub(crate) struct Indices {
    pub(crate) idempotency: Index<IdempotencyRow>,
    pub(crate) replays: Index<ReplayRow>,
}

/// The index of one kind, in memory.
pub(crate) struct Index<K> {
    hours: Arc<Hours>,
    keys_max: usize,
    kept: PhantomData<K>,
}

/// By when they expire.
#[derive(Default)]
struct Hours(Mutex<BTreeMap<i64, Hour>>);

/// Keys that expire at the same hour.
#[derive(Default)]
struct Hour {
    recent: HashMap<i64, i64>,
    /// Those of a run that is on its way to disk.
    leaving: Arc<HashMap<i64, i64>>,
    runs: Vec<Filter>,
}

enum Candidate {
    Row(i64, i64),
    Run(i64, i64),
}

impl Indices {
    /// Builds them from what is stored and not expired, each with so many keys in memory.
    pub(crate) fn load(
        connection: &Connection,
        now: Timestamp,
        keys_max: usize,
    ) -> Result<Self, Failure> {
        Ok(Self {
            idempotency: Index::load(connection, now, keys_max)?,
            replays: Index::load(connection, now, keys_max)?,
        })
    }

    /// Forgets hours that are over.
    pub(crate) fn drop_expired(&self, now: Timestamp) {
        self.idempotency.drop_expired(now);
        self.replays.drop_expired(now);
    }

    /// Begins a run of either, if there are too many keys in memory.
    pub(crate) fn begin_spill(&self) -> Option<Spill> {
        let spill = self.idempotency.begin_spill();
        spill.or_else(|| self.replays.begin_spill())
    }
}

impl<K: Kept> Index<K> {
    fn load(connection: &Connection, now: Timestamp, keys_max: usize) -> Result<Self, Failure> {
        let index = Self {
            hours: Arc::default(),
            keys_max,
            kept: PhantomData,
        };
        let mut last = now.micros().div_euclid(HOUR);
        loop {
            let mut select = connection.prepare_cached(K::STATEMENTS.next_hour)?;
            let next: Option<i64> = select.query_row([last], |row| row.get(0))?;
            let Some(hour) = next else {
                return Ok(index);
            };
            index.load_hour(connection, hour)?;
            last = hour;
        }
    }

    /// What other stores were moved from has no runs: they are made as its rows are read, so that
    /// there are never too many keys in memory.
    fn load_hour(&self, connection: &Connection, hour: i64) -> Result<(), Failure> {
        let (loaded, mut behind) = Hour::load_runs(connection, (K::STATEMENTS, hour))?;
        self.hours.lock().insert(hour, loaded);
        let chunk = self.keys_max.saturating_add(1);
        let mut select = connection.prepare_cached(K::STATEMENTS.keys_behind)?;
        loop {
            let rows = select.query_map(params![hour, behind, chunk as i64], |row| {
                let (id, key): (i64, Hash) = (row.get(0)?, row.get(1)?);
                Ok((prefix(&key), id))
            });
            let rows = rows?.collect::<Result<Vec<_>, _>>()?;
            let Some(&(_, last)) = rows.last() else {
                return Ok(());
            };
            behind = last;
            if let Some(hour) = self.hours.lock().get_mut(&hour) {
                hour.recent.extend(rows);
            }
            while let Some(spill) = self.begin_spill() {
                spill.write_all(connection)?;
            }
        }
    }

    /// What is kept under a key, if it is still remembered.
    pub(crate) fn find(
        &self,
        connection: &Connection,
        now: Timestamp,
        key: &Hash,
    ) -> Result<Option<K::Told>, Failure> {
        for candidate in self.candidates(now, key) {
            let found = match candidate {
                Candidate::Row(hour, id) => read_row::<K>(connection, (hour, id), (key, now))?,
                Candidate::Run(hour, run) => read_run::<K>(connection, (hour, run), (key, now))?,
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn candidates(&self, now: Timestamp, key: &Hash) -> Vec<Candidate> {
        let prefix = prefix(key);
        let current = now.micros().div_euclid(HOUR);
        let mut candidates = Vec::new();
        for (&hour, keys) in self.hours.lock().range(current + 1..) {
            let in_memory = [keys.recent.get(&prefix), keys.leaving.get(&prefix)];
            for &id in in_memory.into_iter().flatten() {
                candidates.push(Candidate::Row(hour, id));
            }
            for (run, filter) in (0..).zip(&keys.runs) {
                if filter.may_hold(prefix) {
                    candidates.push(Candidate::Run(hour, run));
                }
            }
        }
        candidates
    }

    /// Indexes keys whose rows are committed.
    pub(crate) fn add(&self, fresh: &Fresh<K>) {
        if fresh.is_empty() {
            return;
        }
        let mut hours = self.hours.lock();
        for (key, remembered) in fresh {
            let hour = hours.entry(remembered.hour).or_default();
            hour.recent.insert(prefix(key), remembered.id);
        }
    }

    fn drop_expired(&self, now: Timestamp) {
        let current = now.micros().div_euclid(HOUR);
        let mut hours = self.hours.lock();
        *hours = hours.split_off(&(current + 1));
    }
}

impl Hours {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<i64, Hour>> {
        self.0
            .lock()
            .expect("nothing panics while it holds this lock")
    }
}

impl Hour {
    /// One with its runs, and up to which number its rows are in them.
    fn load_runs(
        connection: &Connection,
        (statements, hour): (&Statements, i64),
    ) -> Result<(Self, i64), Failure> {
        let mut loaded = Self::default();
        let mut select = connection.prepare_cached(statements.runs)?;
        let mut runs = select.query([hour])?;
        let mut sorted_up_to: i64 = 0;
        while let Some(row) = runs.next()? {
            let filter = Filter::load(connection, statements.prefixes, (hour, row.get(0)?))?;
            loaded.runs.push(filter);
            sorted_up_to = sorted_up_to.max(row.get(1)?);
        }
        // Runs are numbered from 0: what stands behind them is what a crash left of the next one.
        let unfinished = loaded.runs.len() as i64;
        connection
            .prepare_cached(statements.remove_unfinished)?
            .execute([hour, unfinished])?;
        Ok((loaded, sorted_up_to))
    }
}

/// Removes rows of hours that are over, at most `limit` of each kind; how many keys, and whether
/// there is more.
pub(crate) fn sweep_expired<K: Kept>(
    connection: &Connection,
    now: Timestamp,
    limit: usize,
) -> Result<(usize, bool), Failure> {
    let current = now.micros().div_euclid(HOUR);
    let mut removed = [0; 2];
    for (count, sql) in removed.iter_mut().zip(K::STATEMENTS.sweep) {
        *count = connection
            .prepare_cached(sql)?
            .execute(params![current, limit as i64])?;
    }
    connection
        .prepare_cached(K::STATEMENTS.sweep_runs)?
        .execute([current])?;
    Ok((removed[0], removed.contains(&limit)))
}

fn read_row<K: Kept>(
    connection: &Connection,
    (hour, id): (i64, i64),
    (key, now): (&Hash, Timestamp),
) -> Result<Option<K::Told>, Failure> {
    let mut select = connection.prepare_cached(K::STATEMENTS.row)?;
    let read = |row: &Row<'_>| Ok(K::read(row, *key));
    let told = select.query_row(params![hour, id, key], read).optional()?;
    let told = told.transpose()?;
    Ok(told.filter(|told| K::is_live(told, now)))
}

fn read_run<K: Kept>(
    connection: &Connection,
    (hour, run): (i64, i64),
    (key, now): (&Hash, Timestamp),
) -> Result<Option<K::Told>, Failure> {
    let mut select = connection.prepare_cached(K::STATEMENTS.find_prefix)?;
    let mut ids = select.query(params![hour, run, prefix(key)])?;
    while let Some(row) = ids.next()? {
        let row = (hour, row.get(0)?);
        if let Some(told) = read_row::<K>(connection, row, (key, now))? {
            return Ok(Some(told));
        }
    }
    Ok(None)
}

fn prefix(key: &Hash) -> i64 {
    let first = key.first_chunk().expect("16 bytes begin with 8");
    i64::from_be_bytes(*first)
}

#[cfg(test)]
mod tests;
