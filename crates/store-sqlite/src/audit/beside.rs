//! The audit log of a data directory, read beside the server that may be at work there: all of it
//! as it is at one moment.

use crate::OpenError;
use crate::audit::{COLUMNS, checkpoints, collect, ends, kept, left, sealed};
use crate::failure::Failure;
use crate::settings;
use async_trait::async_trait;
use model::id::AuditKey;
use rusqlite::Connection;
use std::path::Path;
use store::StoreError;
use store::audit::{AuditEnds, AuditLog, Checkpoint, KeptEntry};

/// One state of the log.
pub struct AuditReader(Connection);

impl AuditReader {
    /// Of the store in `data_dir`.
    pub fn open(data_dir: &Path) -> Result<Self, OpenError> {
        let connection = settings::beside(data_dir)?;
        // Held until the connection is closed: what is committed meanwhile is not seen.
        connection.execute_batch("BEGIN").map_err(Failure::from)?;
        Ok(Self(connection))
    }

    fn count_all(&self) -> Result<u64, Failure> {
        // By the table itself: an index is one more thing that somebody may have changed.
        let sql = "SELECT count(*) FROM audit_entry NOT INDEXED";
        let count: i64 = self.0.query_row(sql, [], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    fn outside(&self, after: AuditKey, limit: usize) -> Result<Vec<KeptEntry>, Failure> {
        let mut select = self.0.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM audit_entry NOT INDEXED
             WHERE id > ?1 AND (position IS NULL OR position < 1) ORDER BY id LIMIT ?2"
        ))?;
        collect(&mut select, [after.integer(), limit as i64], kept)
    }
}

#[async_trait]
impl AuditLog for AuditReader {
    async fn setting(&mut self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(settings::get(&self.0, name)?)
    }

    async fn ends(&mut self) -> Result<AuditEnds, StoreError> {
        Ok(ends(&self.0)?)
    }

    async fn sealed(&mut self, after: u64, limit: usize) -> Result<Vec<KeptEntry>, StoreError> {
        Ok(sealed(&self.0, after, limit)?)
    }

    async fn count(&mut self) -> Result<u64, StoreError> {
        Ok(self.count_all()?)
    }

    async fn left(&mut self) -> Result<u64, StoreError> {
        Ok(left(&self.0)?)
    }

    async fn unsealed(
        &mut self,
        after: AuditKey,
        limit: usize,
    ) -> Result<Vec<KeptEntry>, StoreError> {
        Ok(self.outside(after, limit)?)
    }

    async fn checkpoints(
        &mut self,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Checkpoint>, StoreError> {
        Ok(checkpoints(&self.0, after, limit)?)
    }
}
