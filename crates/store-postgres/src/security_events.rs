//! Security events as rows: writing, listing, and removing them when they have reached their age.

use crate::batch::Batch;
use crate::columns::{direction, get, key, number, optional_sealed, tail, time, unreadable};
use crate::failure::Failure;
use crate::paging::{self, Listing, Seen, SeenIn};
use crate::sql::{Sql, columns_of, params};
use model::id::{ApplicationKey, Key, SecurityEventId, SecurityEventKey};
use model::security::{SecurityKind, Subject, SubjectKind};
use std::collections::{HashMap, HashSet};
use store::change::Changed;
use store::encoding::{severity, severity_number};
use store::query::Walk;
use store::security::{FoldedEvent, SecurityQuery, SecurityRow, SecurityWrite};
use store::work::SweepLimits;
use tokio_postgres::Row;

/// Writes what happened. Each node adds to its own rows alone, so that none waits for another.
pub(crate) async fn keep(
    batch: &mut Batch<'_>,
    writes: &[SecurityWrite],
) -> Result<Changed, Failure> {
    let added = add(batch.sql, writes).await?;
    let (mut ids, mut new) = (Vec::with_capacity(writes.len()), Vec::new());
    for write in writes {
        let there = write.onto.filter(|id| added.contains(&id.key()));
        ids.push(there.unwrap_or_else(|| {
            let id = SecurityEventId::new(batch.key(), batch.tail());
            new.push((id, &write.event));
            id
        }));
    }
    insert(batch.sql, &new).await?;
    Ok(Changed::SecurityEvents(ids))
}

/// Which rows were there.
async fn add(
    sql: &Sql<'_>,
    writes: &[SecurityWrite],
) -> Result<HashSet<SecurityEventKey>, Failure> {
    let known = writes
        .iter()
        .filter_map(|write| Some((write.onto?, &write.event)));
    let known: Vec<_> = known.collect();
    if known.is_empty() {
        return Ok(HashSet::new());
    }
    let added = sql.rows(
        "UPDATE security_event e SET count = e.count + u.count,
         first_seen = least(e.first_seen, u.first_seen),
         last_seen = greatest(e.last_seen, u.last_seen), sample = coalesce(u.sample, e.sample)
         FROM unnest($1, $2, $3, $4, $5) AS u (id, count, first_seen, last_seen, sample)
         WHERE e.id = u.id RETURNING e.id",
        params![
            columns_of(&known, |(id, _)| id.key().integer()),
            columns_of(&known, |(_, event)| count(event)),
            columns_of(&known, |(_, event)| event.first_seen.micros()),
            columns_of(&known, |(_, event)| event.last_seen.micros()),
            columns_of(&known, |(_, event)| event.sample.as_deref()),
        ],
    );
    added.await?.iter().map(|row| key(row, 0)).collect()
}

async fn insert(sql: &Sql<'_>, new: &[(SecurityEventId, &FoldedEvent)]) -> Result<(), Failure> {
    if new.is_empty() {
        return Ok(());
    }
    let address = |event: &FoldedEvent| event.remote_address.map(|address| address.to_string());
    let inserted = sql.run(
        "INSERT INTO security_event (id, tail, kind, severity, subject_kind, subject, application,
         remote_address, count, first_seen, last_seen, description, sample)
         SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        params![
            columns_of(new, |(id, _)| id.key().integer()),
            columns_of(new, |(id, _)| id.tail().to_vec()),
            columns_of(new, |(_, event)| event.kind.as_str()),
            columns_of(new, |(_, event)| severity_number(event.severity)),
            columns_of(new, |(_, event)| event.subject.kind.as_str()),
            columns_of(new, |(_, event)| event.subject.id.as_str()),
            columns_of(new, |(_, event)| event.application.map_or(0, Key::integer)),
            columns_of(new, |(_, event)| address(event)),
            columns_of(new, |(_, event)| count(event)),
            columns_of(new, |(_, event)| event.first_seen.micros()),
            columns_of(new, |(_, event)| event.last_seen.micros()),
            columns_of(new, |(_, event)| event.description.as_str()),
            columns_of(new, |(_, event)| event.sample.as_deref()),
        ],
    );
    inserted.await.map(drop)
}

fn count(event: &FoldedEvent) -> i64 {
    i64::try_from(event.count).unwrap_or(i64::MAX)
}

