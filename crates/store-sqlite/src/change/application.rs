//! Changes of applications.

use super::Refused;
use super::endpoint::end_deliveries_later;
use crate::applications::{by_key, find};
use crate::batch::Batch;
use crate::failure::Failure;
use crate::{endpoints, settings};
use model::application::Application;
use model::delivery::EndReason;
use model::id::ApplicationKey;
use model::name::Name;
use rusqlite::params;
use store::Sealed;
use store::change::{ChangeError, Changed};
use store::encoding::metadata_text;
use store::master_keys::{MASTER_KEYS, may_write};
use store::rows::{ApplicationRef, ApplicationRow};

pub(super) fn create(
    batch: &mut Batch<'_>,
    application: &Application,
    data_key: &Sealed,
) -> Result<Changed, Refused> {
    check_uid(batch, application.uid.as_ref(), None)?;
    check_data_keys(batch, std::slice::from_ref(data_key))?;
    let key: ApplicationKey = batch.lasting_key();
    batch
        .connection
        .prepare_cached(
            "INSERT INTO application (id, tail, uid, name, rate_limit, metadata, revision,
             created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?7)",
        )?
        .execute(params![
            key.integer(),
            application.id.tail(),
            application.uid.as_ref().map(Name::as_str),
            application.name,
            application.rate_limit.map(u16::from),
            metadata_text(&application.metadata),
            batch.now.micros(),
        ])?;
    write_data_keys(batch, key, std::slice::from_ref(data_key))?;
    Ok(Changed::Application(reread(batch, key)?))
}

pub(super) fn replace(
    batch: &mut Batch<'_>,
    application: &Application,
    (data_keys, revision): (&[Sealed], u64),
) -> Result<Changed, Refused> {
    let key = application.id.key();
    let before = current(batch, key, revision)?;
    check_uid(batch, application.uid.as_ref(), Some(key))?;
    let new_keys = before.data_keys != data_keys;
    if new_keys {
        check_data_keys(batch, data_keys)?;
    }
    batch
        .connection
        .prepare_cached(
            "UPDATE application SET uid = ?2, name = ?3, rate_limit = ?4, metadata = ?5,
             updated_at = ?6 WHERE id = ?1",
        )?
        .execute(params![
            key.integer(),
            application.uid.as_ref().map(Name::as_str),
            application.name,
            application.rate_limit.map(u16::from),
            metadata_text(&application.metadata),
            batch.now.micros(),
        ])?;
    batch.grow_revision(key)?;
    if new_keys {
        write_data_keys(batch, key, data_keys)?;
        batch.rounds.destroyed = true;
    }
    Ok(Changed::Application(reread(batch, key)?))
}

pub(super) fn replace_data_keys(
    batch: &mut Batch<'_>,
    key: ApplicationKey,
    (data_keys, revision): (&[Sealed], u64),
) -> Result<Changed, Refused> {
    current(batch, key, revision)?;
    check_data_keys(batch, data_keys)?;
    batch.grow_revision(key)?;
    write_data_keys(batch, key, data_keys)?;
    batch.rounds.destroyed = true;
    Ok(Changed::Application(reread(batch, key)?))
}

pub(super) fn delete(batch: &mut Batch<'_>, key: ApplicationKey) -> Result<Changed, Refused> {
    by_key(batch.connection, key)?.ok_or(ChangeError::Missing)?;
    let live = endpoints::live_of(batch.connection, key)?;
    batch
        .connection
        .prepare_cached("UPDATE application SET deleted = 1, updated_at = ?2 WHERE id = ?1")?
        .execute([key.integer(), batch.now.micros()])?;
    batch.grow_revision(key)?;
    batch
        .connection
        .prepare_cached(
            "UPDATE data_key SET sealed = zeroblob(length(sealed)) WHERE application = ?1",
        )?
        .execute([key.integer()])?;
    batch.rounds.destroyed = true;
    batch
        .connection
        .prepare_cached(
            "UPDATE endpoint SET deleted = 1, chain = NULL, proof = NULL, revision = revision + 1, updated_at = ?2
             WHERE application = ?1 AND deleted = 0",
        )?
        .execute([key.integer(), batch.now.micros()])?;
    for row in live {
        end_deliveries_later(
            batch,
            (key, row.endpoint.id.key()),
            EndReason::EndpointDeleted,
        )?;
    }
    Ok(Changed::Removed)
}

/// The application, if this is its revision.
fn current(
    batch: &Batch<'_>,
    key: ApplicationKey,
    revision: u64,
) -> Result<ApplicationRow, Refused> {
    let row = by_key(batch.connection, key)?.ok_or(ChangeError::Missing)?;
    if row.revision != revision {
        return Err(ChangeError::Stale.into());
    }
    Ok(row)
}

fn check_uid(
    batch: &Batch<'_>,
    uid: Option<&Name>,
    own: Option<ApplicationKey>,
) -> Result<(), Refused> {
    let Some(uid) = uid else {
        return Ok(());
    };
    let other = find(batch.connection, &ApplicationRef::Uid(uid.clone()))?;
    match other {
        Some(other) if Some(other.application.id.key()) != own => Err(ChangeError::Taken.into()),
        _ => Ok(()),
    }
}

/// There are never fewer than before.
fn write_data_keys(
    batch: &Batch<'_>,
    key: ApplicationKey,
    data_keys: &[Sealed],
) -> Result<(), Failure> {
    let mut put = batch.connection.prepare_cached(
        "INSERT INTO data_key (application, position, sealed) VALUES (?1, ?2, ?3)
         ON CONFLICT (application, position) DO UPDATE SET sealed = excluded.sealed",
    )?;
    for (position, sealed) in (0_i64..).zip(data_keys) {
        put.execute(params![key.integer(), position, &sealed[..]])?;
    }
    Ok(())
}

/// Refuses what another master key sealed than seals by now.
fn check_data_keys(batch: &Batch<'_>, data_keys: &[Sealed]) -> Result<(), Refused> {
    let kept = settings::get(batch.connection, MASTER_KEYS)?;
    match may_write(kept.as_deref(), data_keys) {
        true => Ok(()),
        false => Err(ChangeError::Stale.into()),
    }
}

fn reread(batch: &Batch<'_>, key: ApplicationKey) -> Result<ApplicationRow, Failure> {
    by_key(batch.connection, key)?.ok_or_else(|| Failure::unreadable("application"))
}
