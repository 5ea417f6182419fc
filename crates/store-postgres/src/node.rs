//! This node among the others: its slot, its epoch, its lease, all in the database's own time.
//!
//! An epoch is new with every start and names the owner of deliveries. When a lease has ended, any
//! node ends its epoch: what it held is nobody's, and no commit that names it succeeds any more.

use crate::OpenError;
use crate::config::PostgresConfig;
use crate::failure::Failure;
use crate::schema::SCHEMA_LOCK;
use model::Timestamp;
use model::id::KeySequence;
use std::time::Duration;
use tokio_postgres::{Client, Transaction};

/// How long a lease lasts from when it was last renewed.
pub(crate) const LEASE: Duration = Duration::from_secs(15);
/// How often it is renewed where no commit does it.
pub(crate) const RENEWAL: Duration = Duration::from_secs(3);
/// A clock set back by more than this is refused: keys would run ahead of time for too long.
const CLOCK_BEHIND_MAX: Duration = Duration::from_secs(60);
const SLOT_MAX: i32 = 1_023;

/// A lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Membership {
    pub(crate) slot: u16,
    pub(crate) epoch: i64,
}

/// Joins the others: ends what has ended, and takes a free slot.
pub(crate) async fn join(
    client: &mut Client,
    config: &PostgresConfig,
    now: Timestamp,
) -> Result<(Membership, KeySequence), OpenError> {
    end_expired(client).await?;
    let transaction = client.transaction().await?;
    let lock = format!("SELECT pg_advisory_xact_lock({SCHEMA_LOCK})");
    transaction.batch_execute(&lock).await?;
    let (slot, last_key) = free_slot(&transaction).await?;
    if slot > SLOT_MAX {
        return Err(OpenError::NoSlot);
    }
    let row = transaction
        .query_one(
            "INSERT INTO node
             (slot, epoch, expires_at, started_at, name, version, last_key, floor, batch)
             VALUES ($1, nextval('node_epoch'), clock_timestamp() + make_interval(secs => $2),
                     clock_timestamp(), $3, $4, $5, 0, 0)
             ON CONFLICT (slot) DO UPDATE
             SET epoch = excluded.epoch, expires_at = excluded.expires_at,
                 started_at = excluded.started_at, name = excluded.name,
                 version = excluded.version, batch = 0
             RETURNING epoch",
            &[
                &slot,
                &LEASE.as_secs_f64(),
                &config.name,
                &config.version,
                &last_key,
            ],
        )
        .await?;
    let epoch = row.try_get(0)?;
    let slot = u16::try_from(slot).expect("the table keeps slots small");
    let keys = KeySequence::after(slot, last_key);
    let behind = keys.ahead_of(now);
    if behind > CLOCK_BEHIND_MAX {
        return Err(OpenError::ClockBehind { behind });
    }
    transaction.commit().await?;
    Ok((Membership { slot, epoch }, keys))
}

/// A slot whose node is gone, and the last key that it gave; else a new one.
async fn free_slot(transaction: &Transaction<'_>) -> Result<(i32, i64), OpenError> {
    let free = transaction
        .query_opt(
            "SELECT slot, last_key FROM node WHERE expires_at = '-infinity'
             ORDER BY slot LIMIT 1",
            &[],
        )
        .await?;
    if let Some(row) = free {
        return Ok((row.try_get(0)?, row.try_get(1)?));
    }
    let row = transaction
        .query_one("SELECT coalesce(max(slot), 0) + 1 FROM node", &[])
        .await?;
    Ok((row.try_get(0)?, 0))
}

/// Ends the epochs of nodes whose leases have ended. How many that were.
pub(crate) async fn end_expired(client: &mut Client) -> Result<usize, Failure> {
    let transaction = client.transaction().await?;
    let rows = transaction
        .query(
            "SELECT epoch FROM node
             WHERE expires_at <= clock_timestamp() AND expires_at > '-infinity'
             FOR UPDATE SKIP LOCKED",
            &[],
        )
        .await?;
    let epochs: Vec<i64> = rows
        .iter()
        .map(|row| row.try_get(0))
        .collect::<Result<_, _>>()?;
    end_epochs(&transaction, &epochs).await?;
    transaction.commit().await?;
    Ok(epochs.len())
}

/// Gives a lease back: what this node held is nobody's at once.
pub(crate) async fn leave(client: &mut Client, membership: Membership) -> Result<(), Failure> {
    let transaction = client.transaction().await?;
    let rows = transaction
        .query(
            "SELECT epoch FROM node WHERE slot = $1 AND epoch = $2 FOR UPDATE",
            &[&i32::from(membership.slot), &membership.epoch],
        )
        .await?;
    if !rows.is_empty() {
        end_epochs(&transaction, &[membership.epoch]).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// The rows of their nodes are locked: nothing that names them is being committed.
async fn end_epochs(transaction: &Transaction<'_>, epochs: &[i64]) -> Result<(), Failure> {
    if epochs.is_empty() {
        return Ok(());
    }
    transaction
        .execute(
            "UPDATE delivery SET owner = 0 WHERE owner = ANY($1)",
            &[&epochs],
        )
        .await?;
    transaction
        .execute(
            "UPDATE node SET expires_at = '-infinity', epoch = nextval('node_epoch')
             WHERE epoch = ANY($1)",
            &[&epochs],
        )
        .await?;
    Ok(())
}
