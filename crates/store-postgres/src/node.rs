//! This node among the others: its slot, its epoch, its lease, all in the database's own time.
//!
//! An epoch is new with every start and names the owner of deliveries. When a lease has ended, any
//! node ends its epoch: what it held is nobody's, and no commit that names it succeeds any more.

use crate::OpenError;
use crate::config::PostgresConfig;
use crate::failure::Failure;
use crate::schema::{self, lock_schema};
use model::Timestamp;
use model::id::{Key, KeySequence};
use std::time::Duration;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Transaction};

/// How long a lease lasts from when it was last renewed.
pub(crate) const LEASE: Duration = Duration::from_secs(15);
/// How often it is renewed where no commit does it.
pub(crate) const RENEWAL: Duration = Duration::from_secs(3);
/// A clock set back by more than this is refused: keys would run ahead of time for too long.
const CLOCK_BEHIND_MAX: Duration = Duration::from_secs(60);
const SLOT_MAX: i32 = 1_023;
/// Keys tell times that are so far apart.
const STEP: Duration = Duration::from_millis(4);

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
    (now, passed): (Timestamp, i64),
) -> Result<(Membership, KeySequence), OpenError> {
    end_expired(client).await?;
    let transaction = client.transaction().await?;
    transaction.batch_execute(&lock_schema()).await?;
    // It may have become another since this node started.
    let known = schema::known(config.later_migrations);
    schema::require(&transaction, known).await?;
    crate::transfer::refuse_unfinished(&transaction).await?;
    let (slot, last_key) = free_slot(&transaction, now).await?;
    if slot > SLOT_MAX {
        return Err(OpenError::NoSlot);
    }
    let mut keys = KeySequence::after(u16::try_from(slot).expect("it was checked"), last_key);
    let behind = keys.ahead_of(now);
    if behind > CLOCK_BEHIND_MAX {
        return Err(OpenError::ClockBehind { behind });
    }
    let floor = begin_behind_others(&transaction, &mut keys, (now, passed)).await?;
    let row = transaction
        .query_one(
            "INSERT INTO node
             (slot, epoch, expires_at, started_at, name, version, roles, last_key, floor, batch,
              knows)
             VALUES ($1, nextval('node_epoch'), clock_timestamp() + make_interval(secs => $2),
                     clock_timestamp(), $3, $4, $5, $6, $7, 0, $8)
             ON CONFLICT (slot) DO UPDATE
             SET epoch = excluded.epoch, expires_at = excluded.expires_at,
                 started_at = excluded.started_at, name = excluded.name,
                 version = excluded.version, roles = excluded.roles,
                 floor = excluded.floor, batch = 0, knows = excluded.knows,
                 swept_at = NULL, master_keys = ''
             RETURNING epoch",
            &[
                &slot,
                &LEASE.as_secs_f64(),
                &config.name,
                &config.version,
                &config.roles.to_string(),
                &last_key,
                &floor,
                &known.cast_signed(),
            ],
        )
        .await?;
    let epoch = row.try_get(0)?;
    let slot = u16::try_from(slot).expect("the table keeps slots small");
    transaction.commit().await?;
    Ok((Membership { slot, epoch }, keys))
}

/// Moves on to where no list that was read forwards has been, whatever this node's clock says: to
/// where the others are by now, and what this node itself has `passed` under another lease. Gives
/// the floor from there.
async fn begin_behind_others(
    transaction: &Transaction<'_>,
    keys: &mut KeySequence,
    (now, passed): (Timestamp, i64),
) -> Result<i64, OpenError> {
    let rows = transaction
        .query(
            "SELECT floor, CASE WHEN expires_at > '-infinity' THEN
                 least(extract(epoch FROM clock_timestamp() - expires_at)::float8, 0) + $1 END
             FROM node",
            &[&LEASE.as_secs_f64()],
        )
        .await?;
    // A clock that is further ahead than this is wrong, and not followed.
    let followed = Key::<()>::first_at(now.plus(CLOCK_BEHIND_MAX / 2)).integer();
    let mut border = passed;
    for row in rows {
        let (floor, since_renewed): (i64, Option<f64>) = (row.try_get(0)?, row.try_get(1)?);
        let others = match since_renewed {
            None => floor,
            Some(seconds) => {
                let gone_by = Duration::from_secs_f64(seconds.max(0.0)) + STEP;
                let its_clock = Key::<()>::from_integer(floor).time().plus(gone_by);
                Key::<()>::first_at(its_clock).integer()
            }
        };
        if others <= followed {
            border = border.max(others);
        }
    }
    let time = Key::<()>::from_integer(border).time();
    let floor = keys.floor(time.max(now));
    Ok(match floor < border {
        true => keys.floor(time.plus(STEP)),
        false => floor,
    })
}

/// A slot whose node is gone, and the last key that it gave; else a new one. Where a node that is
/// there says that it was not this node's clock that was set back, a slot whose keys are ahead is
/// left alone: the clock of who had that was wrong.
async fn free_slot(transaction: &Transaction<'_>, now: Timestamp) -> Result<(i32, i64), OpenError> {
    let latest = Key::<()>::first_at(now.plus(CLOCK_BEHIND_MAX)).integer();
    let free = transaction
        .query_opt(
            "SELECT slot, last_key FROM node WHERE expires_at = '-infinity'
             AND (last_key <= $1 OR NOT EXISTS (
                 SELECT FROM node WHERE expires_at > '-infinity' AND floor <= $1))
             ORDER BY last_key > $1, slot LIMIT 1",
            &[&latest],
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
    // Without a name: this may go through a pooler, where one would stay behind in a session that
    // is another's by then.
    let rows = transaction
        .query_typed(
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
    for statement in [
        "UPDATE delivery SET owner = 0 WHERE owner = ANY($1)",
        "DELETE FROM lane WHERE epoch = ANY($1)",
        "UPDATE node SET expires_at = '-infinity', epoch = nextval('node_epoch')
         WHERE epoch = ANY($1)",
    ] {
        transaction
            .query_typed(statement, &[(&epochs, Type::INT8_ARRAY)])
            .await?;
    }
    Ok(())
}
