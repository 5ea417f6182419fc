//! Changes of endpoints. Each makes the application's revision grow, so that no message is accepted
//! by what was before.

use super::Refused;
use crate::applications;
use crate::batch::Batch;
use crate::endpoints::by_key;
use crate::failure::Failure;
use crate::work;
use model::delivery::EndReason;
use model::endpoint::Endpoint;
use model::id::{ApplicationKey, DeliveryKey, EndpointKey, TaskId};
use model::name::Name;
use rusqlite::params;
use store::change::{ChangeError, Changed, KeptProof};
use store::encoding::{join, metadata_text};
use store::rows::{EndpointRow, SealedParts};
use store::work::Work;

pub(super) fn create(
    batch: &mut Batch<'_>,
    endpoint: &Endpoint,
    sealed: &SealedParts,
    endpoints_max: usize,
) -> Result<Changed, Refused> {
    let application = endpoint.application;
    applications::revision(batch.connection, application)?.ok_or(ChangeError::Missing)?;
    let live: i64 = batch
        .connection
        .prepare_cached("SELECT count(*) FROM endpoint WHERE application = ?1 AND deleted = 0")?
        .query_row([application.integer()], |row| row.get(0))?;
    if live as usize >= endpoints_max {
        return Err(ChangeError::TooMany.into());
    }
    check_uid(batch, endpoint, None)?;
    let key: EndpointKey = batch.lasting_key();
    batch
        .connection
        .prepare_cached(
            "INSERT INTO endpoint (id, tail, application, uid, url, description, disabled,
             event_types, channels, rate_limit, metadata, version, secrets, headers, protection, revision,
             created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, 1, ?16, ?16)",
        )?
        .execute(params![
            key.integer(),
            endpoint.id.tail(),
            application.integer(),
            endpoint.uid.as_ref().map(Name::as_str),
            endpoint.url,
            endpoint.description,
            endpoint.disabled,
            endpoint.event_types.as_ref().map(join),
            endpoint.channels.as_ref().map(join),
            endpoint.rate_limit.map(u16::from),
            metadata_text(&endpoint.metadata),
            endpoint.version,
            &sealed.secrets[..],
            sealed.headers.as_deref(),
            sealed.protection.as_deref(),
            batch.now.micros(),
        ])?;
    write_url(batch, key, (1, &endpoint.url))?;
    batch.grow_revision(application)?;
    Ok(Changed::Endpoint(reread(batch, key)?))
}

pub(super) fn replace(
    batch: &mut Batch<'_>,
    endpoint: &Endpoint,
    sealed: &SealedParts,
    revision: u32,
) -> Result<Changed, Refused> {
    let key = endpoint.id.key();
    let before = live(batch, endpoint.application, key)?;
    if before.revision != revision {
        return Err(ChangeError::Stale.into());
    }
    check_uid(batch, endpoint, Some(key))?;
    let failing_since = match before.endpoint.disabled && !endpoint.disabled {
        true => None,
        false => before.failing_since,
    };
    batch
        .connection
        .prepare_cached(
            "UPDATE endpoint SET uid = ?2, url = ?3, description = ?4, disabled = ?5,
             event_types = ?6, channels = ?7, rate_limit = ?8, metadata = ?9, version = ?10,
             secrets = ?11, headers = ?12, protection = ?13, failing_since = ?14, updated_at = ?15,
             revision = revision + 1 WHERE id = ?1",
        )?
        .execute(params![
            key.integer(),
            endpoint.uid.as_ref().map(Name::as_str),
            endpoint.url,
            endpoint.description,
            endpoint.disabled,
            endpoint.event_types.as_ref().map(join),
            endpoint.channels.as_ref().map(join),
            endpoint.rate_limit.map(u16::from),
            metadata_text(&endpoint.metadata),
            endpoint.version,
            &sealed.secrets[..],
            sealed.headers.as_deref(),
            sealed.protection.as_deref(),
            failing_since.map(|since| since.micros()),
            batch.now.micros(),
        ])?;
    if before.endpoint.url != endpoint.url {
        write_url(batch, key, (revision + 1, &endpoint.url))?;
    }
    batch.grow_revision(endpoint.application)?;
    if endpoint.disabled && !before.endpoint.disabled {
        let lane = (endpoint.application, key);
        end_deliveries_later(batch, lane, EndReason::EndpointDisabled)?;
    }
    Ok(Changed::Endpoint(reread(batch, key)?))
}

pub(super) fn delete(
    batch: &mut Batch<'_>,
    application: ApplicationKey,
    key: EndpointKey,
) -> Result<Changed, Refused> {
    live(batch, application, key)?;
    batch
        .connection
        .prepare_cached(
            "UPDATE endpoint SET deleted = 1, chain = NULL, proof = NULL, revision = revision + 1, updated_at = ?2
             WHERE id = ?1",
        )?
        .execute([key.integer(), batch.now.micros()])?;
    batch.grow_revision(application)?;
    end_deliveries_later(batch, (application, key), EndReason::EndpointDeleted)?;
    Ok(Changed::Removed)
}

