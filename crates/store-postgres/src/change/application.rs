//! Changes of applications.

use super::Refused;
use super::endpoint::end_deliveries_later;
use crate::applications::{by_key, find};
use crate::batch::Batch;
use crate::columns::key;
use crate::failure::Failure;
use crate::sql::{Sql, blob, columns_of, params};
use crate::{locks, settings};
use model::application::Application;
use model::delivery::EndReason;
use model::id::{ApplicationKey, EndpointKey};
use model::name::Name;
use store::Sealed;
use store::change::{ChangeError, Changed};
use store::encoding::metadata_text;
use store::master_keys::{MASTER_KEYS, may_write};
use store::rows::{ApplicationRef, ApplicationRow};

pub(super) async fn create(
    batch: &mut Batch<'_>,
    application: &Application,
    data_key: &Sealed,
) -> Result<Changed, Refused> {
    check_uid(batch.sql, application.uid.as_ref(), None).await?;
    check_data_keys(batch.sql, std::slice::from_ref(data_key)).await?;
    let key: ApplicationKey = batch.key();
    let tail = application.id.tail();
    let created = batch.sql.run(
        "INSERT INTO application (id, tail, uid, name, rate_limit, metadata, revision,
         created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $7)",
        params![
            key.integer(),
            &tail[..],
            application.uid.as_ref().map(Name::as_str),
            application.name.as_str(),
            application.rate_limit.map(|rate| i32::from(rate.get())),
            metadata_text(&application.metadata),
            batch.now.micros(),
        ],
    );
    created.await?;
    insert_data_keys(batch.sql, key, std::slice::from_ref(data_key)).await?;
    Ok(Changed::Application(reread(batch.sql, key).await?))
}

pub(super) async fn replace(
    batch: &mut Batch<'_>,
    application: &Application,
    (data_keys, revision): (&[Sealed], u64),
) -> Result<Changed, Refused> {
    let key = application.id.key();
    let before = current(batch.sql, key, revision).await?;
    check_uid(batch.sql, application.uid.as_ref(), Some(key)).await?;
    let new_keys = before.data_keys != data_keys;
    if new_keys {
        check_data_keys(batch.sql, data_keys).await?;
    }
    let replaced = batch.sql.run(
        "UPDATE application SET uid = $2, name = $3, rate_limit = $4, metadata = $5,
         updated_at = $6 WHERE id = $1",
        params![
            key.integer(),
            application.uid.as_ref().map(Name::as_str),
            application.name.as_str(),
            application.rate_limit.map(|rate| i32::from(rate.get())),
            metadata_text(&application.metadata),
            batch.now.micros(),
        ],
    );
    replaced.await?;
    batch.grow_revision(key).await?;
    if new_keys {
        write_data_keys(batch.sql, key, data_keys).await?;
    }
    Ok(Changed::Application(reread(batch.sql, key).await?))
}

pub(super) async fn replace_data_keys(
    batch: &mut Batch<'_>,
    key: ApplicationKey,
    (data_keys, revision): (&[Sealed], u64),
) -> Result<Changed, Refused> {
    current(batch.sql, key, revision).await?;
    check_data_keys(batch.sql, data_keys).await?;
    batch.grow_revision(key).await?;
    write_data_keys(batch.sql, key, data_keys).await?;
    Ok(Changed::Application(reread(batch.sql, key).await?))
}

pub(super) async fn delete(
    batch: &mut Batch<'_>,
    application: ApplicationKey,
) -> Result<Changed, Refused> {
    let locked = locks::application(batch.sql, application).await?;
    locked.ok_or(ChangeError::Missing)?;
    let now = batch.now.micros();
    let deleted = batch.sql.run(
        "UPDATE application SET deleted = true, updated_at = $2 WHERE id = $1",
        params![application.integer(), now],
    );
    deleted.await?;
    batch.grow_revision(application).await?;
    let destroyed = batch.sql.run(
        "DELETE FROM data_key WHERE application = $1",
        params![application.integer()],
    );
    destroyed.await?;
    let ended = batch.sql.rows(
        "UPDATE endpoint SET deleted = true, chain = NULL, proof = NULL, revision = revision + 1, updated_at = $2
         WHERE application = $1 AND NOT deleted RETURNING id",
        params![application.integer(), now],
    );
    let ended = ended.await?;
    let mut ended: Vec<EndpointKey> = ended
        .iter()
        .map(|row| key(row, 0))
        .collect::<Result<_, _>>()?;
    ended.sort_unstable();
    for endpoint in ended {
        end_deliveries_later(batch, (application, endpoint), EndReason::EndpointDeleted);
    }
    Ok(Changed::Removed)
}

/// The application, locked, if this is its revision.
async fn current(
    sql: &Sql<'_>,
    key: ApplicationKey,
    revision: u64,
) -> Result<ApplicationRow, Refused> {
    let locked = locks::application(sql, key).await?;
    if locked.ok_or(ChangeError::Missing)? != revision {
        return Err(ChangeError::Stale.into());
    }
    Ok(reread(sql, key).await?)
}

async fn check_uid(
    sql: &Sql<'_>,
    uid: Option<&Name>,
    own: Option<ApplicationKey>,
) -> Result<(), Refused> {
    let Some(uid) = uid else {
        return Ok(());
    };
    match find(sql, &ApplicationRef::Uid(uid.clone())).await? {
        Some(other) if Some(other.application.id.key()) != own => Err(ChangeError::Taken.into()),
        _ => Ok(()),
    }
}

async fn write_data_keys(
    sql: &Sql<'_>,
    key: ApplicationKey,
    data_keys: &[Sealed],
) -> Result<(), Failure> {
    let deleted = sql.run(
        "DELETE FROM data_key WHERE application = $1",
        params![key.integer()],
    );
    deleted.await?;
    insert_data_keys(sql, key, data_keys).await
}

async fn insert_data_keys(
    sql: &Sql<'_>,
    key: ApplicationKey,
    data_keys: &[Sealed],
) -> Result<(), Failure> {
    let positions: Vec<i32> = (0..).take(data_keys.len()).collect();
    let inserted = sql.run(
        "INSERT INTO data_key (application, position, sealed)
         SELECT $1, * FROM unnest($2, $3)",
        params![key.integer(), positions, columns_of(data_keys, blob)],
    );
    inserted.await.map(drop)
}

/// Refuses what another master key sealed than seals by now, and keeps that so until the commit.
async fn check_data_keys(sql: &Sql<'_>, data_keys: &[Sealed]) -> Result<(), Refused> {
    let kept = settings::keep(sql, MASTER_KEYS).await?;
    match may_write(kept.as_deref(), data_keys) {
        true => Ok(()),
        false => Err(ChangeError::Stale.into()),
    }
}

async fn reread(sql: &Sql<'_>, key: ApplicationKey) -> Result<ApplicationRow, Failure> {
    let row = by_key(sql, key).await?;
    row.ok_or_else(|| Failure::unreadable("application"))
}
