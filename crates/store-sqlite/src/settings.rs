//! Small values that the whole installation shares.

use crate::OpenError;
use crate::audit;
use crate::connection::open_beside;
use crate::directory::database_in;
use crate::failure::Failure;
use crate::schema;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use std::path::Path;
use store::audit::AuditEntry;
use store::change::SettingsChange;

/// Reads a value in the store of `data_dir`: the way of a process that has no store open. A server
/// may be at work there.
pub fn setting(data_dir: &Path, name: &str) -> Result<Option<Vec<u8>>, OpenError> {
    Ok(get(&beside(data_dir)?, name)?)
}

/// Writes a value anew in the store of `data_dir`, in the same way: only for what no server keeps
/// in memory. False: there was something else before,
/// and nothing is written, the entry for the audit log neither.
pub fn swap_setting(
    data_dir: &Path,
    name: &str,
    values: &SettingsChange,
    entry: &AuditEntry,
) -> Result<bool, OpenError> {
    let mut connection = beside(data_dir)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let swapped = swap(&transaction, name, values)?;
    if swapped {
        audit::leave(&transaction, entry)?;
    }
    transaction.commit()?;
    Ok(swapped)
}

/// A connection to the store of `data_dir` beside the server that may be at work there.
pub(crate) fn beside(data_dir: &Path) -> Result<Connection, OpenError> {
    let database = database_in(data_dir);
    if !database.is_file() {
        return Err(OpenError::NoStore(data_dir.to_owned()));
    }
    let connection = open_beside(&database)?;
    match schema::check(&connection, &database)? {
        0 => Err(OpenError::NoStore(data_dir.to_owned())),
        schema::VERSION => Ok(connection),
        _ => Err(OpenError::OlderSchema(data_dir.to_owned())),
    }
}

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

/// Sets a value if this is there before. False: it is not.
pub(crate) fn swap(
    connection: &Connection,
    name: &str,
    values: &SettingsChange,
) -> Result<bool, Failure> {
    let as_before = get(connection, name)? == values.before;
    if as_before {
        put(connection, name, &values.after)?;
    }
    Ok(as_before)
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
