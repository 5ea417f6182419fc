//! Small values that the whole installation shares.

use crate::failure::Failure;
use rusqlite::{Connection, OptionalExtension, params};

/// The value of this name, if it was ever set.
pub(crate) fn get(connection: &Connection, name: &str) -> Result<Option<Vec<u8>>, Failure> {
    let mut select = connection.prepare_cached("SELECT value FROM setting WHERE name = ?1")?;
    Ok(select.query_row([name], |row| row.get(0)).optional()?)
}

/// Sets a value, whatever there was.
pub(crate) fn put(connection: &Connection, name: &str, value: &[u8]) -> Result<(), Failure> {
    connection
        .prepare_cached(
            "INSERT INTO setting (name, value) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET value = ?2",
        )?
        .execute(params![name, value])?;
    Ok(())
}

/// Sets a value unless there is one, and gives back what is there then.
pub(crate) fn put_if_absent(
    connection: &Connection,
    name: &str,
    value: &[u8],
) -> Result<Vec<u8>, Failure> {
    connection
        .prepare_cached("INSERT OR IGNORE INTO setting (name, value) VALUES (?1, ?2)")?
        .execute(params![name, value])?;
    get(connection, name)?.ok_or_else(|| Failure::unreadable("setting"))
}
