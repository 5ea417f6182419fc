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
    // What is deleted is written over with zeros, where that needs no more pages to be written.
    connection.pragma_update_and_check(None, "secure_delete", "FAST", |_| Ok(()))?;
    // Checkpoints are the checkpoint loop's; see there.
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))
}

/// Refuses a database that was not brought to what a commit's promise rests on. SQLite leaves a
/// journal mode as it is, without an error, where the file system has no shared memory for a log.
pub(crate) fn require_durability(connection: &Connection) -> Result<(), OpenError> {
    let journal: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    let synchronous: i64 = connection.pragma_query_value(None, "synchronous", |row| row.get(0))?;
    match (journal.as_str(), synchronous) {
        ("wal", 2) => Ok(()),
        _ => Err(OpenError::Database(format!(
            "its file system allows no write-ahead log that is synced (journal mode {journal}, \
             synchronous {synchronous}): name a data directory on a local disk"
        ))),
    }
}

/// The connection that only makes checkpoints.
pub(crate) fn open_checkpointer(path: &Path) -> rusqlite::Result<Connection> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE, 64)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    Ok(connection)
}

/// A connection of another process than the one that has the data directory, for one small commit
/// beside its writer: each waits for the other.
pub(crate) fn open_beside(path: &Path) -> Result<Connection, OpenError> {
    let connection = open_checkpointer(path)?;
    require_durability(&connection)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_connection_that_writes_syncs_and_leaves_checkpoints_to_the_loop() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("postrider.db");
        let writer = open_writer(&path, &SqliteConfig::default()).unwrap();
        prepare_for_writing(&writer).unwrap();
        require_durability(&writer).unwrap();
        writer.execute_batch("CREATE TABLE t (c)").unwrap();
        let number = |connection: &Connection, name| {
            let value = connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
            value.unwrap()
        };
        for connection in [&writer, &open_checkpointer(&path).unwrap()] {
            assert_eq!(number(connection, "synchronous"), 2);
            assert_eq!(number(connection, "wal_autocheckpoint"), 0);
            assert_eq!(number(connection, "page_size"), PAGE_BYTES as i64);
            assert_eq!(number(connection, "auto_vacuum"), 2);
        }
        assert_eq!(number(&writer, "secure_delete"), 2);
        let reader = open_reader(&path, 64).unwrap();
        assert!(reader.execute_batch("INSERT INTO t VALUES (1)").is_err());
    }

    /// A database in memory has no log, as one on a file system without shared memory.
    #[test]
    fn a_database_without_a_log_is_refused() {
        let connection = Connection::open_in_memory().unwrap();
        prepare_for_writing(&connection).unwrap();
        let refused = require_durability(&connection).unwrap_err();
        assert!(refused.to_string().contains("local disk"), "{refused}");
    }

    #[test]
    fn a_log_that_is_not_synced_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("postrider.db");
        let connection = open_writer(&path, &SqliteConfig::default()).unwrap();
        prepare_for_writing(&connection).unwrap();
        connection
            .pragma_update(None, "synchronous", "NORMAL")
            .unwrap();
        assert!(require_durability(&connection).is_err());
    }

    /// `.cargo/config.toml` says how; SQLite does not tell of the other flag there.
    #[test]
    fn sqlite_is_built_as_this_workspace_says() {
        let connection = Connection::open_in_memory().unwrap();
        let mut options = connection.prepare("PRAGMA compile_options").unwrap();
        let options = options.query_map([], |row| row.get::<_, String>(0));
        let options: Vec<_> = options.unwrap().map(Result::unwrap).collect();
        assert!(
            options.iter().any(|option| option == "DEFAULT_MEMSTATUS=0"),
            "{options:?}"
        );
    }
}
