//! Changes of endpoints. Each makes the application's revision grow, so that no message is accepted
//! by what was before.

use super::Refused;
use crate::batch::Batch;
use crate::columns::{get, key};
use crate::endpoints::by_key;
use crate::failure::Failure;
use crate::sql::{Sql, blob, params};
use crate::{locks, work};
use model::delivery::EndReason;
use model::endpoint::Endpoint;
use model::id::{ApplicationKey, DeliveryKey, EndpointKey, TaskId};
use model::name::Name;
use store::change::{ChangeError, Changed, KeptProof};
use store::encoding::{join, metadata_text};
use store::rows::{EndpointRow, SealedParts};
use store::work::Work;

pub(super) async fn create(
    batch: &mut Batch<'_>,
    endpoint: &Endpoint,
    sealed: &SealedParts,
    endpoints_max: usize,
) -> Result<Changed, Refused> {
    let application = endpoint.application;
    let locked = locks::application(batch.sql, application).await?;
    locked.ok_or(ChangeError::Missing)?;
    if count_live(batch.sql, application).await? >= endpoints_max {
        return Err(ChangeError::TooMany.into());
    }
    check_uid(batch.sql, endpoint, None).await?;
    let key: EndpointKey = batch.key();
    let tail = endpoint.id.tail();
    let created = batch.sql.run(
        "INSERT INTO endpoint (id, tail, application, uid, url, description, disabled,
         event_types, channels, rate_limit, metadata, version, secrets, headers, protection, revision,
         created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 1, $16, $16)",
        params![
            key.integer(),
            &tail[..],
            application.integer(),
            endpoint.uid.as_ref().map(Name::as_str),
            endpoint.url.as_str(),
            endpoint.description.as_str(),
            endpoint.disabled,
            endpoint.event_types.as_ref().map(join),
            endpoint.channels.as_ref().map(join),
            endpoint.rate_limit.map(|rate| i32::from(rate.get())),
            metadata_text(&endpoint.metadata),
            i64::from(endpoint.version),
            blob(&sealed.secrets),
            sealed.headers.as_ref().map(blob),
            sealed.protection.as_ref().map(blob),
            batch.now.micros(),
        ],
    );
    created.await?;
    write_url(batch.sql, key, (1, &endpoint.url)).await?;
    batch.grow_revision(application).await?;
    Ok(Changed::Endpoint(reread(batch.sql, key).await?))
}

pub(super) async fn replace(
    batch: &mut Batch<'_>,
    endpoint: &Endpoint,
    sealed: &SealedParts,
    revision: u32,
) -> Result<Changed, Refused> {
    let key = endpoint.id.key();
    let before = live(batch.sql, endpoint.application, key).await?;
    if before.revision != revision {
        return Err(ChangeError::Stale.into());
    }
    check_uid(batch.sql, endpoint, Some(key)).await?;
    update(batch, endpoint, sealed, &before).await?;
    if before.endpoint.url != endpoint.url {
        write_url(batch.sql, key, (revision + 1, &endpoint.url)).await?;
    }
    batch.grow_revision(endpoint.application).await?;
    if endpoint.disabled && !before.endpoint.disabled {
        let lane = (endpoint.application, key);
        end_deliveries_later(batch, lane, EndReason::EndpointDisabled);
    }
    Ok(Changed::Endpoint(reread(batch.sql, key).await?))
}

async fn update(
    batch: &Batch<'_>,
    endpoint: &Endpoint,
    sealed: &SealedParts,
    before: &EndpointRow,
) -> Result<(), Failure> {
    let failing_since = match before.endpoint.disabled && !endpoint.disabled {
        true => None,
        false => before.failing_since,
    };
    let updated = batch.sql.run(
        "UPDATE endpoint SET uid = $2, url = $3, description = $4, disabled = $5,
         event_types = $6, channels = $7, rate_limit = $8, metadata = $9, version = $10,
         secrets = $11, headers = $12, protection = $13, failing_since = $14, updated_at = $15,
         revision = revision + 1 WHERE id = $1",
        params![
            endpoint.id.key().integer(),
            endpoint.uid.as_ref().map(Name::as_str),
            endpoint.url.as_str(),
            endpoint.description.as_str(),
            endpoint.disabled,
            endpoint.event_types.as_ref().map(join),
            endpoint.channels.as_ref().map(join),
            endpoint.rate_limit.map(|rate| i32::from(rate.get())),
            metadata_text(&endpoint.metadata),
            i64::from(endpoint.version),
            blob(&sealed.secrets),
            sealed.headers.as_ref().map(blob),
            sealed.protection.as_ref().map(blob),
            failing_since.map(|since| since.micros()),
            batch.now.micros(),
        ],
    );
    updated.await.map(drop)
}

pub(super) async fn delete(
    batch: &mut Batch<'_>,
    application: ApplicationKey,
    key: EndpointKey,
) -> Result<Changed, Refused> {
    live(batch.sql, application, key).await?;
    let deleted = batch.sql.run(
        "UPDATE endpoint SET deleted = true, chain = NULL, proof = NULL, revision = revision + 1, updated_at = $2
         WHERE id = $1",
        params![key.integer(), batch.now.micros()],
    );
    deleted.await?;
    batch.grow_revision(application).await?;
    end_deliveries_later(batch, (application, key), EndReason::EndpointDeleted);
    Ok(Changed::Removed)
}

