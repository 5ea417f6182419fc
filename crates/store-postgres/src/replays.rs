//! What came in at sources, so that it comes in once: read with all else that messages are judged
//! by, and written in their commit. Which messages are no replays is judged in memory.

use crate::columns::{get, key, tail, time, unreadable};
use crate::failure::Failure;
use crate::sql::{Sql, Statement, columns_of, params};
use model::Timestamp;
use model::id::MessageId;
use std::collections::HashMap;
use store::accept::{Accept, ReplayDigest, ReplayEntry, Seen};
use tokio_postgres::Row;

/// What is known of what came before.
#[derive(Default)]
pub(crate) struct Replays {
    now: Timestamp,
    found: HashMap<ReplayDigest, Seen>,
}

/// An entry to write.
pub(crate) struct NewReplay {
    entry: ReplayEntry,
    message: MessageId,
    /// When what was there under its key reached its end: that gives way.
    ended: Option<Timestamp>,
}

impl Replays {
    /// What came of it the first time, as long as that is to be told.
    pub(crate) fn seen(&self, entry: &ReplayEntry) -> Option<Seen> {
        self.under(&entry.key).or_else(|| {
            let seen = self.under(entry.second.as_ref()?);
            seen.filter(|seen| seen.entry.content == entry.content)
        })
    }

    fn under(&self, key: &ReplayDigest) -> Option<Seen> {
        let seen = self.found.get(key);
        seen.filter(|seen| seen.entry.until >= self.now).copied()
    }

    /// Remembers it, for the items behind it, and gives what is to be written: nothing where its
    /// own end has come meanwhile, so that no key is written twice; and not under a second key that
    /// tells of something else.
    pub(crate) fn remember(&mut self, entry: &ReplayEntry, message: MessageId) -> Vec<NewReplay> {
        if entry.until < self.now {
            return Vec::new();
        }
        let second = entry.second.filter(|key| self.under(key).is_none());
        let keys = std::iter::once(entry.key).chain(second);
        keys.map(|key| self.put(key, entry, message)).collect()
    }

    /// Remembers what was seen by its second key, and was signed anew: whoever sends that again
    /// with another id is found out.
    pub(crate) fn remember_anew(&mut self, entry: &ReplayEntry, seen: &Seen) -> Option<NewReplay> {
        let is_anew = entry.until >= self.now && self.under(&entry.key).is_none();
        is_anew.then(|| self.put(entry.key, entry, seen.id))
    }

    fn put(&mut self, key: ReplayDigest, entry: &ReplayEntry, message: MessageId) -> NewReplay {
        let entry = ReplayEntry { key, ..*entry };
        let seen = Seen { id: message, entry };
        let before = self.found.insert(key, seen);
        NewReplay {
            entry,
            message,
            ended: before.map(|before| before.entry.until),
        }
    }
}

/// Reads what is there of the items' entries, also what has reached its end and was not swept yet.
pub(crate) async fn read(
    sql: &Sql<'_>,
    now: Timestamp,
    items: &[&Accept],
) -> Result<Replays, Failure> {
    let entries = items.iter().filter_map(|item| item.replay.as_ref());
    let keys = entries.flat_map(|entry| std::iter::once(&entry.key).chain(&entry.second));
    let keys: Vec<&[u8]> = keys.map(|key| &key[..]).collect();
    if keys.is_empty() {
        return Ok(Replays::default());
    }
    let rows = sql.rows(
        "SELECT key, unsigned_id, content, message, tail, until FROM replay_key
         WHERE key = ANY($1)",
        params![keys],
    );
    let mut found = HashMap::new();
    for row in rows.await? {
        let seen = seen(&row)?;
        found.insert(seen.entry.key, seen);
    }
    Ok(Replays { now, found })
}

fn seen(row: &Row) -> Result<Seen, Failure> {
    let digest = |column| -> Result<ReplayDigest, Failure> {
        let bytes: &[u8] = get(row, column)?;
        bytes.try_into().map_err(|_| unreadable(row, column))
    };
    let unsigned_id = get::<Option<&[u8]>>(row, 1)?.map(|_| digest(1));
    Ok(Seen {
        id: MessageId::new(key(row, 3)?, tail(row, 4)?),
        entry: ReplayEntry {
            key: digest(0)?,
            unsigned_id: unsigned_id.transpose()?,
            second: None,
            content: digest(2)?,
            until: time(row, 5)?,
        },
    })
}

/// Removes what has reached its end under the keys of what is written. Another node that does the
/// same at this moment leaves nothing to remove, and what it wrote is a conflict.
pub(crate) fn give_way(rows: &[NewReplay]) -> Option<Statement<'_>> {
    let last = rows.iter().filter_map(|row| row.ended).max()?;
    let given = rows.iter().filter(|row| row.ended.is_some());
    let keys: Vec<&[u8]> = given.map(|row| &row.entry.key[..]).collect();
    Some(Statement {
        // The sum keeps it from being looked for by its end.
        text: "DELETE FROM replay_key WHERE key = ANY($1) AND until + 0 <= $2",
        params: params![keys, last.micros()],
    })
}

/// Another node that takes one of them at this moment is a conflict: the whole transaction begins
/// again, and finds it. In order, so that two nodes don't wait for each other.
pub(crate) fn insert(rows: &[NewReplay]) -> Option<Statement<'_>> {
    let mut rows: Vec<&NewReplay> = rows.iter().collect();
    if rows.is_empty() {
        return None;
    }
    rows.sort_unstable_by_key(|row| row.entry.key);
    Some(Statement {
        text: "INSERT INTO replay_key (key, unsigned_id, content, message, tail, until)
         SELECT * FROM unnest($1, $2, $3, $4, $5, $6)",
        params: params![
            columns_of(&rows, |row| row.entry.key.to_vec()),
            columns_of(&rows, |row| row.entry.unsigned_id.map(|id| id.to_vec())),
            columns_of(&rows, |row| row.entry.content.to_vec()),
            columns_of(&rows, |row| row.message.key().integer()),
            columns_of(&rows, |row| row.message.tail().to_vec()),
            columns_of(&rows, |row| row.entry.until.micros())
        ],
    })
}
