//! The schema's versions. Migrations are numbered from 1 and run once each, in order, each in a
//! transaction with the new `user_version`. One that was released is never changed.

use crate::OpenError;
use rusqlite::Connection;
use std::path::Path;

const MIGRATIONS: [&str; 1] = [include_str!("../migrations/0001_initial.sql")];

/// The newest version that this program knows.
pub(crate) const VERSION: u32 = MIGRATIONS.len() as u32;

/// Gives the largest key that was ever given.
pub(crate) const LAST_KEY: &str = "SELECT max((SELECT last FROM sequence),
    (SELECT coalesce(max(id), 0) FROM message),
    (SELECT coalesce(max(id), 0) FROM attempt),
    (SELECT coalesce(max(id), 0) FROM application),
    (SELECT coalesce(max(id), 0) FROM endpoint),
    (SELECT coalesce(max(id), 0) FROM task))";

/// Marks the file as Postrider's: `PsRd`.
const APPLICATION_ID: i32 = 0x5073_5264;

/// Refuses a database that is newer than this program, or not Postrider's. Gives back its version,
/// 0 for an empty one.
pub(crate) fn check(connection: &Connection, path: &Path) -> Result<u32, OpenError> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables > 0 && number("application_id")? != APPLICATION_ID {
        return Err(OpenError::Foreign {
            path: path.to_owned(),
        });
    }
    match number("user_version")?.unsigned_abs() {
        found if found > VERSION => Err(OpenError::NewerSchema {
            found,
            known: VERSION,
        }),
        found => Ok(found),
    }
}

/// Brings a database of version `found` to [`VERSION`].
pub(crate) fn migrate(connection: &Connection, found: u32) -> Result<(), OpenError> {
    for (version, migration) in (1..).zip(MIGRATIONS).skip(found as usize) {
        let transaction = connection.unchecked_transaction()?;
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}
