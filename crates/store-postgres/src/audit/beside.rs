//! The audit log of a database, read without joining its nodes: all that one snapshot reads is as
//! it was at one moment.

use super::{checkpoints, columns, ends, kept, left, sealed};
use crate::OpenError;
use crate::columns::number;
use crate::config::PostgresConfig;
use crate::failure::Failure;
use crate::pools::Pools;
use crate::settings;
use crate::sql::{Sql, params};
use async_trait::async_trait;
use deadpool_postgres::Client;
use model::id::AuditKey;
use store::StoreError;
use store::audit::{AuditEnds, AuditLog, AuditStates, Checkpoint, KeptEntry};

/// A way to the log.
pub struct AuditReader {
    pools: Pools,
    client: Option<Client>,
}

/// One state of the log.
struct AuditSnapshot<'c>(Sql<'c>);

impl AuditReader {
    /// Of this database.
    pub async fn open(config: &PostgresConfig) -> Result<Self, OpenError> {
        let pools = Pools::new(config)?;
        let client = Some(pools.client().await?);
        Ok(Self { pools, client })
    }
}

impl AuditSnapshot<'_> {
    async fn outside_of(
        &self,
        head: u64,
        after: AuditKey,
        limit: usize,
    ) -> Result<Vec<KeptEntry>, Failure> {
        let rows = self.0.rows(
            concat!(
                "SELECT ",
                columns!(),
                " FROM audit_entry WHERE id > $1 AND (position IS NULL OR position < 1 OR position > $2)
                 ORDER BY id LIMIT $3"
            ),
            params![
                after.integer(),
                super::number(head),
                crate::paging::limit(limit)
            ],
        );
        rows.await?.iter().map(kept).collect()
    }

    async fn count_all(&self) -> Result<u64, Failure> {
        let row = self
            .0
            .row("SELECT count(*) FROM audit_entry", params![])
            .await?;
        number(&row.ok_or_else(|| Failure::unreadable("audit_entry"))?, 0)
    }
}

#[async_trait]
impl AuditStates for AuditReader {
    async fn now(&mut self) -> Result<Box<dyn AuditLog + '_>, StoreError> {
        // The connection before may be gone, where much time has passed since.
        drop(self.client.take());
        let client = self.client.insert(self.pools.client().await?);
        Ok(Box::new(AuditSnapshot(self.pools.snapshot(client))))
    }
}

#[async_trait]
impl AuditLog for AuditSnapshot<'_> {
    async fn end(self: Box<Self>) -> Result<(), StoreError> {
        Ok(self.0.commit().await?)
    }

    async fn setting(&mut self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(settings::get(&self.0, name).await?)
    }

    async fn ends(&mut self) -> Result<AuditEnds, StoreError> {
        Ok(ends(&self.0).await?)
    }

    async fn sealed(&mut self, after: u64, limit: usize) -> Result<Vec<KeptEntry>, StoreError> {
        Ok(sealed(&self.0, after, limit).await?)
    }

    async fn count(&mut self) -> Result<u64, StoreError> {
        Ok(self.count_all().await?)
    }

    async fn left(&mut self) -> Result<u64, StoreError> {
        Ok(left(&self.0).await?)
    }

    async fn outside(
        &mut self,
        head: u64,
        after: AuditKey,
        limit: usize,
    ) -> Result<Vec<KeptEntry>, StoreError> {
        Ok(self.outside_of(head, after, limit).await?)
    }

    async fn checkpoints(
        &mut self,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Checkpoint>, StoreError> {
        Ok(checkpoints(&self.0, after, limit).await?)
    }
}
