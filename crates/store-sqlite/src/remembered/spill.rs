//! Keys on their way out of memory: a sorted run that is written piece by piece, in commits of
//! others, so that nobody waits for all of it.

use super::{Filter, Hours, Index, Kept, Statements};
use crate::failure::Failure;
use rusqlite::{Connection, params};
use std::collections::HashMap;
use std::sync::Arc;

/// Rows of a sorted run that one commit carries.
pub(super) const SPILL_ROWS_MAX: usize = 2_000;

/// A sorted run on its way to disk. It is sorted as it goes: all at once would hold up the writer,
/// and whoever waits for it, for some 10 ms.
pub(crate) struct Spill {
    hours: Arc<Hours>,
    statements: &'static Statements,
    hour: i64,
    run: i64,
    keys: Vec<(i64, i64)>,
    sorted: usize,
    written: usize,
    filter: Filter,
}

impl<K: Kept> Index<K> {
    /// Begins a run of the fullest hour, if there are too many keys in memory.
    pub(super) fn begin_spill(&self) -> Option<Spill> {
        let (hour, run, leaving) = {
            let mut hours = self.hours.lock();
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
            hours: self.hours.clone(),
            statements: K::STATEMENTS,
            hour,
            run,
            filter: Filter::with_room_for(keys.len()),
            keys,
            sorted: 0,
            written: 0,
        })
    }
}

impl Spill {
    /// Writes the next piece into the transaction that is open, and says how far it will have come
    /// when that is committed.
    pub(crate) fn write_piece(&mut self, connection: &Connection) -> Result<usize, Failure> {
        self.sort_piece();
        let mut insert = connection.prepare_cached(self.statements.add_prefix)?;
        for (prefix, id) in &self.keys[self.written..self.sorted] {
            insert.execute(params![self.hour, self.run, prefix, id])?;
        }
        if self.sorted == self.keys.len() {
            let last = self.keys.iter().map(|(_, id)| *id).max();
            connection
                .prepare_cached(self.statements.add_run)?
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

    /// The run is on disk whole: a filter takes its keys' place in memory.
    pub(crate) fn end(self) {
        if let Some(hour) = self.hours.lock().get_mut(&self.hour) {
            hour.leaving = Arc::default();
            hour.runs.push(self.filter);
        }
    }

    /// All at once, where nobody waits: in one transaction.
    pub(super) fn write_all(mut self, connection: &Connection) -> Result<(), Failure> {
        let transaction = connection.unchecked_transaction()?;
        loop {
            let end = self.write_piece(&transaction)?;
            if self.written_to(end) {
                break;
            }
        }
        transaction.commit()?;
        self.end();
        Ok(())
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
