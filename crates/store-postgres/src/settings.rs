//! Small values that the whole installation shares.

use crate::columns;
use crate::failure::Failure;
use crate::sql::{Sql, params};

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
