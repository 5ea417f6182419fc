//! What came in at sources, so that it comes in once: looked up and written in the transaction of
//! its message.

use crate::batch::Batch;
use crate::columns::{tail, time};
use crate::failure::Failure;
use model::id::{Key, MessageId};
use rusqlite::params;
use store::accept::{ReplayDigest, ReplayEntry, Seen};

const SELECT: &str =
    "SELECT message, tail, unsigned_id, content, until FROM replay_key WHERE key = ?1";
// One that has reached its end, and was not swept yet, gives way.
const INSERT: &str = "INSERT OR REPLACE INTO replay_key
    (key, unsigned_id, content, message, tail, until) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

/// What came of it the first time, as long as that is to be told. What its sender has signed anew
/// is remembered with it: whoever sends that again with another id is found out.
pub(crate) fn look_up(batch: &mut Batch<'_>, entry: &ReplayEntry) -> Result<Option<Seen>, Failure> {
    if let Some(seen) = under(batch, entry.key)? {
        return Ok(Some(seen));
    }
    let Some(second) = entry.second else {
        return Ok(None);
    };
    let seen = under(batch, second)?;
    let seen = seen.filter(|seen| seen.entry.content == entry.content);
    if let Some(seen) = &seen {
        put(batch, entry.key, (entry, seen.id))?;
    }
    Ok(seen)
}

fn under(batch: &mut Batch<'_>, key: ReplayDigest) -> Result<Option<Seen>, Failure> {
    let now = batch.now;
    let mut rows = batch.statement(SELECT)?.query([key])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let seen = Seen {
        id: MessageId::new(Key::from_integer(row.get(0)?), tail(row, 1)?),
        entry: ReplayEntry {
            key,
            unsigned_id: row.get(2)?,
            second: None,
            content: row.get(3)?,
            until: time(row, 4)?,
        },
    };
    Ok(Some(seen).filter(|seen| seen.entry.until >= now))
}

/// Remembers it, unless its end has come meanwhile: then there is nothing to tell.
pub(crate) fn write(
    batch: &mut Batch<'_>,
    entry: &ReplayEntry,
    message: MessageId,
) -> Result<(), Failure> {
    put(batch, entry.key, (entry, message))?;
    match entry.second {
        Some(second) if under(batch, second)?.is_none() => put(batch, second, (entry, message)),
        _ => Ok(()),
    }
}

fn put(
    batch: &mut Batch<'_>,
    key: ReplayDigest,
    (entry, message): (&ReplayEntry, MessageId),
) -> Result<(), Failure> {
    if entry.until < batch.now {
        return Ok(());
    }
    batch.statement(INSERT)?.execute(params![
        key,
        entry.unsigned_id,
        entry.content,
        message.key().integer(),
        message.tail(),
        entry.until.micros(),
    ])?;
    Ok(())
}
