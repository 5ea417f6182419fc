//! Entries that commands leave beside the log, in the commit of what they change, and how the
//! writer takes them in. A command has no key to give: those are the writer's, which has the last
//! one in its memory.

use super::insert;
use crate::batch::Batch;
use crate::failure::Failure;
use model::id::AuditId;
use rusqlite::{Connection, params};
use store::audit::{AuditEntry, KeptEntry};

/// So many are taken in at once.
const AT_ONCE: i64 = 500;

/// Leaves an entry, beside the server that may be at work.
pub(crate) fn leave(connection: &Connection, entry: &AuditEntry) -> Result<(), Failure> {
    connection
        .prepare_cached("INSERT INTO audit_left (tail, entry) VALUES (?1, ?2)")?
        .execute(params![entry.id.tail(), entry.text()])?;
    Ok(())
}

/// How many wait.
pub(crate) fn left(connection: &Connection) -> Result<u64, Failure> {
    let mut select = connection.prepare_cached("SELECT count(*) FROM audit_left")?;
    let count: i64 = select.query_row([], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

/// Moves some of them into the log, in the order in which they were left.
pub(crate) fn take_in(batch: &mut Batch<'_>) -> Result<(), Failure> {
    let connection = batch.connection;
    let mut select =
        connection.prepare_cached("SELECT tail, entry FROM audit_left ORDER BY tail LIMIT ?1")?;
    let mut rows = select.query([AT_ONCE])?;
    let mut waiting: Vec<(Vec<u8>, String)> = Vec::new();
    while let Some(row) = rows.next()? {
        waiting.push((row.get(0)?, row.get(1)?));
    }
    waiting.sort_by_key(|(_, text)| AuditEntry::read(text).map(|entry| entry.at));
    let mut delete = connection.prepare_cached("DELETE FROM audit_left WHERE tail = ?1")?;
    for (left, text) in waiting {
        delete.execute([&left])?;
        let tail = left.try_into().unwrap_or_else(|_| batch.tail());
        let id = AuditId::new(batch.key(), tail);
        insert(connection, &KeptEntry::taken_in(&text, id))?;
    }
    Ok(())
}
