//! Changes of event types.

use super::Refused;
use crate::batch::Batch;
use crate::event_types::find;
use crate::failure::Failure;
use crate::sql::{Sql, params};
use model::Timestamp;
use model::event_type::EventType;
use model::name::Name;
use store::change::{ChangeError, Changed, Expect};
use store::encoding::join;

/// One that another node makes at this moment is a conflict: all is done again, and finds it.
const INSERT: &str = "INSERT INTO event_type (name, description, archived, deprecated, schemas,
    feature_flags, group_name, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const UPDATE: &str = "UPDATE event_type SET description = $2, archived = $3, deprecated = $4,
    schemas = $5, feature_flags = $6, group_name = $7, created_at = $8, updated_at = $9
    WHERE name = $1";

pub(super) async fn put(
    batch: &mut Batch<'_>,
    event_type: &EventType,
    expect: Expect,
) -> Result<Changed, Refused> {
    let before = locked(batch.sql, &event_type.name).await?;
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
    let statement = match &before {
        None => INSERT,
        Some(_) => UPDATE,
    };
    let created_at = before.map_or(batch.now, |before| before.created_at);
    // Times of saving tell versions apart, so they only grow.
    let after_last = saved_at.map(|at| at.plus(std::time::Duration::from_micros(1)));
    let updated_at = batch.now.max(after_last.unwrap_or(Timestamp::MIN));
    let written = EventType {
        created_at,
        updated_at,
        ..event_type.clone()
    };
    write(batch.sql, statement, &written).await?;
    Ok(Changed::EventType(written))
}

pub(super) async fn expunge(batch: &mut Batch<'_>, name: &Name) -> Result<Changed, Refused> {
    let deleted = batch.sql.run(
        "DELETE FROM event_type WHERE name = $1",
        params![name.as_str()],
    );
    match deleted.await? {
        0 => Err(ChangeError::Missing.into()),
        _ => Ok(Changed::Removed),
    }
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
    ];
    sql.run(statement, params).await.map(drop)
}
