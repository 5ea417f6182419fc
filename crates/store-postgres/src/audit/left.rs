//! Entries that commands leave beside the log, in the commit of what they change, and how a node
//! takes them in. A command has no key to give: it joins no nodes, and has no slot.

use crate::batch::Batch;
use crate::columns::{get, number};
use crate::failure::Failure;
use crate::sql::{Sql, params};
use model::id::AuditId;
use store::audit::{AuditEntry, KeptEntry};

/// So many are taken in at once.
const AT_ONCE: i64 = 500;

/// Leaves an entry, beside the nodes that may be at work.
pub(crate) async fn leave(sql: &Sql<'_>, entry: &AuditEntry) -> Result<(), Failure> {
    let left = sql.run(
        "INSERT INTO audit_left (tail, entry) VALUES ($1, $2)",
        params![entry.id.tail().to_vec(), entry.text()],
    );
    left.await.map(drop)
}

/// How many wait.
pub(crate) async fn left(sql: &Sql<'_>) -> Result<u64, Failure> {
    let row = sql.row("SELECT count(*) FROM audit_left", params![]);
    let row = row.await?;
    number(&row.ok_or_else(|| Failure::unreadable("audit_left"))?, 0)
}

/// Moves some of them into the log, in the order in which they were left, but for those that
/// another node is about to.
pub(crate) async fn take_in(batch: &mut Batch<'_>) -> Result<(), Failure> {
    let taken = batch.sql.rows(
        "DELETE FROM audit_left WHERE tail = ANY(ARRAY(SELECT tail FROM audit_left
         ORDER BY tail LIMIT $1 FOR UPDATE SKIP LOCKED)) RETURNING tail, entry",
        params![AT_ONCE],
    );
    let taken = taken.await?;
    let mut waiting: Vec<(&[u8], &str)> = Vec::with_capacity(taken.len());
    for row in &taken {
        waiting.push((get(row, 0)?, get(row, 1)?));
    }
    waiting.sort_by_key(|(_, text)| AuditEntry::read(text).map(|entry| entry.at));
    for (left, text) in waiting {
        let tail = left.try_into().unwrap_or_else(|_| batch.tail());
        let id = AuditId::new(batch.key(), tail);
        let entry = KeptEntry::taken_in(text, id);
        batch.unwritten.pending.audit.push(entry);
    }
    Ok(())
}
