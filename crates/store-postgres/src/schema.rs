//! The schema's versions. Migrations are numbered from 1 and run once each, in order, each in a
//! transaction of its own; one node at a time. One that was released is never changed.

use crate::OpenError;
use tokio_postgres::Client;

const MIGRATIONS: [&str; 1] = [include_str!("../migrations/0001_initial.sql")];

/// The newest version that this program knows.
pub(crate) const VERSION: u32 = MIGRATIONS.len() as u32;

/// What nodes lock while they change the schema: `PsRd`.
pub(crate) const SCHEMA_LOCK: i64 = 0x5073_5264;

/// Waits for whoever changes the schema or joins, but not for ever, and locks the others out until
/// the transaction ends.
pub(crate) fn lock_schema() -> String {
    format!("SET LOCAL lock_timeout = '5s'; SELECT pg_advisory_xact_lock({SCHEMA_LOCK});")
}

/// Brings a database to [`VERSION`].
pub(crate) async fn migrate(client: &mut Client) -> Result<(), OpenError> {
    loop {
        let transaction = client.transaction().await?;
        transaction
            .batch_execute(&format!(
                "SELECT pg_advisory_xact_lock({SCHEMA_LOCK});
                 CREATE TABLE IF NOT EXISTS schema_version (version integer NOT NULL)"
            ))
            .await?;
        let row = transaction
            .query_one("SELECT coalesce(max(version), 0) FROM schema_version", &[])
            .await?;
        let found: i32 = row.try_get(0)?;
        let found = found.unsigned_abs();
        if found > VERSION {
            return Err(OpenError::NewerSchema {
                found,
                known: VERSION,
            });
        }
        let Some(migration) = MIGRATIONS.get(found as usize) else {
            return Ok(transaction.commit().await?);
        };
        transaction.batch_execute(migration).await?;
        transaction
            .execute(
                "INSERT INTO schema_version (version) VALUES ($1)",
                &[&(found.cast_signed() + 1)],
            )
            .await?;
        transaction.commit().await?;
    }
}
