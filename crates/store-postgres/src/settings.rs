//! Small values that the whole installation shares.

use crate::OpenError;
use crate::audit;
use crate::columns;
use crate::config::PostgresConfig;
use crate::failure::Failure;
use crate::pools::Pools;
use crate::sql::{Sql, params};
use store::audit::AuditEntry;
use store::change::SettingsChange;

/// Reads a value in a database without joining its nodes: the way of a process that has no store
/// open.
pub async fn setting(config: &PostgresConfig, name: &str) -> Result<Option<Vec<u8>>, OpenError> {
    let pools = Pools::new(config)?;
    let mut client = pools.client().await?;
    let sql = pools.begin(&mut client);
    let value = get(&sql, name).await?;
    sql.commit().await?;
    Ok(value)
}

/// Writes a value anew in the same way: only for what no node keeps in memory. False: there was
/// something else before, and nothing is written, the entry for the audit log neither.
pub async fn swap_setting(
    config: &PostgresConfig,
    name: &str,
    values: &SettingsChange,
    entry: &AuditEntry,
) -> Result<bool, OpenError> {
    let pools = Pools::new(config)?;
    let mut client = pools.client().await?;
    let sql = pools.begin(&mut client);
    let swapped = swap(&sql, name, values).await?;
    if swapped {
        audit::leave(&sql, entry).await?;
    }
    sql.commit().await?;
    Ok(swapped)
}

/// The value of this name, if it was ever set.
pub(crate) async fn get(sql: &Sql<'_>, name: &str) -> Result<Option<Vec<u8>>, Failure> {
    let row = sql.row("SELECT value FROM setting WHERE name = $1", params![name]);
    let row = row.await?;
    row.map(|row| columns::get(&row, 0)).transpose()
}

/// Sets a value, whatever there was.
pub(crate) async fn put(sql: &Sql<'_>, name: &str, value: &[u8]) -> Result<(), Failure> {
    let put = sql.run(
        "INSERT INTO setting (name, value) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET value = $2",
        params![name, value],
    );
    put.await.map(drop)
}

/// The value of this name, which stays as it is until the transaction ends.
pub(crate) async fn keep(sql: &Sql<'_>, name: &str) -> Result<Option<Vec<u8>>, Failure> {
    let row = sql.row(
        "SELECT value FROM setting WHERE name = $1 FOR SHARE",
        params![name],
    );
    row.await?.map(|row| columns::get(&row, 0)).transpose()
}

/// Sets a value if this is there before. False: it is not.
pub(crate) async fn swap(
    sql: &Sql<'_>,
    name: &str,
    values: &SettingsChange,
) -> Result<bool, Failure> {
    let Some(before) = &values.before else {
        let put = sql.run(
            "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            params![name, &values.after[..]],
        );
        return Ok(put.await? == 1);
    };
    let put = sql.run(
        "UPDATE setting SET value = $3 WHERE name = $1 AND value = $2",
        params![name, &before[..], &values.after[..]],
    );
    Ok(put.await? == 1)
}

/// Sets a value unless there is one, and gives back what is there then. Waits for another node that
/// is about to set it.
pub(crate) async fn put_if_absent(
    sql: &Sql<'_>,
    name: &str,
    value: &[u8],
) -> Result<Vec<u8>, Failure> {
    let put = sql.run(
        "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        params![name, value],
    );
    put.await?;
    let found = get(sql, name).await?;
    found.ok_or_else(|| Failure::unreadable("setting"))
}
