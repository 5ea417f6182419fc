//! What came in at sources, so that it comes in once: looked up and written in the transaction of
//! its message. See [`remembered`](crate::remembered) for where it lies: a row costs what it is
//! long, at the end of a table, however many there are.

use crate::batch::Batch;
use crate::columns::{tail, time};
use crate::failure::Failure;
use crate::remembered::{Hash, Kept, Remembered, Statements, statements};
use model::Timestamp;
use model::id::{Key, MessageId};
use rusqlite::{Row, params};
use store::accept::{ReplayDigest, ReplayEntry, Seen};
use store::encoding::HOUR;

const INSERT: &str = "INSERT INTO replay_key
    (hour, id, key, unsigned_id, content, message, tail, until)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

const HOURS_PER_DAY: i64 = 24;
const DAY: i64 = HOURS_PER_DAY * HOUR;

/// A row of the table `replay_key`.
pub(crate) struct ReplayRow;

impl Kept for ReplayRow {
    type Told = Seen;
    const STATEMENTS: &'static Statements = statements!(
        "replay_key",
        "key",
        "message, tail, unsigned_id, content, until"
    );

    fn read(row: &Row<'_>, key: Hash) -> Result<Seen, Failure> {
        Ok(Seen {
            id: MessageId::new(Key::from_integer(row.get(0)?), tail(row, 1)?),
            entry: ReplayEntry {
                key,
                unsigned_id: row.get(2)?,
                second: None,
                content: row.get(3)?,
                until: time(row, 4)?,
            },
        })
    }

    /// To the microsecond, though its row stays for longer.
    fn is_live(seen: &Seen, now: Timestamp) -> bool {
        seen.entry.until >= now
    }
}

/// What came of it the first time, as long as that is to be told. What its sender has signed anew
/// is remembered with it: whoever sends that again with another id is found out.
pub(crate) fn look_up(batch: &mut Batch<'_>, entry: &ReplayEntry) -> Result<Option<Seen>, Failure> {
    if let Some(seen) = under(batch, &entry.key)? {
        return Ok(Some(seen));
    }
    let Some(second) = &entry.second else {
        return Ok(None);
    };
    let seen = under(batch, second)?;
    let seen = seen.filter(|seen| seen.entry.content == entry.content);
    if let Some(seen) = &seen {
        let row = batch.key::<()>().integer();
        put(batch, (entry.key, row), (entry, seen.id))?;
    }
    Ok(seen)
}

fn under(batch: &Batch<'_>, key: &ReplayDigest) -> Result<Option<Seen>, Failure> {
    let fresh = batch.fresh.replays.get(key);
    if let Some(remembered) = fresh {
        return Ok(Some(remembered.told));
    }
    let index = &batch.indices.replays;
    index.find(batch.connection, batch.now, key)
}

/// Remembers it, unless its end has come meanwhile: then there is nothing to tell.
pub(crate) fn write(
    batch: &mut Batch<'_>,
    entry: &ReplayEntry,
    message: MessageId,
) -> Result<(), Failure> {
    let row = message.key().integer();
    put(batch, (entry.key, row), (entry, message))?;
    match &entry.second {
        Some(second) if under(batch, second)?.is_none() => {
            let row = batch.key::<()>().integer();
            put(batch, (*second, row), (entry, message))
        }
        _ => Ok(()),
    }
}

/// One that was under the key, and has reached its end, is found no more: it goes with its hour.
fn put(
    batch: &mut Batch<'_>,
    (key, id): (ReplayDigest, i64),
    (entry, message): (&ReplayEntry, MessageId),
) -> Result<(), Failure> {
    if entry.until < batch.now {
        return Ok(());
    }
    let hour = hour_of(entry.until, batch.now);
    batch.statement(INSERT)?.execute(params![
        hour,
        id,
        key,
        entry.unsigned_id,
        entry.content,
        message.key().integer(),
        message.tail(),
        entry.until.micros(),
    ])?;
    let entry = ReplayEntry {
        key,
        second: None,
        ..*entry
    };
    let told = Seen { id: message, entry };
    let remembered = Remembered { hour, id, told };
    batch.fresh.replays.insert(key, remembered);
    Ok(())
}

/// The hour with which a row goes: the next one, or that with which the next day begins where it
/// stays for longer than a day, so that there are some hundred at the most to look into.
fn hour_of(until: Timestamp, now: Timestamp) -> i64 {
    match until.micros().saturating_sub(now.micros()) > DAY {
        true => (until.micros().div_euclid(DAY) + 1) * HOURS_PER_DAY,
        false => until.micros().div_euclid(HOUR) + 1,
    }
}

/// As SQL: of a row that another store gives, by the column `until`. Whole days, whenever it is.
pub(crate) const HOUR_OF_MOVED: &str = "(?6 / 86400000000 + 1) * 24";
