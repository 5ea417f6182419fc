//! Changes of event types.

use super::Refused;
use crate::batch::Batch;
use crate::columns::number;
use crate::event_types::{find, load};
use crate::failure::Failure;
use crate::sql::{Sql, columns_of, params};
use model::Timestamp;
use model::event_type::EventType;
use model::name::Name;
use std::time::Duration;
use store::change::{ChangeError, Changed, Expect, OwnRedaction, OwnSchedule};
use store::encoding::{join, paths_text_some, rules_text_some, schedule_text};

/// One that another node makes at this moment is a conflict: all is done again, and finds it.
const INSERT: &str = "INSERT INTO event_type (name, description, archived, deprecated, schemas,
    feature_flags, group_name, created_at, updated_at, sensitive)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
const UPDATE: &str = "UPDATE event_type SET description = $2, archived = $3, deprecated = $4,
    schemas = $5, feature_flags = $6, group_name = $7, created_at = $8, updated_at = $9,
    sensitive = $10 WHERE name = $1";
/// The same of many, each parameter a list.
const INSERT_ALL: &str = "INSERT INTO event_type (name, description, archived, deprecated, schemas,
    feature_flags, group_name, created_at, updated_at, sensitive)
    SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
const UPDATE_ALL: &str = "UPDATE event_type AS e SET description = n.description,
    archived = n.archived, deprecated = n.deprecated, schemas = n.schemas,
    feature_flags = n.feature_flags, group_name = n.group_name, created_at = n.created_at,
    updated_at = n.updated_at, sensitive = n.sensitive
    FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) AS n (name, description, archived,
    deprecated, schemas, feature_flags, group_name, created_at, updated_at, sensitive)
    WHERE e.name = n.name";

pub(super) async fn put(
    batch: &mut Batch<'_>,
    event_type: &EventType,
    expect: Expect,
) -> Result<Changed, Refused> {
    let before = locked(batch.sql, &event_type.name).await?;
    check(before.as_ref(), expect)?;
    let statement = match &before {
        None => INSERT,
        Some(_) => UPDATE,
    };
    let written = saved(event_type, before.as_ref(), batch.now);
    write(batch.sql, statement, &written).await?;
    Ok(Changed::EventType(written))
}

/// As each of them would be put, in as many statements as for one.
pub(super) async fn put_all(
    batch: &mut Batch<'_>,
    event_types: &[(EventType, Expect)],
) -> Result<(), Refused> {
    let names = columns_of(event_types, |(event_type, _)| event_type.name.clone());
    let locked = batch.sql.run(
        "SELECT 1 FROM event_type WHERE name = ANY($1) ORDER BY name FOR UPDATE",
        params![columns_of(&names, Name::as_str)],
    );
    locked.await?;
    let found = load(batch.sql, &names, false).await?;
    let (mut new, mut old) = (Vec::new(), Vec::new());
    for (event_type, expect) in event_types {
        let before = found.get(&event_type.name);
        check(before, *expect)?;
        let side = if before.is_none() { &mut new } else { &mut old };
        side.push(saved(event_type, before, batch.now));
    }
    write_all(batch.sql, INSERT_ALL, &new).await?;
    Ok(write_all(batch.sql, UPDATE_ALL, &old).await?)
}

fn check(before: Option<&EventType>, expect: Expect) -> Result<(), Refused> {
    let saved_at = before.map(|before| before.updated_at);
    match expect {
        Expect::NoneLive if before.is_some_and(|before| !before.archived) => {
            Err(ChangeError::Taken.into())
        }
        Expect::SavedAt(expected) if expected != saved_at => Err(ChangeError::Stale.into()),
        Expect::NoneLive | Expect::SavedAt(_) => Ok(()),
    }
}

/// The event type with the times that it gets.
fn saved(event_type: &EventType, before: Option<&EventType>, now: Timestamp) -> EventType {
    // Times of saving tell versions apart, so they only grow.
    let after_last = before.map(|before| before.updated_at.plus(Duration::from_micros(1)));
    EventType {
        created_at: before.map_or(now, |before| before.created_at),
        updated_at: now.max(after_last.unwrap_or(Timestamp::MIN)),
        ..event_type.clone()
    }
}

pub(super) async fn expunge(batch: &mut Batch<'_>, name: &Name) -> Result<Changed, Refused> {
    let deleted = batch.sql.run(
        "DELETE FROM event_type WHERE name = $1",
        params![name.as_str()],
    );
    match deleted.await? {
        0 => Err(ChangeError::Missing.into()),
        _ => {
            remove_schedule(batch.sql, name).await?;
            Ok(Changed::Removed)
        }
    }
}

