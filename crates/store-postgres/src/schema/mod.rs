//! The schema's versions. Migrations are numbered from 1 and run once each, in order; one node at a
//! time. One that was released is never changed.
//!
//! Nodes of the version before go on beside it: a migration only adds, and stands in front of
//! nobody's commits for long. The schema says which programs can work with it, so that an older one
//! joins as long as it may, and is refused when it may not any more.

mod indexes;
mod migration;
#[cfg(test)]
mod rules;

use crate::OpenError;
use crate::failure::Failure;
use migration::Migration;
use std::time::Duration;
use tokio::time::Instant;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Transaction};

const MIGRATIONS: [&str; 1] = [include_str!("../../migrations/0001_initial.sql")];

/// The newest version that this program knows.
pub(crate) const VERSION: u32 = MIGRATIONS.len() as u32;

/// What nodes lock while they change the schema: `PsRd`.
pub(crate) const SCHEMA_LOCK: i64 = 0x5073_5264;
/// What the node locks that brings the schema up to date, for as long as that takes: `PsMg`.
const MIGRATION_LOCK: i64 = 0x5073_4d67;

/// A migration waits so long for each lock, and commits behind it. Then it begins again.
const LOCK_TIMEOUT_MS: u32 = 100;
/// And each of its statements takes so long at the most, however many partitions it is about.
const STATEMENT_TIMEOUT_MS: u32 = 2_000;
/// It begins again for so long.
const PATIENCE: Duration = Duration::from_secs(60);
/// The pause before it does.
const PAUSE: Duration = Duration::from_millis(250);

/// Waits for whoever changes the schema or joins, but not for ever, and locks the others out until
/// the transaction ends.
pub(crate) fn lock_schema() -> String {
    format!("SET LOCAL lock_timeout = '5s'; SELECT pg_advisory_xact_lock({SCHEMA_LOCK});")
}

/// What a schema says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Found {
    version: u32,
    /// The oldest version that a program may know to work with it.
    works_with: u32,
}

/// Brings a database to [`VERSION`], unless it is beyond that and this program can work with it.
pub(crate) async fn migrate(client: &mut Client) -> Result<(), OpenError> {
    migrate_to(client, &[]).await
}

/// The same with migrations that come `later` than this program's own.
pub(crate) async fn migrate_to(client: &mut Client, later: &[&str]) -> Result<(), OpenError> {
    lock_migrations(client).await?;
    let migrated = run(client, later).await;
    let unlocking = client.query("SELECT pg_advisory_unlock($1)", &[&MIGRATION_LOCK]);
    unlocking.await?;
    migrated
}

/// The version that a program knows that has migrations `later` than this one's own.
pub(crate) fn known(later: &[&str]) -> u32 {
    VERSION + u32::try_from(later.len()).expect("they are few")
}

/// That a program of this version can work with the schema, which stays as it is until the
/// transaction ends: it has the lock.
pub(crate) async fn require(transaction: &Transaction<'_>, known: u32) -> Result<(), OpenError> {
    allowed(found(transaction).await?, known)
}

fn allowed(found: Found, known: u32) -> Result<(), OpenError> {
    match found.works_with > known {
        false => Ok(()),
        true => Err(OpenError::NewerSchema {
            found: found.version,
            known,
        }),
    }
}

