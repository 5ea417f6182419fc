//! A log as it is shown piece by piece: start, entries with each checkpoint behind the entry that
//! it ends with, and what waits to be sealed.

use super::verify::{Report, Verifier};
use model::id::{AuditKey, Key};
use std::collections::VecDeque;
use store::StoreError;
use store::audit::{AuditLog, Checkpoint, KeptEntry, SignedCheckpoint};

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
    while let Some(piece) = pieces.next(log).await? {
        match piece {
            Piece::Entry(entry) => verifier.entry(&entry),
            Piece::Checkpoint(checkpoint) => verifier.checkpoint(&checkpoint),
            Piece::Waiting(entry) => verifier.waiting(&entry),
        }
    }
    let (count, left) = (log.count().await?, log.left().await?);
    let mut report = verifier.finish(count);
    report.waiting += left;
    Ok(report)
}

/// Reads a log, a page at a time.
#[derive(Default)]
pub(super) struct Pieces {
    entries: VecDeque<KeptEntry>,
    /// Up to where entries and checkpoints were read; `None`: to their end.
    entries_after: Ended<u64>,
    checkpoints: VecDeque<Checkpoint>,
    checkpoints_after: Ended<u64>,
    waiting: VecDeque<KeptEntry>,
    waiting_after: Ended<AuditKey>,
}

/// Where reading goes on; `None`: it has ended.
struct Ended<P>(Option<P>);

impl Default for Ended<u64> {
    fn default() -> Self {
        Self(Some(0))
    }
}

impl Default for Ended<AuditKey> {
    fn default() -> Self {
        Self(Some(Key::from_integer(i64::MIN)))
    }
}

impl Pieces {
    pub(super) async fn next(
        &mut self,
        log: &mut dyn AuditLog,
    ) -> Result<Option<Piece>, StoreError> {
        self.fill(log).await?;
        let (entry, checkpoint) = (self.entries.front(), self.checkpoints.front());
        let entry_at = entry.and_then(|entry| entry.link).map(|link| link.position);
        let checkpoint_at = checkpoint.map(|checkpoint| checkpoint.position);
        let entry_first = match (entry_at, checkpoint_at) {
            (Some(entry), Some(checkpoint)) => entry <= checkpoint,
            (entry, _) => entry.is_some(),
        };
        if entry_first {
            return Ok(self.entries.pop_front().map(Piece::Entry));
        }
        if let Some(checkpoint) = self.checkpoints.pop_front() {
            return Ok(Some(Piece::Checkpoint(checkpoint)));
        }
        Ok(self.waiting.pop_front().map(Piece::Waiting))
    }

    async fn fill(&mut self, log: &mut dyn AuditLog) -> Result<(), StoreError> {
        if let (true, Some(after)) = (self.entries.is_empty(), self.entries_after.0) {
            self.entries = log.sealed(after, PAGE).await?.into();
            let last = self.entries.back().and_then(|entry| entry.link);
            self.entries_after.0 = last.map(|link| link.position);
        }
        if let (true, Some(after)) = (self.checkpoints.is_empty(), self.checkpoints_after.0) {
            self.checkpoints = log.checkpoints(after, PAGE).await?.into();
            self.checkpoints_after.0 = self.checkpoints.back().map(|one| one.position);
        }
        if let (true, Some(after)) = (self.waiting.is_empty(), self.waiting_after.0) {
            self.waiting = log.unsealed(after, PAGE).await?.into();
            self.waiting_after.0 = self.waiting.back().map(|entry| entry.id.key());
        }
        Ok(())
    }
}
