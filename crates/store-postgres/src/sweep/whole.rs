//! Dropping partitions in which all has reached its age, on a connection of its own: one at a time,
//! each in a transaction of its own, by the one node that has the schema's lock.
//!
//! By `DROP`, which locks everybody out of the table, and not by `DETACH … CONCURRENTLY`, which
//! does not: that one waits for every transaction that is older than it, a backup of hours among
//! them, keeps the next partitions from being made all the while, and leaves half of it behind when
//! it is interrupted. A `DROP` is done or not, in the same transaction in which is made sure that
//! nothing open points into it. Whoever comes after a lock that is waited for waits as well, so it
//! is waited for only briefly; who reads for longer, as a backup does, puts it off to the next
//! sweep. Files are removed when the lock has been let go of.

use super::borders::{first_key, has_passed};
use super::clear::{Cleared, clear};
use crate::columns::get;
use crate::failure::Failure;
use crate::partitions::{Partition, Table};
use crate::schema::lock_schema;
use crate::shared::Shared;
use crate::sql::params;
use model::Timestamp;
use std::time::Duration;
use store::work::SweepLimits;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Transaction};

/// How long commits may have to wait behind a lock that is not given: for the table and for the
/// partition, each.
const LOCK_TIMEOUT_MS: u32 = 50;
/// A moment in which the table is in use is not all there is until the next sweep.
const TRIES: usize = 5;

/// Removing the files of a large partition takes its time.
const DROP_MAX: Duration = Duration::from_secs(600);

/// What became of a partition.
enum Outcome {
    Dropped,
    /// Somebody reads it, or changes the schema.
    InUse,
    /// A delivery of a message in it was opened meanwhile.
    Open,
}

/// Drops what has passed, after a round of [`super::sweep`] that ended: nothing that it could end
/// is open. Whether there is more to do at once.
pub(crate) async fn retire(
    shared: &Shared,
    limits: SweepLimits,
    now: Timestamp,
) -> Result<bool, Failure> {
    let mut passed = partitions(shared).await?;
    passed.retain(|partition| has_passed(*partition, now, limits.keep_since));
    // Messages go before their attempts: of an attempt without its message nothing is told.
    passed.sort_unstable_by_key(|partition| (order(partition.table()), partition.begin()));
    let below = first_key(limits.keep_since);
    if passed.iter().any(|one| one.table() == Table::Message) && !clear(shared, below).await? {
        return Ok(true);
    }
    if passed.is_empty() {
        return Ok(false);
    }
    let mut client = shared.pools.direct().await?;
    for partition in passed {
        let mut outcome = Outcome::InUse;
        for _ in 0..TRIES {
            let dropping = tokio::time::timeout(DROP_MAX, drop_one(&mut client, partition, below));
            outcome = dropping.await.map_err(|_| late(partition))??;
            if !matches!(outcome, Outcome::InUse) {
                break;
            }
        }
        let name = partition.name();
        match outcome {
            Outcome::Dropped => tracing::info!(name, "all in it has reached its age: dropped"),
            Outcome::InUse => {
                tracing::debug!(name, "it is in use, and is to be dropped at the next sweep");
                break;
            }
            Outcome::Open => {
                // What ends it leaves attempts.
                *shared.cleared() = Cleared::default();
                return Ok(true);
            }
        }
    }
    shared.partitions.forget();
    Ok(false)
}

fn late(partition: Partition) -> Failure {
    Failure::Unavailable(format!("{} is still being dropped", partition.name()))
}

/// Those that are there.
async fn partitions(shared: &Shared) -> Result<Vec<Partition>, Failure> {
    let mut client = shared.pools.client().await?;
    let sql = shared.pools.snapshot(&mut client);
    let tables: Vec<String> = Table::ALL.iter().map(|one| one.name().to_owned()).collect();
    let rows = sql.rows(
        "SELECT c.relname::text FROM unnest($1) AS g (t) CROSS JOIN LATERAL
         (SELECT inhrelid FROM pg_inherits WHERE inhparent = to_regclass(g.t)) i
         JOIN pg_class c ON c.oid = i.inhrelid",
        params![tables],
    );
    let rows = rows.await?;
    sql.commit().await?;
    let names = rows.iter().map(|row| get::<&str>(row, 0));
    let named = names.filter_map(|name| name.map(Partition::named).transpose());
    named.collect()
}

fn order(table: Table) -> u8 {
    match table {
        Table::Idempotency => 0,
        Table::Payload => 1,
        Table::Message => 2,
        Table::Attempt => 3,
        Table::Excerpt => 4,
    }
}

async fn drop_one(
    client: &mut Client,
    partition: Partition,
    below: i64,
) -> Result<Outcome, Failure> {
    let transaction = client.transaction().await?;
    let statements = format!(
        "{} SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}; DROP TABLE IF EXISTS {}",
        lock_schema(),
        partition.name()
    );
    match transaction.batch_execute(&statements).await {
        Err(error) if is_in_use(&error) => return Ok(Outcome::InUse),
        dropped => dropped?,
    }
    // Whoever read a message of it has ended by now, and what it opened is seen here.
    if partition.table() == Table::Message && has_open(&transaction, below).await? {
        transaction.rollback().await?;
        return Ok(Outcome::Open);
    }
    transaction.commit().await?;
    Ok(Outcome::Dropped)
}

async fn has_open(transaction: &Transaction<'_>, below: i64) -> Result<bool, Failure> {
    let row = transaction
        .query_one(
            "SELECT EXISTS (SELECT FROM delivery WHERE message < $1)",
            &[&below],
        )
        .await?;
    Ok(row.try_get(0)?)
}

fn is_in_use(error: &tokio_postgres::Error) -> bool {
    let in_use = [
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::T_R_DEADLOCK_DETECTED,
    ];
    error.code().is_some_and(|code| in_use.contains(code))
}
