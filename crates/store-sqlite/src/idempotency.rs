//! Finds idempotency keys. Rows are only appended, at the end of the hour in which they expire: a
//! tree in the order of the keys themselves would dirty a page for each. What finds them is in
//! memory, by the first 8 bytes of the fingerprint (which is a hash, and so as good as random).
//!
//! Memory is bounded: when there are too many keys, those of one hour are written to disk as a
//! sorted run, a piece in each commit, and a filter of 2 bytes per key stays. A run costs a
//! sequential write and, for a key that is not in it, one lookup in a thousand. At the start all is
//! built again from the rows.

mod filter;

use crate::failure::Failure;
use filter::Filter;
use model::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use store::encoding::HOUR;
use store::idempotency::{Fingerprint, Made, Prior};

/// Rows of a sorted run that one commit carries.
const SPILL_ROWS_MAX: usize = 2_000;

/// A key that was written, and where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Remembered {
    pub(crate) hour: i64,
    pub(crate) id: i64,
    pub(crate) prior: Prior,
}

/// The index in memory, shared by the writer and the readers.
pub(crate) struct Idempotency {
    hours: Mutex<BTreeMap<i64, Hour>>,
    keys_max: usize,
}

/// Keys that expire at the same hour.
#[derive(Default)]
struct Hour {
    recent: HashMap<i64, i64>,
    /// Those of a run that is on its way to disk.
    leaving: Arc<HashMap<i64, i64>>,
    runs: Vec<Filter>,
}

/// A sorted run on its way to disk. It is sorted as it goes: all at once would hold up the writer,
/// and whoever waits for it, for some 10 ms.
pub(crate) struct Spill {
    hour: i64,
    run: i64,
    keys: Vec<(i64, i64)>,
    sorted: usize,
    written: usize,
    filter: Filter,
}

enum Candidate {
    Row(i64, i64),
    Run(i64, i64),
}

impl Idempotency {
    /// Builds the index from what is stored and not expired.
    pub(crate) fn load(
        connection: &Connection,
        now: Timestamp,
        keys_max: usize,
    ) -> Result<Self, Failure> {
        let mut hours = BTreeMap::new();
        let mut last = now.micros().div_euclid(HOUR);
        while let Some(hour) = next_hour(connection, last)? {
            hours.insert(hour, Hour::load(connection, hour)?);
            last = hour;
        }
        Ok(Self {
            hours: Mutex::new(hours),
            keys_max,
        })
    }

