//! The audit log of a data directory, read beside the server that may be at work there: all that
//! one snapshot reads is as it was at one moment.

use crate::OpenError;
use crate::audit::{COLUMNS, checkpoints, collect, ends, kept, left, number, sealed};
use crate::failure::Failure;
use crate::settings;
use async_trait::async_trait;
use model::id::AuditKey;
use rusqlite::Connection;
use std::path::Path;
use store::StoreError;
use store::audit::{AuditEnds, AuditLog, AuditStates, Checkpoint, KeptEntry};

/// A way to the log.
pub struct AuditReader(Connection);

/// One state of the log.
struct AuditSnapshot<'c>(&'c mut Connection);

impl AuditReader {
    /// Of the store in `data_dir`.
    pub fn open(data_dir: &Path) -> Result<Self, OpenError> {
        Ok(Self(settings::beside(data_dir)?))
    }
}

impl AuditSnapshot<'_> {
    fn count_all(&self) -> Result<u64, Failure> {
        // By the table itself: an index is one more thing that somebody may have changed.
        let sql = "SELECT count(*) FROM audit_entry NOT INDEXED";
        let count: i64 = self.0.query_row(sql, [], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    fn outside_of(
        &self,
        head: u64,
        after: AuditKey,
        limit: usize,
    ) -> Result<Vec<KeptEntry>, Failure> {
        let mut select = self.0.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM audit_entry NOT INDEXED
             WHERE id > ?1 AND (position IS NULL OR position < 1 OR position > ?2)
             ORDER BY id LIMIT ?3"
        ))?;
        let params = [after.integer(), number(head), limit as i64];
        collect(&mut select, params, kept)
    }
}

impl Drop for AuditSnapshot<'_> {
    fn drop(&mut self) {
        // It was only read: that this fails is no more than what the next read says, too.
        let _ = self.0.execute_batch("ROLLBACK");
    }
}

#[async_trait]
impl AuditStates for AuditReader {
    async fn now(&mut self) -> Result<Box<dyn AuditLog + '_>, StoreError> {
        self.0.execute_batch("BEGIN").map_err(Failure::from)?;
        Ok(Box::new(AuditSnapshot(&mut self.0)))
    }
}

#[async_trait]
impl AuditLog for AuditSnapshot<'_> {
    async fn end(self: Box<Self>) -> Result<(), StoreError> {
        Ok(())
    }

    async fn setting(&mut self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(settings::get(self.0, name)?)
    }

    async fn ends(&mut self) -> Result<AuditEnds, StoreError> {
        Ok(ends(self.0)?)
    }

    async fn sealed(&mut self, after: u64, limit: usize) -> Result<Vec<KeptEntry>, StoreError> {
        Ok(sealed(self.0, after, limit)?)
    }

    async fn count(&mut self) -> Result<u64, StoreError> {
        Ok(self.count_all()?)
    }

    async fn left(&mut self) -> Result<u64, StoreError> {
        Ok(left(self.0)?)
    }

    async fn outside(
        &mut self,
        head: u64,
        after: AuditKey,
        limit: usize,
    ) -> Result<Vec<KeptEntry>, StoreError> {
        Ok(self.outside_of(head, after, limit)?)
    }

    async fn checkpoints(
        &mut self,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Checkpoint>, StoreError> {
        Ok(checkpoints(self.0, after, limit)?)
    }
}
