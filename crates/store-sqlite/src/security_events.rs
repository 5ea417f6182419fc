//! Security events as rows: writing, listing, and removing them when they have reached their age.

use crate::batch::Batch;
use crate::columns::{direction, optional_sealed, optional_text, tail, time, unreadable};
use crate::failure::Failure;
use model::id::{ApplicationKey, Key, SecurityEventId, SecurityEventKey};
use model::security::{SecurityKind, Subject, SubjectKind};
use rusqlite::{Connection, Row, params};
use store::change::Changed;
use store::encoding::{severity, severity_number};
use store::query::Walk;
use store::security::{FoldedEvent, SecurityQuery, SecurityRow, SecurityWrite};
use store::walking::Walking;
use store::work::SweepLimits;

/// Writes what happened.
pub(crate) fn keep(batch: &mut Batch<'_>, writes: &[SecurityWrite]) -> Result<Changed, Failure> {
    let ids = writes.iter().map(|write| {
        if let Some(id) = write.onto
            && add(batch.connection, id, &write.event)?
        {
            return Ok(id);
        }
        insert(batch, &write.event)
    });
    ids.collect::<Result<_, Failure>>()
        .map(Changed::SecurityEvents)
}

/// Whether the row was there.
fn add(connection: &Connection, id: SecurityEventId, event: &FoldedEvent) -> Result<bool, Failure> {
    let added = connection
        .prepare_cached(
            "UPDATE security_event SET count = count + ?2, first_seen = min(first_seen, ?3),
             last_seen = max(last_seen, ?4), sample = coalesce(?5, sample) WHERE id = ?1",
        )?
        .execute(params![
            id.key().integer(),
            count(event),
            event.first_seen.micros(),
            event.last_seen.micros(),
            event.sample.as_deref(),
        ])?;
    Ok(added > 0)
}

fn insert(batch: &mut Batch<'_>, event: &FoldedEvent) -> Result<SecurityEventId, Failure> {
    let id = SecurityEventId::new(batch.key(), batch.tail());
    batch
        .connection
        .prepare_cached(
            "INSERT INTO security_event (id, tail, kind, severity, subject_kind, subject,
             application, remote_address, count, first_seen, last_seen, description, sample)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )?
        .execute(params![
            id.key().integer(),
            id.tail(),
            event.kind.as_str(),
            severity_number(event.severity),
            event.subject.kind.as_str(),
            event.subject.id,
            event.application.map_or(0, Key::integer),
            event.remote_address.map(|address| address.to_string()),
            count(event),
            event.first_seen.micros(),
            event.last_seen.micros(),
            event.description,
            event.sample.as_deref(),
        ])?;
    Ok(id)
}

fn count(event: &FoldedEvent) -> i64 {
    i64::try_from(event.count).unwrap_or(i64::MAX)
}

/// A list.
pub(crate) fn list(
    connection: &Connection,
    query: &SecurityQuery,
) -> Result<Walk<SecurityRow, SecurityEventKey>, Failure> {
    let subject = query.subject.as_ref();
    let whose = match (query.application, subject) {
        (_, Some(_)) => {
            "INDEXED BY security_event_subject WHERE subject_kind = ?4 AND subject = ?5
             AND (?3 = 0 OR application = ?3)"
        }
        (Some(_), None) => {
            "INDEXED BY security_event_application WHERE application = ?3
             AND ?4 IS NULL AND ?5 IS NULL"
        }
        (None, None) => "WHERE ?3 = 0 AND ?4 IS NULL AND ?5 IS NULL",
    };
    let sample = match query.with_samples {
        true => "sample",
        false => "NULL",
    };
    let sql = format!(
        "SELECT id, tail, kind, severity, subject_kind, subject, application, remote_address,
         count, first_seen, last_seen, description, {sample}
         FROM security_event {whose} AND id > ?1 AND id < ?2 ORDER BY id {}",
        direction(query.window.ascending)
    );
    let mut walking = Walking::new(query.window.limit);
    let mut select = connection.prepare_cached(&sql)?;
    let mut rows = select.query(params![
        query.window.above.integer(),
        query.window.below.integer(),
        query.application.map_or(0, Key::integer),
        subject.map(|subject| subject.kind.as_str()),
        subject.map(|subject| &subject.id),
    ])?;
    while let Some(row) = rows.next()? {
        if !walking.looks_at(Key::from_integer(row.get(0)?)) {
            break;
        }
        if let Some(found) = read(row)?.filter(|found| query.passes(&found.event)) {
            walking.keep(found);
        }
    }
    Ok(walking.end())
}

/// `None`: it is of a kind that this program does not know.
fn read(row: &Row<'_>) -> Result<Option<SecurityRow>, Failure> {
    let known = (
        SecurityKind::named(&row.get::<_, String>(2)?),
        SubjectKind::named(&row.get::<_, String>(4)?),
    );
    let (Some(kind), Some(subject)) = known else {
        return Ok(None);
    };
    let application = ApplicationKey::from_integer(row.get(6)?);
    let address = optional_text(row, 7)?.map(str::parse).transpose();
    Ok(Some(SecurityRow {
        id: SecurityEventId::new(Key::from_integer(row.get(0)?), tail(row, 1)?),
        event: FoldedEvent {
            kind,
            severity: severity(row.get(3)?).ok_or_else(|| unreadable(row, 3))?,
            subject: Subject::new(subject, row.get::<_, String>(5)?),
            application: Some(application).filter(|key| *key != Key::MIN),
            remote_address: address.map_err(|_| unreadable(row, 7))?,
            count: row.get::<_, i64>(8)?.unsigned_abs(),
            first_seen: time(row, 9)?,
            last_seen: time(row, 10)?,
            description: row.get(11)?,
            sample: optional_sealed(row, 12)?,
        },
    }))
}

/// Removes a slice of what has reached its age. True: there is more.
pub(crate) fn sweep(batch: &Batch<'_>, limits: SweepLimits) -> Result<bool, Failure> {
    let border = SecurityEventKey::first_at(limits.keep_since).integer();
    let removed = batch
        .connection
        .prepare_cached(
            "DELETE FROM security_event WHERE id IN
             (SELECT id FROM security_event WHERE id < ?1 ORDER BY id LIMIT ?2)",
        )?
        .execute(params![border, limits.rows_max as i64])?;
    Ok(removed >= limits.rows_max)
}
