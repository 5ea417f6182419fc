//! The audit log as rows: entries are written with their changes, sealed a moment later, and taken
//! away when they have reached their age. Nothing else ever changes of one.

mod beside;
mod left;

pub use beside::AuditReader;
pub(crate) use left::{leave, left, take_in};

use crate::batch::Batch;
use crate::columns::{direction, time};
use crate::failure::Failure;
use model::audit::AuditDraft;
use model::id::{ApplicationId, ApplicationKey, AuditId, AuditKey, Key, Tail};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Params, Row, params};
use store::audit::{
    AuditEnds, AuditEntry, AuditQuery, AuditRow, AuditSeal, AuditStart, Checkpoint, KeptEntry,
    Link, Listed,
};
use store::change::{ChangeError, Changed};
use store::query::Walk;
use store::walking::Walking;

const COLUMNS: &str = "id, tail, entry, application, action, actor, subject, position, hash";
const CHECKPOINT: &str = "SELECT previous, position, hash, first, signed_at, signature
    FROM audit_checkpoint";

/// Writes what is to be known of a change that was made.
pub(crate) fn note(
    batch: &mut Batch<'_>,
    draft: &AuditDraft,
    changed: &Changed,
) -> Result<(), Failure> {
    let application = match draft.application {
        Some(key) => application(batch.connection, key)?,
        None => None,
    };
    let id = AuditId::new(batch.key(), batch.tail());
    insert(
        batch.connection,
        &AuditEntry::new(id, draft, changed, application).kept(),
    )
}

/// Writes an entry that is not sealed yet.
fn insert(connection: &Connection, entry: &KeptEntry) -> Result<(), Failure> {
    connection
        .prepare_cached(
            "INSERT INTO audit_entry (id, tail, entry, application, action, actor, subject)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            entry.id.key().integer(),
            entry.id.tail(),
            entry.text,
            entry.listed.application.integer(),
            entry.listed.action,
            entry.listed.actor,
            entry.listed.subject,
        ])?;
    Ok(())
}

/// The whole id of an application, also of one that was deleted.
fn application(
    connection: &Connection,
    key: ApplicationKey,
) -> Result<Option<ApplicationId>, Failure> {
    let mut select = connection.prepare_cached("SELECT tail FROM application WHERE id = ?1")?;
    let tail = select.query_row([key.integer()], |row| row.get::<_, Tail>(0));
    Ok(tail.optional()?.map(|tail| ApplicationId::new(key, tail)))
}

/// Chains entries. All is checked before anything is written.
pub(crate) fn seal(
    batch: &Batch<'_>,
    seal: &AuditSeal,
) -> Result<Result<Changed, ChangeError>, Failure> {
    let connection = batch.connection;
    let previous = seal.checkpoint.previous();
    if ends(connection)?.head() != previous {
        return Ok(Err(ChangeError::Stale));
    }
    let mut select = connection
        .prepare_cached("SELECT 1 FROM audit_entry WHERE id = ?1 AND position IS NULL")?;
    for (key, _) in &seal.entries {
        if !select.exists([key.integer()])? {
            return Ok(Err(ChangeError::Stale));
        }
    }
    let mut update = connection
        .prepare_cached("UPDATE audit_entry SET position = ?2, hash = ?3 WHERE id = ?1")?;
    for (position, (key, hash)) in (previous + 1..).zip(&seal.entries) {
        update.execute(params![key.integer(), number(position), hash])?;
    }
    let checkpoint = &seal.checkpoint;
    connection
        .prepare_cached(
            "INSERT INTO audit_checkpoint (previous, position, hash, first, signed_at, signature)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            number(previous),
            number(checkpoint.position),
            checkpoint.hash,
            number(checkpoint.start),
            checkpoint.at.micros(),
            checkpoint.signature,
        ])?;
    Ok(Ok(Changed::Kept))
}

/// Takes the oldest entries away.
pub(crate) fn cut(
    batch: &Batch<'_>,
    start: &AuditStart,
) -> Result<Result<Changed, ChangeError>, Failure> {
    let connection = batch.connection;
    let last = number(start.position.saturating_sub(1));
    let is_sealed = connection
        .prepare_cached("SELECT 1 FROM audit_checkpoint WHERE position = ?1 AND hash = ?2")?
        .exists(params![last, start.before])?;
    if !is_sealed || start.position <= ends(connection)?.first() {
        return Ok(Err(ChangeError::Stale));
    }
    connection
        .prepare_cached("DELETE FROM audit_entry WHERE position <= ?1")?
        .execute([last])?;
    connection
        .prepare_cached(
            "DELETE FROM audit_checkpoint WHERE position <= ?1
             AND previous < (SELECT max(previous) FROM audit_checkpoint)",
        )?
        .execute([last])?;
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO audit_start (one, position, hash, signed_at, signature)
             VALUES (1, ?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            number(start.position),
            start.before,
            start.at.micros(),
            start.signature,
        ])?;
    Ok(Ok(Changed::Kept))
}

