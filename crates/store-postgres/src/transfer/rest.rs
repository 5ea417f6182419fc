//! What keeps a database at rest while a transfer reads or fills it: a lock for the time of its
//! session, and nodes that look for it, and for an unfinished copy, when they join.

use crate::OpenError;
use crate::failure::Failure;
use crate::node::end_expired;
use crate::schema;
use store::transfer::{MARKER, TransferError};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Transaction};

/// What a transfer locks, and nodes share while they join: `PsTr`.
const TRANSFER_LOCK: i64 = 0x5073_5472;

/// A node joins: neither while a transfer is under way, nor where one was not finished. None begins
/// before the transaction has ended.
pub(crate) async fn refuse_unfinished(transaction: &Transaction<'_>) -> Result<(), OpenError> {
    let row = transaction
        .query_one(
            "SELECT pg_try_advisory_xact_lock_shared($1)",
            &[&TRANSFER_LOCK],
        )
        .await?;
    if !row.try_get::<_, bool>(0)? {
        return Err(OpenError::Transferring);
    }
    let row = transaction
        .query_opt("SELECT FROM setting WHERE name = $1", &[&MARKER])
        .await?;
    match row {
        Some(_) => Err(OpenError::Unfinished),
        None => Ok(()),
    }
}

/// Waits for nodes that join at the moment, but for no other transfer.
pub(super) async fn lock(client: &Client, place: &str) -> Result<(), TransferError> {
    let locked = client
        .batch_execute(&format!(
            "SET lock_timeout = '5s'; SELECT pg_advisory_lock({TRANSFER_LOCK}); RESET lock_timeout"
        ))
        .await;
    locked.map_err(|error| match error.code() {
        Some(&SqlState::LOCK_NOT_AVAILABLE) => TransferError::Busy(place.to_owned()),
        _ => failed(error.into()),
    })
}

/// The schema's version; 0 where there is none.
pub(super) async fn schema_version(client: &Client) -> Result<u32, Failure> {
    let row = client
        .query_one("SELECT to_regclass('schema_version') IS NOT NULL", &[])
        .await?;
    if !row.try_get::<_, bool>(0)? {
        return Ok(0);
    }
    let row = client
        .query_one("SELECT coalesce(max(version), 0) FROM schema_version", &[])
        .await?;
    Ok(row.try_get::<_, i32>(0)?.unsigned_abs())
}

pub(super) fn require_known(found: u32, place: &str) -> Result<(), TransferError> {
    let known = schema::VERSION;
    match found.cmp(&known) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Less => Err(TransferError::OlderSchema {
            place: place.to_owned(),
            found,
            known,
        }),
        std::cmp::Ordering::Greater => Err(TransferError::store(OpenError::NewerSchema {
            found,
            known,
        })),
    }
}

/// No node is alive; of those that were killed, none can commit any more.
pub(super) async fn require_rest(client: &mut Client, place: &str) -> Result<(), TransferError> {
    end_expired(client).await.map_err(failed)?;
    let row = client
        .query_one(
            "SELECT count(*) FROM node WHERE expires_at > '-infinity'",
            &[],
        )
        .await;
    let alive = row.and_then(|row| row.try_get::<_, i64>(0));
    match alive.map_err(|error| failed(error.into()))? {
        0 => Ok(()),
        nodes => Err(TransferError::Alive {
            place: place.to_owned(),
            nodes,
        }),
    }
}

fn failed(failure: Failure) -> TransferError {
    TransferError::store(OpenError::from(failure))
}