/// By asking again and again: whoever waits within a statement keeps an index from being built.
async fn lock_migrations(client: &Client) -> Result<(), OpenError> {
    let mut told = false;
    loop {
        let asked = client.query_one("SELECT pg_try_advisory_lock($1)", &[&MIGRATION_LOCK]);
        if asked.await?.try_get(0)? {
            return Ok(());
        }
        if !told {
            tracing::info!("another node brings the schema up to date: waiting for it");
            told = true;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn run(client: &mut Client, later: &[&str]) -> Result<(), OpenError> {
    let migrations: Vec<&str> = MIGRATIONS.iter().chain(later).copied().collect();
    let known = known(later);
    let begun = Instant::now();
    loop {
        match step(client, &migrations, known).await {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(Stopped::InUse(reason)) if begun.elapsed() < PATIENCE => {
                tracing::info!(reason, "a table is in use: its migration begins again");
                tokio::time::sleep(PAUSE).await;
            }
            Err(Stopped::InUse(reason)) => return Err(OpenError::InUse(reason)),
            Err(Stopped::For(error)) => return Err(error),
        }
    }
}

/// Why a migration did not come to its end.
enum Stopped {
    /// It waited in front of others.
    InUse(String),
    For(OpenError),
}

impl From<OpenError> for Stopped {
    fn from(error: OpenError) -> Self {
        Self::For(error)
    }
}

impl From<tokio_postgres::Error> for Stopped {
    fn from(error: tokio_postgres::Error) -> Self {
        let in_use = [
            SqlState::LOCK_NOT_AVAILABLE,
            SqlState::QUERY_CANCELED,
            SqlState::T_R_DEADLOCK_DETECTED,
        ];
        match error.code().is_some_and(|code| in_use.contains(code)) {
            true => Self::InUse(Failure::from(error).to_string()),
            false => Self::For(error.into()),
        }
    }
}

/// Runs the next migration. True: there is none.
async fn step(client: &mut Client, migrations: &[&str], known: u32) -> Result<bool, Stopped> {
    let transaction = client.transaction().await?;
    transaction.batch_execute(&lock_schema()).await?;
    transaction
        .batch_execute(
            "CREATE TABLE IF NOT EXISTS schema_version
             (version integer NOT NULL, works_with integer NOT NULL)",
        )
        .await?;
    let found = found(&transaction).await?;
    allowed(found, known)?;
    let Some(text) = migrations.get(found.version as usize) else {
        transaction.commit().await?;
        return Ok(true);
    };
    let next = Found {
        version: found.version + 1,
        ..found
    };
    let migration = Migration::read(text);
    let next = Found {
        works_with: migration.works_with.unwrap_or(next.works_with),
        ..next
    };
    require_no_older(&transaction, next).await?;
    let indexes = match migration.indexes() {
        None => {
            let limits = format!(
                "SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS};
                 SET LOCAL statement_timeout = {STATEMENT_TIMEOUT_MS};"
            );
            transaction.batch_execute(&limits).await?;
            transaction.batch_execute(text).await?;
            write(&transaction, next).await?;
            transaction.commit().await?;
            return Ok(false);
        }
        Some(indexes) => indexes,
    };
    transaction.commit().await?;
    for index in indexes {
        indexes::build(client, &index).await?;
    }
    let transaction = client.transaction().await?;
    transaction.batch_execute(&lock_schema()).await?;
    write(&transaction, next).await?;
    transaction.commit().await?;
    Ok(false)
}

async fn found(transaction: &Transaction<'_>) -> Result<Found, OpenError> {
    let row = transaction
        .query_one(
            "SELECT coalesce(max(version), 0), coalesce(max(works_with), 1) FROM schema_version",
            &[],
        )
        .await?;
    let (version, works_with): (i32, i32) = (row.try_get(0)?, row.try_get(1)?);
    Ok(Found {
        version: version.unsigned_abs(),
        works_with: works_with.unsigned_abs(),
    })
}

async fn write(transaction: &Transaction<'_>, written: Found) -> Result<(), Stopped> {
    transaction
        .execute(
            "INSERT INTO schema_version (version, works_with) VALUES ($1, $2)",
            &[
                &written.version.cast_signed(),
                &written.works_with.cast_signed(),
            ],
        )
        .await?;
    Ok(())
}

/// That nobody is alive who could not go on with what comes. Nobody joins meanwhile.
async fn require_no_older(transaction: &Transaction<'_>, next: Found) -> Result<(), Stopped> {
    if next.version == 1 {
        return Ok(());
    }
    let older = transaction
        .query_opt(
            "SELECT name, version FROM node
             WHERE expires_at > clock_timestamp() AND knows < $1 LIMIT 1",
            &[&next.works_with.cast_signed()],
        )
        .await?;
    match older {
        None => Ok(()),
        Some(row) => Err(Stopped::For(OpenError::OlderNode {
            name: row.try_get(0)?,
            version: row.try_get(1)?,
            next: next.version,
        })),
    }
}
