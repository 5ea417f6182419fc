//! A log as it is shown piece by piece: start, entries with each checkpoint behind the entry that
//! it ends with, and what waits to be sealed.

use super::verify::{Report, Verifier};
use model::id::{AuditKey, Key};
use std::collections::VecDeque;
use store::StoreError;
use store::audit::{AuditLog, Checkpoint, KeptEntry, Link, SignedCheckpoint};

/// So much is read at once.
const PAGE: usize = 500;

/// A piece of a log.
pub(super) enum Piece {
    /// A sealed entry.
    Entry(KeptEntry),
    /// A checkpoint.
    Checkpoint(Checkpoint),
    /// An entry that waits to be sealed.
    Waiting(KeptEntry),
}

/// Verifies a store's log, which this key signs.
///
/// # Errors
/// Of the store.
pub async fn verify_log(
    log: &mut dyn AuditLog,
    public_key: [u8; 32],
    outside: &[SignedCheckpoint],
) -> Result<Report, StoreError> {
    let start = log.ends().await?.start;
    let mut verifier = Verifier::new(public_key, start, outside);
    let mut pieces = Pieces::default();
    while !pieces.have_ended {
        pieces.read(log).await?;
        while let Some(piece) = pieces.next() {
            match piece {
                Piece::Entry(entry) => verifier.entry(&entry),
                Piece::Checkpoint(checkpoint) => verifier.checkpoint(&checkpoint),
                Piece::Waiting(entry) => verifier.waiting(&entry),
            }
        }
    }
    let (count, left) = (log.count().await?, log.left().await?);
    let mut report = verifier.finish(count);
    report.waiting += left;
    Ok(report)
}

/// Reads a log, a page at a time: all from one state of it, or each page from the state that it has
/// by then. What is appended meanwhile is read with the rest: the chain ends where one state has no
/// more of it.
pub(super) struct Pieces {
    entries: VecDeque<KeptEntry>,
    /// Up to which position they were read, and whether there were no more.
    entries_after: (u64, bool),
    checkpoints: VecDeque<Checkpoint>,
    checkpoints_after: (u64, bool),
    chain_has_ended: bool,
    waiting: VecDeque<KeptEntry>,
    waiting_after: AuditKey,
    /// There is nothing more to read.
    pub(super) have_ended: bool,
}

impl Default for Pieces {
    fn default() -> Self {
        Self {
            entries: VecDeque::new(),
            entries_after: (0, false),
            checkpoints: VecDeque::new(),
            checkpoints_after: (0, false),
            chain_has_ended: false,
            waiting: VecDeque::new(),
            waiting_after: Key::from_integer(i64::MIN),
            have_ended: false,
        }
    }
}

impl Pieces {
    /// Up to which position the chain was read; `None`: all of it was.
    pub(super) fn read_to(&self) -> Option<u64> {
        let both = self.entries_after.0.min(self.checkpoints_after.0);
        (!self.chain_has_ended).then_some(both)
    }

    /// The next one that was read. `None`: more is to be read, if there is any.
    pub(super) fn next(&mut self) -> Option<Piece> {
        let (entry, checkpoint) = (self.entries.front(), self.checkpoints.front());
        let entry_at = entry.and_then(|entry| entry.link).map(|link| link.position);
        let checkpoint_at = checkpoint.map(|checkpoint| checkpoint.position);
        let entry_first = match (entry_at, checkpoint_at) {
            (Some(entry), Some(checkpoint)) => entry <= checkpoint,
            // Of the other kind there may be one that comes before.
            (Some(_), None) if !self.checkpoints_after.1 => return None,
            (None, Some(_)) if !self.entries_after.1 => return None,
            (None, None) => return self.waiting.pop_front().map(Piece::Waiting),
            (entry, _) => entry.is_some(),
        };
        match entry_first {
            true => self.entries.pop_front().map(Piece::Entry),
            false => self.checkpoints.pop_front().map(Piece::Checkpoint),
        }
    }

    /// Reads more from this state of the log, when all that can be shown was.
    pub(super) async fn read(&mut self, log: &mut dyn AuditLog) -> Result<(), StoreError> {
        if !self.chain_has_ended {
            self.read_chain(log).await?;
        }
        if self.chain_has_ended {
            let (head, after) = (self.entries_after.0, self.waiting_after);
            self.waiting = log.outside(head, after, PAGE).await?.into();
            let last = self.waiting.back().map(|entry| entry.id.key());
            self.waiting_after = last.unwrap_or(after);
            self.have_ended = last.is_none();
            let is_later = |link: &Link| link.position > head;
            for entry in &mut self.waiting {
                // It was sealed since the chain was read.
                entry.link = entry.link.filter(|link| !is_later(link));
            }
        }
        Ok(())
    }

    /// Of the two kinds, whichever has none left, from the same state: so where both have no more,
    /// that is the end.
    async fn read_chain(&mut self, log: &mut dyn AuditLog) -> Result<(), StoreError> {
        if self.entries.is_empty() {
            let after = self.entries_after.0;
            self.entries = log.sealed(after, PAGE).await?.into();
            let last = self.entries.back().and_then(|entry| entry.link);
            let last = last.map(|link| link.position);
            self.entries_after = (last.unwrap_or(after), last.is_none());
        }
        if self.checkpoints.is_empty() {
            let after = self.checkpoints_after.0;
            self.checkpoints = log.checkpoints(after, PAGE).await?.into();
            let last = self.checkpoints.back().map(|one| one.position);
            self.checkpoints_after = (last.unwrap_or(after), last.is_none());
        }
        self.chain_has_ended = self.entries.is_empty() && self.checkpoints.is_empty();
        Ok(())
    }
}
