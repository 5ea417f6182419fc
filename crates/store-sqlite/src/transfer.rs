//! A data directory at rest, as one side of a transfer: see [`store::transfer`].
//!
//! It is locked as a server locks it. A target is a database from its first chunk on, but holds a
//! mark until it is whole, for which no server opens it.

mod rows;

use crate::OpenError;
use crate::config::SqliteConfig;
use crate::connection::{open_reader, open_writer, prepare_for_writing, require_durability};
use crate::directory::{DataDirectory, database_in};
use crate::failure::Failure;
use crate::{schema, settings};
use async_trait::async_trait;
use model::id::Key;
use rusqlite::Connection;
use std::path::Path;
use std::time::Duration;
use store::transfer::{
    Chunk, Cursor, Found, Keys, MARKER, Row, Source, State, TABLES, Table, Target, TransferError,
};

/// Page cache of a connection that reads everything once.
const CACHE_KIB: u32 = 8 * 1_024;
/// Pages of the log after which it starts anew: 32 MiB.
const LOG_PAGES: u32 = 4_096;
/// A key tells its time so exactly.
const KEY_TIME: Duration = Duration::from_millis(4);

/// A data directory that this process has locked, to read or fill it.
pub struct SqliteTransfer {
    connection: Connection,
    /// What came in at sources and was over before this is not moved: under one key, there may be
    /// what came later.
    live_since: i64,
    _directory: DataDirectory,
}

impl SqliteTransfer {
    /// What is to be moved: a store that nobody has open.
    pub fn source(path: &Path) -> Result<Self, TransferError> {
        let place = || path.display().to_string();
        let database = database_in(path);
        if !database.is_file() {
            return Err(TransferError::NoStore(place()));
        }
        let directory = DataDirectory::lock(path).map_err(TransferError::store)?;
        let connection = open_reader(&database, CACHE_KIB).map_err(unreadable)?;
        match schema::check(&connection, &database).map_err(TransferError::store)? {
            0 => Err(TransferError::NoStore(place())),
            found if found < schema::VERSION => Err(TransferError::OlderSchema {
                place: place(),
                found,
                known: schema::VERSION,
            }),
            _ if is_unfinished(&connection).map_err(failed)? => {
                Err(TransferError::UnfinishedSource(place()))
            }
            _ => Ok(Self {
                live_since: last_written(&connection).map_err(failed)?,
                connection,
                _directory: directory,
            }),
        }
    }

    /// Where it is to be moved to: a directory without a store, or with an unfinished one.
    pub fn target(path: &Path) -> Result<Self, TransferError> {
        Self::open_target(path).map_err(TransferError::store)
    }

    fn open_target(path: &Path) -> Result<Self, OpenError> {
        let directory = DataDirectory::lock(path)?;
        let database = directory.database();
        let connection = open_writer(&database, &SqliteConfig::default())?;
        let found = schema::check(&connection, &database)?;
        prepare_for_writing(&connection)?;
        require_durability(&connection)?;
        connection.pragma_update_and_check(None, "wal_autocheckpoint", LOG_PAGES, |_| Ok(()))?;
        if found == 0 || is_unfinished(&connection)? {
            schema::migrate(&connection, found)?;
        }
        Ok(Self {
            connection,
            live_since: i64::MIN,
            _directory: directory,
        })
    }

    fn holds_nothing(&self) -> Result<bool, Failure> {
        let there = TABLES.iter().map(|table| {
            let name = table.name;
            format!("EXISTS (SELECT 1 FROM {name})")
        });
        let sql = format!("SELECT {}", there.collect::<Vec<_>>().join(" OR "));
        let holds: bool = self.connection.query_row(&sql, [], |row| row.get(0))?;
        Ok(!holds)
    }

    fn state(&self) -> Result<Found, Failure> {
        match settings::get(&self.connection, MARKER)? {
            Some(state) => State::from_bytes(&state)
                .map(Found::Unfinished)
                .ok_or_else(|| Failure::unreadable("the mark of a transfer")),
            None if self.holds_nothing()? => Ok(Found::Nothing),
            None => Ok(Found::Something),
        }
    }

    fn write_all(&self, table: &Table, rows: &[Row], state: &State) -> Result<(), Failure> {
        let transaction = self.connection.unchecked_transaction()?;
        rows::write(&transaction, table, rows)?;
        transaction
            .prepare_cached("INSERT OR REPLACE INTO setting (name, value) VALUES (?1, ?2)")?
            .execute((MARKER, state.to_bytes()))?;
        Ok(transaction.commit()?)
    }

    fn end(&self, keys: Keys) -> Result<(), Failure> {
        let transaction = self.connection.unchecked_transaction()?;
        transaction.execute(
            "UPDATE sequence SET last = ?1 WHERE id = 0",
            [keys.behind()],
        )?;
        transaction.execute("DELETE FROM setting WHERE name = ?1", [MARKER])?;
        transaction.commit()?;
        let emptied = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        Ok(emptied?)
    }
}

#[async_trait]
impl Source for SqliteTransfer {
    async fn keys(&mut self) -> Result<Keys, TransferError> {
        // Whatever other slots gave is told by the rows.
        let last = last_key(&self.connection).map_err(failed)?;
        Ok(Keys { last, slots: 0 })
    }

    async fn count(&mut self, table: &Table) -> Result<u64, TransferError> {
        rows::count(&self.connection, table, self.live_since).map_err(failed)
    }

    async fn read(
        &mut self,
        table: &Table,
        after: Option<&Cursor>,
        rows_max: usize,
    ) -> Result<Chunk, TransferError> {
        let which = (after, rows_max);
        rows::read(&self.connection, table, which, self.live_since).map_err(failed)
    }
}

#[async_trait]
impl Target for SqliteTransfer {
    async fn found(&mut self) -> Result<Found, TransferError> {
        self.state().map_err(failed)
    }

    async fn write(
        &mut self,
        table: &Table,
        rows: Vec<Row>,
        state: &State,
    ) -> Result<(), TransferError> {
        self.write_all(table, &rows, state).map_err(failed)
    }

    async fn finish(&mut self, keys: Keys) -> Result<(), TransferError> {
        self.end(keys).map_err(failed)
    }
}

/// No store is opened that is only a part of another.
pub(crate) fn refuse_unfinished(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    match is_unfinished(connection)? {
        true => Err(OpenError::Unfinished {
            path: path.to_owned(),
        }),
        false => Ok(()),
    }
}

fn is_unfinished(connection: &Connection) -> Result<bool, Failure> {
    Ok(settings::get(connection, MARKER)?.is_some())
}

fn last_key(connection: &Connection) -> Result<i64, Failure> {
    Ok(connection.query_row(schema::LAST_KEY, [], |row| row.get(0))?)
}

/// When the store was last written to, by its last key.
fn last_written(connection: &Connection) -> Result<i64, Failure> {
    let key = Key::<()>::from_integer(last_key(connection)?);
    Ok(key.time().plus(KEY_TIME).micros())
}

fn failed(failure: Failure) -> TransferError {
    TransferError::store(OpenError::from(failure))
}

fn unreadable(error: rusqlite::Error) -> TransferError {
    failed(Failure::from(error))
}