/// A list.
pub(crate) fn list(
    connection: &Connection,
    query: &AuditQuery,
) -> Result<Walk<AuditRow, AuditKey>, Failure> {
    let whose = match (&query.subject, &query.actor, query.application) {
        (Some(_), _, _) => {
            "INDEXED BY audit_entry_subject
             WHERE subject = ?5 AND (?4 IS NULL OR actor = ?4) AND (?3 = 0 OR application = ?3)"
        }
        (None, Some(_), _) => {
            "INDEXED BY audit_entry_actor
             WHERE actor = ?4 AND (?3 = 0 OR application = ?3) AND ?5 IS NULL"
        }
        (None, None, Some(_)) => {
            "INDEXED BY audit_entry_application
             WHERE application = ?3 AND ?4 IS NULL AND ?5 IS NULL"
        }
        (None, None, None) => "WHERE ?3 = 0 AND ?4 IS NULL AND ?5 IS NULL",
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM audit_entry {whose} AND id > ?1 AND id < ?2 ORDER BY id {}",
        direction(query.window.ascending)
    );
    let mut walking = Walking::new(query.window.limit);
    let mut select = connection.prepare_cached(&sql)?;
    let mut rows = select.query(params![
        query.window.above.integer(),
        query.window.below.integer(),
        query.application.map_or(0, Key::integer),
        query.actor,
        query.subject.as_ref().map(|subject| &subject.id),
    ])?;
    while let Some(row) = rows.next()? {
        if !walking.looks_at(Key::from_integer(row.get(0)?)) {
            break;
        }
        if let Some(found) = query.row(&kept(row)?) {
            walking.keep(found);
        }
    }
    Ok(walking.end())
}

/// Both ends of the chain.
pub(crate) fn ends(connection: &Connection) -> Result<AuditEnds, Failure> {
    let mut select = connection
        .prepare_cached("SELECT position, hash, signed_at, signature FROM audit_start")?;
    let mut rows = select.query([])?;
    let start = match rows.next()? {
        None => None,
        Some(row) => Some(AuditStart {
            position: position(row, 0)?,
            before: exactly(row, 1)?,
            at: time(row, 2)?,
            signature: exactly(row, 3)?,
        }),
    };
    let mut select =
        connection.prepare_cached(&format!("{CHECKPOINT} ORDER BY previous DESC LIMIT 1"))?;
    let checkpoint = collect(&mut select, [], checkpoint)?.pop();
    Ok(AuditEnds { start, checkpoint })
}

/// Entries that are to be sealed.
pub(crate) fn unsealed(connection: &Connection, limit: usize) -> Result<Vec<KeptEntry>, Failure> {
    let mut select = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM audit_entry INDEXED BY audit_entry_unsealed
         WHERE position IS NULL ORDER BY id LIMIT ?1"
    ))?;
    collect(&mut select, [limit as i64], kept)
}

/// Sealed entries behind a position.
pub(crate) fn sealed(
    connection: &Connection,
    after: u64,
    limit: usize,
) -> Result<Vec<KeptEntry>, Failure> {
    let mut select = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM audit_entry INDEXED BY audit_entry_position
         WHERE position > ?1 ORDER BY position LIMIT ?2"
    ))?;
    collect(&mut select, [number(after), limit as i64], kept)
}

/// Checkpoints behind a position.
pub(crate) fn checkpoints(
    connection: &Connection,
    after: u64,
    limit: usize,
) -> Result<Vec<Checkpoint>, Failure> {
    let mut select = connection.prepare_cached(&format!(
        "{CHECKPOINT} WHERE position > ?1 ORDER BY position LIMIT ?2"
    ))?;
    collect(&mut select, [number(after), limit as i64], checkpoint)
}

fn collect<T>(
    select: &mut CachedStatement<'_>,
    params: impl Params,
    read: fn(&Row<'_>) -> Result<T, Failure>,
) -> Result<Vec<T>, Failure> {
    let mut rows = select.query(params)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

fn kept(row: &Row<'_>) -> Result<KeptEntry, Failure> {
    let link = match row.get::<_, Option<i64>>(7)? {
        None => None,
        Some(_) => Some(Link {
            position: position(row, 7)?,
            hash: exactly(row, 8)?,
        }),
    };
    Ok(KeptEntry {
        id: AuditId::new(Key::from_integer(row.get(0)?), exactly(row, 1)?),
        text: row.get(2)?,
        listed: Listed {
            application: Key::from_integer(row.get(3)?),
            action: row.get(4)?,
            actor: row.get(5)?,
            subject: row.get(6)?,
        },
        link,
    })
}

fn checkpoint(row: &Row<'_>) -> Result<Checkpoint, Failure> {
    let at = position(row, 1)?;
    Ok(Checkpoint {
        position: at,
        hash: exactly(row, 2)?,
        count: at.saturating_sub(position(row, 0)?),
        start: position(row, 3)?,
        at: time(row, 4)?,
        signature: exactly(row, 5)?,
    })
}

/// What somebody has written there that is no position is one that no entry has.
fn position(row: &Row<'_>, column: usize) -> Result<u64, Failure> {
    Ok(row.get::<_, i64>(column)?.try_into().unwrap_or(0))
}

/// What has another length is not unreadable: somebody changed it, and whoever verifies says so.
fn exactly<const N: usize>(row: &Row<'_>, column: usize) -> Result<[u8; N], Failure> {
    let bytes: Option<Vec<u8>> = row.get(column)?;
    Ok(bytes.and_then(|b| b.try_into().ok()).unwrap_or([0; N]))
}

fn number(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}
