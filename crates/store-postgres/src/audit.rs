//! The audit log as rows: entries are written with their changes, sealed a moment later, and taken
//! away when they have reached their age. Nothing else ever changes of one. Of several nodes that
//! seal at once, the one wins whose checkpoint is first to go on from the latest.

mod beside;
mod left;
mod list;

pub use beside::AuditReader;
pub(crate) use left::{leave, left, take_in};
pub(crate) use list::list;

use crate::batch::Batch;
use crate::columns::{get, key, tail, time};
use crate::failure::Failure;
use crate::sql::{Sql, Statement, columns_of, params};
use model::audit::AuditDraft;
use model::id::{ApplicationId, ApplicationKey, AuditId};
use store::audit::{
    AuditEnds, AuditEntry, AuditSeal, AuditStart, Checkpoint, KeptEntry, Link, Listed,
};
use store::change::{ChangeError, Changed};
use tokio_postgres::Row;

/// Of an entry, in the order in which [`kept`] reads them.
macro_rules! columns {
    () => {
        "id, tail, entry, application, action, actor, subject, position, hash"
    };
}
use columns;

macro_rules! checkpoint {
    () => {
        "SELECT previous, position, hash, first, signed_at, signature FROM audit_checkpoint"
    };
}

/// Collects what is to be known of a change that was made.
pub(crate) async fn note(
    batch: &mut Batch<'_>,
    draft: &AuditDraft,
    changed: &Changed,
) -> Result<(), Failure> {
    let application = match draft.application {
        Some(key) => application(batch.sql, key).await?,
        None => None,
    };
    let id = AuditId::new(batch.key(), batch.tail());
    let entry = AuditEntry::new(id, draft, changed, application);
    batch.unwritten.pending.audit.push(entry.kept());
    Ok(())
}

/// The whole id of an application, also of one that was deleted.
async fn application(sql: &Sql<'_>, key: ApplicationKey) -> Result<Option<ApplicationId>, Failure> {
    let row = sql.row(
        "SELECT tail FROM application WHERE id = $1",
        params![key.integer()],
    );
    let row = row.await?;
    row.map(|row| Ok(ApplicationId::new(key, tail(&row, 0)?)))
        .transpose()
}

/// What writes entries.
pub(crate) fn insert(entries: &[KeptEntry]) -> Option<Statement<'_>> {
    if entries.is_empty() {
        return None;
    }
    Some(Statement {
        text: "INSERT INTO audit_entry (id, tail, entry, application, action, actor, subject)
         SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7)",
        params: params![
            columns_of(entries, |entry| entry.id.key().integer()),
            columns_of(entries, |entry| entry.id.tail().to_vec()),
            columns_of(entries, |entry| entry.text.clone()),
            columns_of(entries, |entry| entry.listed.application.integer()),
            columns_of(entries, |entry| entry.listed.action.clone()),
            columns_of(entries, |entry| entry.listed.actor.clone()),
            columns_of(entries, |entry| entry.listed.subject.clone()),
        ],
    })
}

/// Chains entries. The checkpoint is written first: whoever else goes on from the same one waits
/// for that, and is too late.
pub(crate) async fn seal(
    batch: &Batch<'_>,
    seal: &AuditSeal,
) -> Result<Result<Changed, ChangeError>, Failure> {
    let sql = batch.sql;
    let (checkpoint, previous) = (&seal.checkpoint, seal.checkpoint.previous());
    let keys = columns_of(&seal.entries, |(key, _)| key.integer());
    let there = sql.run(
        "SELECT 1 FROM audit_entry WHERE id = ANY($1) AND position IS NULL FOR NO KEY UPDATE",
        params![keys.clone()],
    );
    if there.await? != seal.entries.len() || ends(sql).await?.head() != previous {
        return Ok(Err(ChangeError::Stale));
    }
    let inserted = sql.run(
        "INSERT INTO audit_checkpoint (previous, position, hash, first, signed_at, signature)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (previous) DO NOTHING",
        params![
            number(previous),
            number(checkpoint.position),
            &checkpoint.hash[..],
            number(checkpoint.start),
            checkpoint.at.micros(),
            &checkpoint.signature[..],
        ],
    );
    if inserted.await? == 0 {
        return Ok(Err(ChangeError::Stale));
    }
    let positions: Vec<i64> = (previous + 1..)
        .zip(&seal.entries)
        .map(|(position, _)| number(position))
        .collect();
    let hashes = columns_of(&seal.entries, |(_, hash)| hash.to_vec());
    let sealed = sql.run(
        "UPDATE audit_entry e SET position = u.position, hash = u.hash
         FROM unnest($1, $2, $3) AS u (id, position, hash) WHERE e.id = u.id",
        params![keys, positions, hashes],
    );
    sealed.await?;
    Ok(Ok(Changed::Kept))
}