/// The event type is locked, so that it is not expunged meanwhile. Two nodes may each write the
/// last one that may be: what is bounded is memory, and one more does no harm.
pub(super) async fn put_schedule(
    batch: &mut Batch<'_>,
    put: &OwnSchedule,
) -> Result<Changed, Refused> {
    let name = &put.event_type;
    if locked(batch.sql, name).await?.is_none() {
        return Err(ChangeError::Missing.into());
    }
    let Some(schedule) = &put.schedule else {
        remove_schedule(batch.sql, name).await?;
        return Ok(Changed::RetrySchedule);
    };
    let others = batch.sql.row(
        "SELECT count(*) FROM retry_schedule WHERE event_type <> $1",
        params![name.as_str()],
    );
    let others = others.await?.map_or(Ok(0), |row| number(&row, 0))?;
    if others >= put.schedules_max {
        return Err(ChangeError::TooMany.into());
    }
    let put = batch.sql.run(
        "INSERT INTO retry_schedule (event_type, waits) VALUES ($1, $2)
         ON CONFLICT (event_type) DO UPDATE SET waits = $2",
        params![name.as_str(), schedule_text(schedule)],
    );
    put.await?;
    Ok(Changed::RetrySchedule)
}

/// The rules of a row are written apart from the rest of it, and stay when that is written anew.
/// As with schedules, two nodes may each write the last ones that may be.
pub(super) async fn put_redaction(
    batch: &mut Batch<'_>,
    put: &OwnRedaction,
) -> Result<Changed, Refused> {
    let name = put.event_type.as_str();
    let others = batch.sql.row(
        "SELECT count(*) FROM event_type
         WHERE (redaction IS NOT NULL OR sensitive IS NOT NULL) AND name <> $1",
        params![name],
    );
    let others = others.await?.map_or(Ok(0), |row| number(&row, 0))?;
    if !put.rules.is_empty() && others >= put.redactions_max {
        return Err(ChangeError::TooMany.into());
    }
    let update = batch.sql.run(
        "UPDATE event_type SET redaction = $2 WHERE name = $1",
        params![name, rules_text_some(&put.rules)],
    );
    match update.await? {
        0 => Err(ChangeError::Missing.into()),
        _ => Ok(Changed::Redaction),
    }
}

async fn remove_schedule(sql: &Sql<'_>, name: &Name) -> Result<(), Failure> {
    let delete = sql.run(
        "DELETE FROM retry_schedule WHERE event_type = $1",
        params![name.as_str()],
    );
    delete.await.map(drop)
}

/// The event type of this name, archived or not, which nobody else changes now.
async fn locked(sql: &Sql<'_>, name: &Name) -> Result<Option<EventType>, Failure> {
    let locked = sql.run(
        "SELECT 1 FROM event_type WHERE name = $1 FOR UPDATE",
        params![name.as_str()],
    );
    locked.await?;
    find(sql, name).await
}

async fn write(sql: &Sql<'_>, statement: &str, written: &EventType) -> Result<(), Failure> {
    let params = params![
        written.name.as_str(),
        written.description.as_str(),
        written.archived,
        written.deprecated,
        written.schemas.as_deref(),
        join(&written.feature_flags),
        written.group_name.as_ref().map(Name::as_str),
        written.created_at.micros(),
        written.updated_at.micros(),
        paths_text_some(&written.sensitive),
    ];
    sql.run(statement, params).await.map(drop)
}

async fn write_all(
    sql: &Sql<'_>,
    statement: &'static str,
    written: &[EventType],
) -> Result<(), Failure> {
    if written.is_empty() {
        return Ok(());
    }
    let group_name = |row: &EventType| row.group_name.as_ref().map(Name::to_string);
    let params = params![
        columns_of(written, |row| row.name.as_str()),
        columns_of(written, |row| row.description.as_str()),
        columns_of(written, |row| row.archived),
        columns_of(written, |row| row.deprecated),
        columns_of(written, |row| row.schemas.as_deref()),
        columns_of(written, |row| join(&row.feature_flags)),
        columns_of(written, group_name),
        columns_of(written, |row| row.created_at.micros()),
        columns_of(written, |row| row.updated_at.micros()),
        columns_of(written, |row| paths_text_some(&row.sensitive)),
    ];
    sql.run(statement, params).await.map(drop)
}