pub(super) async fn cancel(
    batch: &mut Batch<'_>,
    (application, key): (ApplicationKey, EndpointKey),
    up_to: Option<DeliveryKey>,
) -> Result<Changed, Refused> {
    live(batch.sql, application, key).await?;
    let up_to = up_to.unwrap_or_else(|| batch.key());
    let marked = batch.sql.run(
        "UPDATE endpoint SET cancelled_up_to = greatest(cancelled_up_to, $2) WHERE id = $1",
        params![key.integer(), up_to.integer()],
    );
    marked.await?;
    let work = Work::EndDeliveries {
        endpoint: key,
        reason: EndReason::Cancelled,
        up_to,
    };
    let id = TaskId::new(batch.key(), batch.tail());
    work::write_as(batch, id, (Some(application), &work));
    Ok(Changed::Work(id, batch.now))
}

pub(super) async fn keep_seen(
    batch: &Batch<'_>,
    key: EndpointKey,
    chain: &[u8],
) -> Result<Changed, Refused> {
    let kept = batch.sql.run(
        "UPDATE endpoint SET chain = $2 WHERE id = $1 AND NOT deleted",
        params![key.integer(), chain],
    );
    match kept.await? {
        0 => Err(ChangeError::Missing.into()),
        _ => Ok(Changed::Kept),
    }
}

pub(super) async fn keep_proof(
    batch: &mut Batch<'_>,
    kept: &KeptProof,
) -> Result<Changed, Refused> {
    let KeptProof {
        application,
        endpoint: key,
        before,
        proof,
    } = kept;
    let (application, key) = (*application, *key);
    let row = live(batch.sql, application, key).await?;
    if row.endpoint.url != proof.url || row.kept_proof.as_deref() != before.as_ref() {
        return Err(ChangeError::Stale.into());
    }
    let kept = batch.sql.run(
        "UPDATE endpoint SET proof = $2 WHERE id = $1",
        params![key.integer(), proof.to_stored()],
    );
    kept.await?;
    batch.grow_revision(application).await?;
    Ok(Changed::Kept)
}

/// Disables an endpoint because of an outcome. False: it was disabled or deleted before.
pub(crate) async fn disable(batch: &mut Batch<'_>, endpoint: EndpointKey) -> Result<bool, Failure> {
    let found = batch.sql.row(
        "SELECT application FROM endpoint WHERE id = $1 AND NOT deleted AND NOT disabled",
        params![endpoint.integer()],
    );
    let Some(found) = found.await? else {
        return Ok(false);
    };
    let application = key(&found, 0)?;
    if locks::application(batch.sql, application).await?.is_none() {
        return Ok(false);
    }
    let disabled = batch.sql.run(
        "UPDATE endpoint SET disabled = true, revision = revision + 1, updated_at = $2
         WHERE id = $1 AND NOT deleted AND NOT disabled",
        params![endpoint.integer(), batch.now.micros()],
    );
    if disabled.await? == 0 {
        return Ok(false);
    }
    batch.grow_revision(application).await?;
    end_deliveries_later(batch, (application, endpoint), EndReason::EndpointDisabled);
    Ok(true)
}

/// Starts the background work that ends an endpoint's open deliveries: those opened so far, not
/// those that are opened when it is enabled again.
pub(super) fn end_deliveries_later(
    batch: &mut Batch<'_>,
    (application, endpoint): (ApplicationKey, EndpointKey),
    reason: EndReason,
) {
    let work = Work::EndDeliveries {
        endpoint,
        reason,
        up_to: batch.key(),
    };
    let key = batch.key();
    work::write(batch, key, (application, &work));
}

/// The live endpoint, locked with its application.
async fn live(
    sql: &Sql<'_>,
    application: ApplicationKey,
    key: EndpointKey,
) -> Result<EndpointRow, Refused> {
    let locked = locks::application(sql, application).await?;
    locked.ok_or(ChangeError::Missing)?;
    locks::endpoint(sql, key).await?;
    let row = by_key(sql, key).await?;
    let row = row.filter(|row| !row.deleted && row.endpoint.application == application);
    row.ok_or_else(|| ChangeError::Missing.into())
}

async fn count_live(sql: &Sql<'_>, application: ApplicationKey) -> Result<usize, Failure> {
    let counted = sql.row(
        "SELECT count(*) FROM endpoint WHERE application = $1 AND NOT deleted",
        params![application.integer()],
    );
    let counted = counted.await?;
    let count: i64 = counted.map_or(Ok(0), |row| get(&row, 0))?;
    Ok(usize::try_from(count).unwrap_or_default())
}

async fn check_uid(
    sql: &Sql<'_>,
    endpoint: &Endpoint,
    own: Option<EndpointKey>,
) -> Result<(), Refused> {
    let Some(uid) = &endpoint.uid else {
        return Ok(());
    };
    let taken = sql.run(
        "SELECT 1 FROM endpoint
         WHERE application = $1 AND uid = $2 AND NOT deleted AND id IS DISTINCT FROM $3",
        params![
            endpoint.application.integer(),
            uid.as_str(),
            own.map(EndpointKey::integer)
        ],
    );
    match taken.await? {
        0 => Ok(()),
        _ => Err(ChangeError::Taken.into()),
    }
}

async fn write_url(
    sql: &Sql<'_>,
    key: EndpointKey,
    (revision, url): (u32, &str),
) -> Result<(), Failure> {
    let written = sql.run(
        "INSERT INTO endpoint_url (endpoint, revision, url) VALUES ($1, $2, $3)",
        params![key.integer(), i64::from(revision), url],
    );
    written.await.map(drop)
}

async fn reread(sql: &Sql<'_>, key: EndpointKey) -> Result<EndpointRow, Failure> {
    let row = by_key(sql, key).await?;
    row.ok_or_else(|| Failure::unreadable("endpoint"))
}
