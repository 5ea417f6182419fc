//! One transaction in the making: what the requests of a commit share. Keys are taken here, under
//! the writer, so that a smaller one never commits after a larger one; attempts and open deliveries
//! are counted here and written once per group.

use crate::applications;
use crate::failure::Failure;
use crate::idempotency::IdempotencyRow;
use crate::remembered::{self, Indices};
use crate::replays::ReplayRow;
use crate::rounds::Rounds;
use model::entropy::random;
use model::id::{ApplicationKey, Key, KeySequence, Tail};
use model::{Entropy, Timestamp};
use rusqlite::{CachedStatement, Connection, params};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::chains::FreshChains;
use store::counts::Counts;
use store::owned::Owned;
use store::pulse::Moved;
use store::tally::{SLOTS, hour_of};

macro_rules! counts {
    ($($minute:ident)*) => {
        [$(concat!(
            "INSERT INTO rollup (endpoint, hour, event_type, result, attempts, ",
            stringify!($minute),
            ") VALUES (?1, ?2, ?3, ?4, ?5, ?5)
             ON CONFLICT (endpoint, hour, event_type, result)
             DO UPDATE SET attempts = attempts + excluded.attempts, ",
            stringify!($minute), " = coalesce(", stringify!($minute), ", 0) + ?5",
        )),*]
    };
}

/// What counts attempts, by the slot of their hour.
const COUNT: [&str; SLOTS] = counts!(m00 m05 m10 m15 m20 m25 m30 m35 m40 m45 m50 m55);

/// What the writer lends to a transaction.
pub(crate) struct Lent<'w> {
    pub(crate) connection: &'w Connection,
    pub(crate) now: Timestamp,
    pub(crate) owned: &'w Arc<Owned>,
    pub(crate) entropy: &'w dyn Entropy,
    pub(crate) indices: &'w Indices,
    pub(crate) keys: &'w mut KeySequence,
    pub(crate) rounds: &'w mut Rounds,
}

/// What is known in memory after the commit.
#[derive(Default)]
pub(crate) struct Fresh {
    /// Whom the commit concerns.
    pub(crate) moved: Moved,
    /// What is kept by its hash.
    pub(crate) idempotency: remembered::Fresh<IdempotencyRow>,
    pub(crate) replays: remembered::Fresh<ReplayRow>,
    /// Chains that attempts name.
    pub(crate) chains: FreshChains,
}

/// A transaction in the making.
pub(crate) struct Batch<'w> {
    pub(crate) connection: &'w Connection,
    /// When it began.
    pub(crate) now: Timestamp,
    /// Who owns what.
    pub(crate) owned: &'w Arc<Owned>,
    /// Where the rounds of housekeeping stand.
    pub(crate) rounds: &'w mut Rounds,
    entropy: &'w dyn Entropy,
    /// Where what is kept by its hash is found.
    pub(crate) indices: &'w Indices,
    keys: &'w mut KeySequence,
    /// Those that run for each message, taken out of the connection's cache once.
    statements: Vec<(&'static str, CachedStatement<'w>)>,
    /// As they are now, of applications that were asked for.
    revisions: BTreeMap<ApplicationKey, Option<u64>>,
    /// What is known after the commit, and in it.
    pub(crate) fresh: Fresh,
    /// What is counted beside what is written.
    pub(crate) counts: Counts,
    taken: i64,
    kept: i64,
}

impl<'w> Batch<'w> {
    /// Nothing done yet.
    pub(crate) fn new(lent: Lent<'w>) -> Self {
        Self {
            connection: lent.connection,
            now: lent.now,
            owned: lent.owned,
            rounds: lent.rounds,
            entropy: lent.entropy,
            indices: lent.indices,
            keys: lent.keys,
            statements: Vec::new(),
            revisions: BTreeMap::new(),
            fresh: Fresh::default(),
            counts: Counts::default(),
            taken: 0,
            kept: 0,
        }
    }

    /// The next key, for a row that may be gone when the process starts again.
    pub(crate) fn key<K>(&mut self) -> Key<K> {
        let key = self.keys.next(self.now);
        self.taken = key.integer();
        key
    }

    /// The next key, for a row that stays: at the next start it tells where the sequence was.
    pub(crate) fn lasting_key<K>(&mut self) -> Key<K> {
        let key = self.key();
        self.kept = self.taken;
        key
    }

    /// Rows that tell where the sequence was may go: it is written down on its own.
    pub(crate) fn write_down_last_key(&mut self) {
        let _ = self.key::<()>();
    }

    /// A tail for a row that the store makes itself.
    pub(crate) fn tail(&self) -> Tail {
        random(self.entropy)
    }

    /// A statement that runs for each message: `sql` is a constant, known by where it lies.
    pub(crate) fn statement(
        &mut self,
        sql: &'static str,
    ) -> Result<&mut CachedStatement<'w>, Failure> {
        let known = |(other, _): &(&'static str, _)| std::ptr::eq(*other, sql);
        let index = match self.statements.iter().position(known) {
            Some(index) => index,
            None => {
                let prepared = self.connection.prepare_cached(sql)?;
                self.statements.push((sql, prepared));
                self.statements.len() - 1
            }
        };
        Ok(&mut self.statements[index].1)
    }

    /// The revision of a live application.
    pub(crate) fn revision(&mut self, application: ApplicationKey) -> Result<Option<u64>, Failure> {
        if let Some(known) = self.revisions.get(&application) {
            return Ok(*known);
        }
        let revision = applications::revision(self.connection, application)?;
        self.revisions.insert(application, revision);
        Ok(revision)
    }

    /// Fan-outs that were computed so far are stale. Nothing else changes a revision.
    pub(crate) fn grow_revision(&mut self, application: ApplicationKey) -> Result<(), Failure> {
        self.revisions.remove(&application);
        self.connection
            .prepare_cached("UPDATE application SET revision = revision + 1 WHERE id = ?1")?
            .execute([application.integer()])?;
        Ok(())
    }

    /// Writes what is written once per transaction, and gives back what is known after the commit.
    pub(crate) fn finish(self) -> Result<Fresh, Failure> {
        self.write_attempts()?;
        self.write_open()?;
        if self.taken > self.kept {
            self.connection
                .prepare_cached("UPDATE sequence SET last = ?1 WHERE id = 0")?
                .execute([self.taken])?;
        }
        Ok(self.fresh)
    }

    fn write_attempts(&self) -> Result<(), Failure> {
        // Nearly always there is one for all of them.
        let mut upsert: Option<(usize, CachedStatement<'_>)> = None;
        for (group, attempts) in self.counts.attempts() {
            let (hour, slot) = hour_of(group.slot);
            let mut statement = match upsert.take() {
                Some((other, statement)) if other == slot => statement,
                _ => self.connection.prepare_cached(COUNT[slot])?,
            };
            statement.execute(params![
                group.endpoint.integer(),
                hour,
                group.event_type.as_str(),
                group.result,
                attempts
            ])?;
            upsert = Some((slot, statement));
        }
        Ok(())
    }

    fn write_open(&self) -> Result<(), Failure> {
        let mut upsert = self.connection.prepare_cached(
            "INSERT INTO open_count (endpoint, pending, retrying) VALUES (?1, ?2, ?3)
             ON CONFLICT (endpoint) DO UPDATE
             SET pending = pending + excluded.pending, retrying = retrying + excluded.retrying",
        )?;
        for (endpoint, opened) in self.counts.opened() {
            upsert.execute([endpoint.integer(), opened.pending, opened.retrying])?;
        }
        Ok(())
    }
}