/// A list.
pub(crate) async fn list(
    sql: &Sql<'_>,
    query: &SecurityQuery,
) -> Result<Walk<SecurityRow, SecurityEventKey>, Failure> {
    paging::walk(&Events { sql, query }, query.window.limit).await
}

struct Events<'q> {
    sql: &'q Sql<'q>,
    query: &'q SecurityQuery,
}

impl Listing for Events<'_> {
    type Position = SecurityEventKey;
    /// Rows are small: those that were looked at are loaded.
    type Passed = SecurityRow;
    type Row = SecurityRow;

    async fn look(
        &self,
        beyond: Option<&SecurityEventKey>,
        rows: usize,
    ) -> Result<Vec<SeenIn<Self>>, Failure> {
        let window = &self.query.window;
        let subject = self.query.subject.as_ref();
        let whose = match (self.query.application, subject) {
            (_, Some(_)) => "subject_kind = $5 AND subject = $6 AND ($4 = 0 OR application = $4)",
            (Some(_), None) => "application = $4 AND $5 IS NULL AND $6 IS NULL",
            (None, None) => "$4 = 0 AND $5 IS NULL AND $6 IS NULL",
        };
        let sample = match self.query.with_samples {
            true => "sample",
            false => "NULL::bytea",
        };
        let statement = format!(
            "SELECT id, tail, kind, severity, subject_kind, subject, application, remote_address,
             count, first_seen, last_seen, description, {sample}
             FROM security_event WHERE {whose} AND id > $1 AND id < $2 ORDER BY id {} LIMIT $3",
            direction(window.ascending)
        );
        let (above, below) = paging::behind(window, beyond);
        let application = self.query.application.map_or(0, Key::integer);
        let params = params![
            above,
            below,
            paging::limit(rows),
            application,
            subject.map(|subject| subject.kind.as_str()),
            subject.map(|subject| subject.id.as_str()),
        ];
        let read = |row: &Row| {
            Ok(Seen {
                position: key(row, 0)?,
                passes: read(row)?.filter(|found| self.query.passes(&found.event)),
            })
        };
        let found = self.sql.rows(&statement, params).await?;
        found.iter().map(read).collect()
    }

    async fn load(
        &self,
        passed: &[(SecurityEventKey, SecurityRow)],
    ) -> Result<HashMap<SecurityEventKey, SecurityRow>, Failure> {
        Ok(passed.iter().cloned().collect())
    }
}

/// `None`: it is of a kind that this program does not know.
fn read(row: &Row) -> Result<Option<SecurityRow>, Failure> {
    let known = (
        SecurityKind::named(get(row, 2)?),
        SubjectKind::named(get(row, 4)?),
    );
    let (Some(kind), Some(subject)) = known else {
        return Ok(None);
    };
    let application: ApplicationKey = key(row, 6)?;
    let address = get::<Option<&str>>(row, 7)?.map(str::parse).transpose();
    Ok(Some(SecurityRow {
        id: SecurityEventId::new(key(row, 0)?, tail(row, 1)?),
        event: FoldedEvent {
            kind,
            severity: severity(number(row, 3)?).ok_or_else(|| unreadable(row, 3))?,
            subject: Subject::new(subject, get::<&str>(row, 5)?),
            application: Some(application).filter(|key| *key != Key::MIN),
            remote_address: address.map_err(|_| unreadable(row, 7))?,
            count: number(row, 8)?,
            first_seen: time(row, 9)?,
            last_seen: time(row, 10)?,
            description: get(row, 11)?,
            sample: optional_sealed(row, 12)?,
        },
    }))
}

/// Removes a slice of what has reached its age. True: there is more.
pub(crate) async fn sweep(sql: &Sql<'_>, limits: SweepLimits) -> Result<bool, Failure> {
    let border = SecurityEventKey::first_at(limits.keep_since).integer();
    let rows_max = i64::try_from(limits.rows_max).unwrap_or(i64::MAX);
    let removed = sql.run(
        "DELETE FROM security_event WHERE id = ANY(ARRAY(SELECT id FROM security_event
         WHERE id < $1 ORDER BY id LIMIT $2))",
        params![border, rows_max],
    );
    Ok(removed.await? >= limits.rows_max)
}
