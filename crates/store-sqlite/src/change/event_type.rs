//! Changes of event types.

use super::Refused;
use crate::batch::Batch;
use crate::event_types::find;
use model::Timestamp;
use model::event_type::EventType;
use model::name::Name;
use rusqlite::params;
use store::change::{ChangeError, Changed, Expect};
use store::encoding::join;

pub(super) fn put(
    batch: &mut Batch<'_>,
    event_type: &EventType,
    expect: Expect,
) -> Result<Changed, Refused> {
    let before = find(batch.connection, &event_type.name)?;
    let saved_at = before.as_ref().map(|before| before.updated_at);
    match expect {
        Expect::NoneLive if before.as_ref().is_some_and(|before| !before.archived) => {
            return Err(ChangeError::Taken.into());
        }
        Expect::SavedAt(expected) if expected != saved_at => {
            return Err(ChangeError::Stale.into());
        }
        Expect::NoneLive | Expect::SavedAt(_) => {}
    }
    let created_at = before.map_or(batch.now, |before| before.created_at);
    // Times of saving tell versions apart, so they only grow.
    let after_last = saved_at.map(|at| at.plus(std::time::Duration::from_micros(1)));
    let updated_at = batch.now.max(after_last.unwrap_or(Timestamp::MIN));
    batch
        .connection
        .prepare_cached(
            "INSERT INTO event_type (name, description, archived, deprecated, schemas,
             feature_flags, group_name, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (name) DO UPDATE SET description = ?2, archived = ?3, deprecated = ?4,
             schemas = ?5, feature_flags = ?6, group_name = ?7, updated_at = ?9",
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
        ])?;
    Ok(Changed::EventType(EventType {
        created_at,
        updated_at,
        ..event_type.clone()
    }))
}

pub(super) fn expunge(batch: &mut Batch<'_>, name: &Name) -> Result<Changed, Refused> {
    let mut delete = batch
        .connection
        .prepare_cached("DELETE FROM event_type WHERE name = ?1")?;
    match delete.execute([name.as_str()])? {
        0 => Err(ChangeError::Missing.into()),
        _ => Ok(Changed::Removed),
    }
}