pub(super) fn cancel(
    batch: &mut Batch<'_>,
    (application, key): (ApplicationKey, EndpointKey),
    up_to: Option<DeliveryKey>,
) -> Result<Changed, Refused> {
    live(batch, application, key)?;
    let up_to = up_to.unwrap_or_else(|| batch.key());
    batch
        .connection
        .prepare_cached(
            "UPDATE endpoint SET cancelled_up_to = max(cancelled_up_to, ?2) WHERE id = ?1",
        )?
        .execute([key.integer(), up_to.integer()])?;
    let work = Work::EndDeliveries {
        endpoint: key,
        reason: EndReason::Cancelled,
        up_to,
    };
    let id = TaskId::new(batch.lasting_key(), batch.tail());
    work::write_as(batch, id, (Some(application), &work))?;
    Ok(Changed::Work(id, batch.now))
}

pub(super) fn keep_seen(
    batch: &Batch<'_>,
    key: EndpointKey,
    chain: &[u8],
) -> Result<Changed, Refused> {
    let kept = batch
        .connection
        .prepare_cached("UPDATE endpoint SET chain = ?2 WHERE id = ?1 AND deleted = 0")?
        .execute(params![key.integer(), chain])?;
    match kept {
        0 => Err(ChangeError::Missing.into()),
        _ => Ok(Changed::Kept),
    }
}

pub(super) fn keep_proof(batch: &mut Batch<'_>, kept: &KeptProof) -> Result<Changed, Refused> {
    let KeptProof {
        application,
        endpoint: key,
        before,
        proof,
    } = kept;
    let (application, key) = (*application, *key);
    let row = live(batch, application, key)?;
    if row.endpoint.url != proof.url || row.kept_proof.as_deref() != before.as_ref() {
        return Err(ChangeError::Stale.into());
    }
    batch
        .connection
        .prepare_cached("UPDATE endpoint SET proof = ?2 WHERE id = ?1")?
        .execute(params![key.integer(), proof.to_stored()])?;
    batch.grow_revision(application)?;
    Ok(Changed::Kept)
}

/// Disables an endpoint because of an outcome. False: it was disabled or deleted before.
pub(crate) fn disable(batch: &mut Batch<'_>, key: EndpointKey) -> Result<bool, Failure> {
    let row = by_key(batch.connection, key)?;
    let Some(row) = row.filter(|row| !row.deleted && !row.endpoint.disabled) else {
        return Ok(false);
    };
    batch
        .connection
        .prepare_cached(
            "UPDATE endpoint SET disabled = 1, revision = revision + 1, updated_at = ?2
             WHERE id = ?1",
        )?
        .execute([key.integer(), batch.now.micros()])?;
    let application = row.endpoint.application;
    batch.grow_revision(application)?;
    end_deliveries_later(batch, (application, key), EndReason::EndpointDisabled)?;
    Ok(true)
}

/// Starts the background work that ends an endpoint's open deliveries: those opened so far, not
/// those that are opened when it is enabled again.
pub(super) fn end_deliveries_later(
    batch: &mut Batch<'_>,
    (application, endpoint): (ApplicationKey, EndpointKey),
    reason: EndReason,
) -> Result<(), Failure> {
    let work = Work::EndDeliveries {
        endpoint,
        reason,
        up_to: batch.key(),
    };
    let key = batch.lasting_key();
    work::write(batch, key, (application, &work))
}

fn live(
    batch: &Batch<'_>,
    application: ApplicationKey,
    key: EndpointKey,
) -> Result<EndpointRow, Refused> {
    let row = by_key(batch.connection, key)?;
    let row = row.filter(|row| !row.deleted && row.endpoint.application == application);
    row.ok_or_else(|| ChangeError::Missing.into())
}

fn check_uid(
    batch: &Batch<'_>,
    endpoint: &Endpoint,
    own: Option<EndpointKey>,
) -> Result<(), Refused> {
    let Some(uid) = &endpoint.uid else {
        return Ok(());
    };
    let mut select = batch.connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM endpoint
         WHERE application = ?1 AND uid = ?2 AND deleted = 0 AND id IS NOT ?3)",
    )?;
    let own = own.map(EndpointKey::integer);
    let params = params![endpoint.application.integer(), uid.as_str(), own];
    match select.query_row(params, |row| row.get(0))? {
        true => Err(ChangeError::Taken.into()),
        false => Ok(()),
    }
}

fn write_url(
    batch: &Batch<'_>,
    key: EndpointKey,
    (revision, url): (u32, &str),
) -> Result<(), Failure> {
    batch
        .connection
        .prepare_cached("INSERT INTO endpoint_url (endpoint, revision, url) VALUES (?1, ?2, ?3)")?
        .execute(params![key.integer(), revision, url])?;
    Ok(())
}

fn reread(batch: &Batch<'_>, key: EndpointKey) -> Result<EndpointRow, Failure> {
    by_key(batch.connection, key)?.ok_or_else(|| Failure::unreadable("endpoint"))
}
