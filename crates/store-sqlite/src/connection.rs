//! Connections as this store opens them: pragmas, statement cache, private files.

use crate::OpenError;
use crate::config::SqliteConfig;
use crate::directory::make_private_file;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::Duration;

/// Bytes of a page: half the default's depth, and fewer bytes of log for each commit of a batch.
pub(crate) const PAGE_BYTES: u64 = 8_192;

/// More than there are statements, so that none is ever prepared twice.
const STATEMENTS_MAX: usize = 160;
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The one connection that writes, as it is before [`prepare_for_writing`]. Makes the database's
/// file if it is not there.
pub(crate) fn open_writer(path: &Path, config: &SqliteConfig) -> Result<Connection, OpenError> {
    make_private_file(path).map_err(|source| OpenError::Directory {
        path: path.to_owned(),
        source,
    })?;
    let mode = OpenFlags::SQLITE_OPEN_READ_WRITE;
    Ok(open(path, mode, config.writer_cache_kib)?)
}

/// Sets what changes the file: only for a database that is known to be Postrider's, or empty.
pub(crate) fn prepare_for_writing(connection: &Connection) -> rusqlite::Result<()> {
    // These two hold only if they come before the first table.
    connection.pragma_update(None, "page_size", PAGE_BYTES as i64)?;
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Checkpoints are the checkpoint loop's; see there.
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))
}

/// The connection that only makes checkpoints.
pub(crate) fn open_checkpointer(path: &Path) -> rusqlite::Result<Connection> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE, 64)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    Ok(connection)
}

/// A connection that can't write.
pub(crate) fn open_reader(path: &Path, cache_kib: u32) -> rusqlite::Result<Connection> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY, cache_kib)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn open(path: &Path, mode: OpenFlags, cache_kib: u32) -> rusqlite::Result<Connection> {
    // Each connection is used by one thread at a time, so SQLite needs no mutex of its own.
    let connection = Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "cache_size", -i64::from(cache_kib))?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // A clean close makes its own checkpoint; one after a failed fsync must make none.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(connection)
}
