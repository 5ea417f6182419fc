//! Changes of event types.

use super::Refused;
use crate::batch::Batch;
use crate::event_types::find;
use model::Timestamp;
use model::event_type::EventType;
use model::name::Name;
use rusqlite::params;
use store::change::{ChangeError, Changed, Expect, OwnRedaction, OwnSchedule};
use store::encoding::{join, paths_text_some, rules_text_some, schedule_text};

pub(super) fn put(
    batch: &mut Batch<'_>,
    event_type: &EventType,
    expect: Expect,
) -> Result<Changed, Refused> {
    let before = check(batch, &event_type.name, expect)?;
    let saved_at = before.as_ref().map(|before| before.updated_at);
    let created_at = before.map_or(batch.now, |before| before.created_at);
    // Times of saving tell versions apart, so they only grow.
    let after_last = saved_at.map(|at| at.plus(std::time::Duration::from_micros(1)));
    let updated_at = batch.now.max(after_last.unwrap_or(Timestamp::MIN));
    batch
        .connection
        .prepare_cached(
            "INSERT INTO event_type (name, description, archived, deprecated, schemas,
             feature_flags, group_name, created_at, updated_at, sensitive)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
             ON CONFLICT (name) DO UPDATE SET description = ?2, archived = ?3, deprecated = ?4,
             schemas = ?5, feature_flags = ?6, group_name = ?7, updated_at = ?9, sensitive = ?10",
        )?
        .execute(params![
            event_type.name.as_str(),
            event_type.description,
            event_type.archived,
            event_type.deprecated,
            event_type.schemas,
            join(&event_type.feature_flags),
            event_type.group_name.as_ref().map(Name::as_str),
            created_at.micros(),
            updated_at.micros(),
            paths_text_some(&event_type.sensitive),
        ])?;
    Ok(Changed::EventType(EventType {
        created_at,
        updated_at,
        ..event_type.clone()
    }))
}

/// The event type as it is, if that is what is expected.
pub(super) fn check(
    batch: &Batch<'_>,
    name: &Name,
    expect: Expect,
) -> Result<Option<EventType>, Refused> {
    let before = find(batch.connection, name)?;
    let saved_at = before.as_ref().map(|before| before.updated_at);
    match expect {
        Expect::NoneLive if before.as_ref().is_some_and(|before| !before.archived) => {
            Err(ChangeError::Taken.into())
        }
        Expect::SavedAt(expected) if expected != saved_at => Err(ChangeError::Stale.into()),
        Expect::NoneLive | Expect::SavedAt(_) => Ok(before),
    }
}

pub(super) fn expunge(batch: &mut Batch<'_>, name: &Name) -> Result<Changed, Refused> {
    let mut delete = batch
        .connection
        .prepare_cached("DELETE FROM event_type WHERE name = ?1")?;
    match delete.execute([name.as_str()])? {
        0 => Err(ChangeError::Missing.into()),
        _ => {
            remove_schedule(batch, name)?;
            Ok(Changed::Removed)
        }
    }
}

pub(super) fn put_schedule(batch: &mut Batch<'_>, put: &OwnSchedule) -> Result<Changed, Refused> {
    let name = &put.event_type;
    if find(batch.connection, name)?.is_none() {
        return Err(ChangeError::Missing.into());
    }
    let Some(schedule) = &put.schedule else {
        remove_schedule(batch, name)?;
        return Ok(Changed::RetrySchedule);
    };
    let others: i64 = batch
        .connection
        .prepare_cached("SELECT count(*) FROM retry_schedule WHERE event_type <> ?1")?
        .query_row([name.as_str()], |row| row.get(0))?;
    if usize::try_from(others).unwrap_or(usize::MAX) >= put.schedules_max {
        return Err(ChangeError::TooMany.into());
    }
    batch
        .connection
        .prepare_cached(
            "INSERT INTO retry_schedule (event_type, waits) VALUES (?1, ?2)
             ON CONFLICT (event_type) DO UPDATE SET waits = ?2",
        )?
        .execute(params![name.as_str(), schedule_text(schedule)])?;
    Ok(Changed::RetrySchedule)
}

/// The rules of a row are written apart from the rest of it, and stay when that is written anew.
pub(super) fn put_redaction(batch: &mut Batch<'_>, put: &OwnRedaction) -> Result<Changed, Refused> {
    let name = put.event_type.as_str();
    let others: i64 = batch
        .connection
        .prepare_cached(
            "SELECT count(*) FROM event_type
             WHERE (redaction IS NOT NULL OR sensitive IS NOT NULL) AND name <> ?1",
        )?
        .query_row([name], |row| row.get(0))?;
    if !put.rules.is_empty() && usize::try_from(others).unwrap_or(usize::MAX) >= put.redactions_max
    {
        return Err(ChangeError::TooMany.into());
    }
    let mut update = batch
        .connection
        .prepare_cached("UPDATE event_type SET redaction = ?2 WHERE name = ?1")?;
    match update.execute(params![name, rules_text_some(&put.rules)])? {
        0 => Err(ChangeError::Missing.into()),
        _ => Ok(Changed::Redaction),
    }
}

fn remove_schedule(batch: &Batch<'_>, name: &Name) -> Result<(), Refused> {
    let mut delete = batch
        .connection
        .prepare_cached("DELETE FROM retry_schedule WHERE event_type = ?1")?;
    delete.execute([name.as_str()])?;
    Ok(())
}