/// Takes the oldest entries away.
pub(crate) async fn cut(
    batch: &Batch<'_>,
    start: &AuditStart,
) -> Result<Result<Changed, ChangeError>, Failure> {
    let sql = batch.sql;
    let last = number(start.position.saturating_sub(1));
    // Kept until the commit: of two nodes that cut there, the second finds the first one's start.
    let sealed = sql.run(
        "SELECT 1 FROM audit_checkpoint WHERE position = $1 AND hash = $2 FOR UPDATE",
        params![last, &start.before[..]],
    );
    if sealed.await? == 0 || start.position <= ends(sql).await?.first() {
        return Ok(Err(ChangeError::Stale));
    }
    for removal in [
        "DELETE FROM audit_entry WHERE position <= $1",
        "DELETE FROM audit_checkpoint WHERE position <= $1
         AND previous < (SELECT max(previous) FROM audit_checkpoint)",
    ] {
        sql.run(removal, params![last]).await?;
    }
    let begun = sql.run(
        "INSERT INTO audit_start AS s (one, position, hash, signed_at, signature)
         VALUES (1, $1, $2, $3, $4) ON CONFLICT (one) DO UPDATE SET position = $1, hash = $2,
         signed_at = $3, signature = $4 WHERE s.position < $1",
        params![
            number(start.position),
            &start.before[..],
            start.at.micros(),
            &start.signature[..],
        ],
    );
    match begun.await? {
        0 => Err(Failure::Conflict(
            "another node cut the audit log".to_owned(),
        )),
        _ => Ok(Ok(Changed::Kept)),
    }
}

/// Both ends of the chain.
pub(crate) async fn ends(sql: &Sql<'_>) -> Result<AuditEnds, Failure> {
    let row = sql.row(
        "SELECT position, hash, signed_at, signature FROM audit_start WHERE one = 1",
        params![],
    );
    let start = match row.await? {
        None => None,
        Some(row) => Some(AuditStart {
            position: position(&row, 0)?,
            before: exactly(&row, 1)?,
            at: time(&row, 2)?,
            signature: exactly(&row, 3)?,
        }),
    };
    let row = sql.row(
        concat!(checkpoint!(), " ORDER BY previous DESC LIMIT 1"),
        params![],
    );
    let latest = row.await?;
    Ok(AuditEnds {
        start,
        checkpoint: latest.as_ref().map(checkpoint).transpose()?,
    })
}

/// Entries that are to be sealed.
pub(crate) async fn unsealed(sql: &Sql<'_>, limit: usize) -> Result<Vec<KeptEntry>, Failure> {
    let rows = sql.rows(
        concat!(
            "SELECT ",
            columns!(),
            " FROM audit_entry WHERE position IS NULL ORDER BY id LIMIT $1"
        ),
        params![crate::paging::limit(limit)],
    );
    rows.await?.iter().map(kept).collect()
}

/// Sealed entries behind a position.
pub(crate) async fn sealed(
    sql: &Sql<'_>,
    after: u64,
    limit: usize,
) -> Result<Vec<KeptEntry>, Failure> {
    let rows = sql.rows(
        concat!(
            "SELECT ",
            columns!(),
            " FROM audit_entry WHERE position > $1 ORDER BY position LIMIT $2"
        ),
        params![number(after), crate::paging::limit(limit)],
    );
    rows.await?.iter().map(kept).collect()
}

/// Checkpoints behind a position.
pub(crate) async fn checkpoints(
    sql: &Sql<'_>,
    after: u64,
    limit: usize,
) -> Result<Vec<Checkpoint>, Failure> {
    let rows = sql.rows(
        concat!(
            checkpoint!(),
            " WHERE position > $1 ORDER BY position LIMIT $2"
        ),
        params![number(after), crate::paging::limit(limit)],
    );
    rows.await?.iter().map(checkpoint).collect()
}

fn kept(row: &Row) -> Result<KeptEntry, Failure> {
    let link = match get::<Option<i64>>(row, 7)? {
        None => None,
        Some(_) => Some(Link {
            position: position(row, 7)?,
            hash: exactly(row, 8)?,
        }),
    };
    Ok(KeptEntry {
        id: AuditId::new(key(row, 0)?, exactly(row, 1)?),
        text: get(row, 2)?,
        listed: Listed {
            application: key(row, 3)?,
            action: get(row, 4)?,
            actor: get(row, 5)?,
            subject: get(row, 6)?,
        },
        link,
    })
}

fn checkpoint(row: &Row) -> Result<Checkpoint, Failure> {
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
fn position(row: &Row, column: usize) -> Result<u64, Failure> {
    Ok(get::<i64>(row, column)?.try_into().unwrap_or(0))
}

/// What has another length is not unreadable: somebody changed it, and whoever verifies says so.
fn exactly<const N: usize>(row: &Row, column: usize) -> Result<[u8; N], Failure> {
    let bytes: Option<&[u8]> = get(row, column)?;
    Ok(bytes.and_then(|b| b.try_into().ok()).unwrap_or([0; N]))
}

fn number(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}