    /// What became of the first request with this fingerprint, if it is still remembered.
    pub(crate) fn find(
        &self,
        connection: &Connection,
        now: Timestamp,
        fingerprint: &Fingerprint,
    ) -> Result<Option<Prior>, Failure> {
        for candidate in self.candidates(now, fingerprint) {
            let found = match candidate {
                Candidate::Row(hour, id) => read_row(connection, (hour, id), fingerprint)?,
                Candidate::Run(hour, run) => read_run(connection, (hour, run), fingerprint)?,
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn candidates(&self, now: Timestamp, fingerprint: &Fingerprint) -> Vec<Candidate> {
        let prefix = prefix(fingerprint);
        let current = now.micros().div_euclid(HOUR);
        let mut candidates = Vec::new();
        for (&hour, keys) in self.lock().range(current + 1..) {
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
    pub(crate) fn add(&self, fresh: &HashMap<Fingerprint, Remembered>) {
        if fresh.is_empty() {
            return;
        }
        let mut hours = self.lock();
        for (fingerprint, remembered) in fresh {
            let hour = hours.entry(remembered.hour).or_default();
            hour.recent.insert(prefix(fingerprint), remembered.id);
        }
    }

    /// Forgets hours that are over.
    pub(crate) fn drop_expired(&self, now: Timestamp) {
        let current = now.micros().div_euclid(HOUR);
        let mut hours = self.lock();
        *hours = hours.split_off(&(current + 1));
    }

    /// Begins a run of the fullest hour, if there are too many keys in memory.
    pub(crate) fn begin_spill(&self) -> Option<Spill> {
        let (hour, run, leaving) = {
            let mut hours = self.lock();
            let in_memory: usize = hours.values().map(|hour| hour.recent.len()).sum();
            if in_memory <= self.keys_max {
                return None;
            }
            let (&hour, keys) = hours.iter_mut().max_by_key(|(_, keys)| keys.recent.len())?;
            // With room at once: growing by rehashing would hold up the writer too.
            let next = HashMap::with_capacity(keys.recent.len());
            keys.leaving = Arc::new(std::mem::replace(&mut keys.recent, next));
            (hour, keys.runs.len() as i64, keys.leaving.clone())
        };
        let keys: Vec<_> = leaving.iter().map(|(&prefix, &id)| (prefix, id)).collect();
        Some(Spill {
            hour,
            run,
            filter: Filter::with_room_for(keys.len()),
            keys,
            sorted: 0,
            written: 0,
        })
    }

    /// A run is on disk whole: a filter takes its keys' place in memory.
    pub(crate) fn end_spill(&self, spill: Spill) {
        if let Some(hour) = self.lock().get_mut(&spill.hour) {
            hour.leaving = Arc::default();
            hour.runs.push(spill.filter);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<i64, Hour>> {
        self.hours
            .lock()
            .expect("nothing panics while it holds this lock")
    }
}

impl Hour {
    fn load(connection: &Connection, hour: i64) -> Result<Self, Failure> {
        let mut loaded = Self::default();
        let mut select = connection
            .prepare("SELECT run, last_id FROM idempotency_run WHERE hour = ?1 ORDER BY run")?;
        let mut runs = select.query([hour])?;
        let mut sorted_up_to: i64 = 0;
        while let Some(row) = runs.next()? {
            let filter = Filter::load(connection, hour, row.get(0)?)?;
            loaded.runs.push(filter);
            sorted_up_to = sorted_up_to.max(row.get(1)?);
        }
        // Runs are numbered from 0: what stands behind them is what a crash left of the next one.
        let unfinished = loaded.runs.len() as i64;
        connection.execute(
            "DELETE FROM idempotency_sorted WHERE hour = ?1 AND run >= ?2",
            [hour, unfinished],
        )?;
        let mut select = connection
            .prepare("SELECT id, fingerprint FROM idempotency WHERE hour = ?1 AND id > ?2")?;
        let mut recent = select.query([hour, sorted_up_to])?;
        while let Some(row) = recent.next()? {
            let fingerprint: Fingerprint = row.get(1)?;
            loaded.recent.insert(prefix(&fingerprint), row.get(0)?);
        }
        Ok(loaded)
    }
}

fn next_hour(connection: &Connection, after: i64) -> Result<Option<i64>, Failure> {
    let sql = "SELECT min(hour) FROM idempotency WHERE hour > ?1";
    Ok(connection.query_row(sql, [after], |row| row.get(0))?)
}

impl Spill {
    /// Writes the next piece into the transaction that is open, and says how far it will have come
    /// when that is committed.
    pub(crate) fn write_piece(&mut self, connection: &Connection) -> Result<usize, Failure> {
        self.sort_piece();
        let mut insert = connection.prepare_cached(
            "INSERT INTO idempotency_sorted (hour, run, prefix, id) VALUES (?1, ?2, ?3, ?4)",
        )?;
        for (prefix, id) in &self.keys[self.written..self.sorted] {
            insert.execute(params![self.hour, self.run, prefix, id])?;
        }
        if self.sorted == self.keys.len() {
            let last = self.keys.iter().map(|(_, id)| *id).max();
            connection
                .prepare_cached(
                    "INSERT INTO idempotency_run (hour, run, last_id) VALUES (?1, ?2, ?3)",
                )?
                .execute(params![self.hour, self.run, last])?;
        }
        Ok(self.sorted)
    }

    /// The piece is committed. Whether it was the last.
    pub(crate) fn written_to(&mut self, end: usize) -> bool {
        for (prefix, _) in &self.keys[self.written..end] {
            self.filter.insert(*prefix);
        }
        self.written = end;
        end == self.keys.len()
    }

    /// Brings the next piece, and no more, to its place; once, however often it must be written.
    fn sort_piece(&mut self) {
        if self.sorted > self.written {
            return;
        }
        let rest = &mut self.keys[self.written..];
        let piece = rest.len().min(SPILL_ROWS_MAX);
        if piece < rest.len() {
            rest.select_nth_unstable(piece);
        }
        rest[..piece].sort_unstable();
        self.sorted += piece;
    }
}

/// Removes rows of hours that are over, at most `limit` of each kind; how many keys, and whether
/// there is more.
pub(crate) fn sweep_expired(
    connection: &Connection,
    now: Timestamp,
    limit: usize,
) -> Result<(usize, bool), Failure> {
    let current = now.micros().div_euclid(HOUR);
    let mut removed = [0; 2];
    let statements = [
        "DELETE FROM idempotency WHERE (hour, id) IN
         (SELECT hour, id FROM idempotency WHERE hour <= ?1 LIMIT ?2)",
        "DELETE FROM idempotency_sorted WHERE (hour, run, prefix, id) IN
         (SELECT hour, run, prefix, id FROM idempotency_sorted WHERE hour <= ?1 LIMIT ?2)",
    ];
    for (count, sql) in removed.iter_mut().zip(statements) {
        *count = connection
            .prepare_cached(sql)?
            .execute(params![current, limit as i64])?;
    }
    connection
        .prepare_cached("DELETE FROM idempotency_run WHERE hour <= ?1")?
        .execute([current])?;
    Ok((removed[0], removed.contains(&limit)))
}

fn read_row(
    connection: &Connection,
    (hour, id): (i64, i64),
    fingerprint: &Fingerprint,
) -> Result<Option<Prior>, Failure> {
    let mut select = connection.prepare_cached(
        "SELECT status, body, made, made_tail FROM idempotency
         WHERE hour = ?1 AND id = ?2 AND fingerprint = ?3",
    )?;
    let prior = select.query_row(params![hour, id, fingerprint], |row| {
        let (key, tail) = (row.get(2)?, row.get(3)?);
        Ok(Prior {
            status: row.get(0)?,
            body: row.get(1)?,
            made: Made { key, tail },
        })
    });
    Ok(prior.optional()?)
}

fn read_run(
    connection: &Connection,
    (hour, run): (i64, i64),
    fingerprint: &Fingerprint,
) -> Result<Option<Prior>, Failure> {
    let mut select = connection.prepare_cached(
        "SELECT id FROM idempotency_sorted WHERE hour = ?1 AND run = ?2 AND prefix = ?3",
    )?;
    let mut ids = select.query(params![hour, run, prefix(fingerprint)])?;
    while let Some(row) = ids.next()? {
        if let Some(prior) = read_row(connection, (hour, row.get(0)?), fingerprint)? {
            return Ok(Some(prior));
        }
    }
    Ok(None)
}

fn prefix(fingerprint: &Fingerprint) -> i64 {
    let first = fingerprint.first_chunk().expect("16 bytes begin with 8");
    i64::from_be_bytes(*first)
}

#[cfg(test)]
mod tests;
