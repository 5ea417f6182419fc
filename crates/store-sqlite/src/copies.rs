//! Backup and restore for a process that has no store open: the command line's way.
//!
//! A backup reads a data directory that another process may be writing to. A restore makes a data
//! directory of a backup, and never touches one that holds anything. Neither looks at keys.

use crate::backup::copy;
use crate::connection::open_reader;
use crate::directory::{DataDirectory, database_in, is_lockable, log_in};
use crate::open_error::OpenError;
use crate::schema::check;
use crate::unfinished::Unfinished;
use rusqlite::Connection;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// Page cache of a connection that reads everything once.
const CACHE_KIB: u32 = 1_024;

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// There is no store to copy.
    #[error("there is no store in {}", .0.display())]
    NoStore(PathBuf),
    /// The target holds something.
    #[error("{} is not empty: name an empty or a new directory", .0.display())]
    NotEmpty(PathBuf),
    /// Part of it is only in its log, as that of a data directory in use, or after a crash.
    #[error(
        "{} is not a backup but a data directory, part of which is only in its log: make a backup \
         of it, and restore that",
        .0.display()
    )]
    NotABackup(PathBuf),
    /// It can't be read or written.
    #[error("can't copy to {}: {source}", path.display())]
    Io {
        /// Where to.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What was to be copied is damaged.
    #[error("the copy is damaged and was removed: {0}")]
    Damaged(String),
    /// It can't be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// Copies the store of `data_dir`, as it is at this moment, into `directory`, which must be new or
/// empty. A server may be at work in `data_dir`; nobody waits.
pub fn backup(data_dir: &Path, directory: &Path) -> Result<(), CopyError> {
    let database = existing(data_dir)?;
    require_empty(directory)?;
    let connection = open_reader(&database, CACHE_KIB).map_err(OpenError::from)?;
    require_store(&connection, data_dir)?;
    copy(&connection, directory).map_err(|failure| OpenError::from(failure).into())
}

/// Makes a data directory of a backup in `target`, which must be new or empty. The copy is looked
/// through before this returns; one that is damaged is removed.
pub fn restore(backup: &Path, target: &Path) -> Result<(), CopyError> {
    let source = existing(backup)?;
    let _unchanging = held_if_in_use(backup)?;
    // The file is copied as it is, so that a backup can be on a medium that is read-only.
    if log_in(backup).metadata().is_ok_and(|log| log.len() > 0) {
        return Err(CopyError::NotABackup(backup.to_owned()));
    }
    require_empty(target)?;
    let unusable = |source| CopyError::Io {
        path: target.to_owned(),
        source,
    };
    let copied = Unfinished::begin(target).map_err(unusable)?;
    copy_file(&source, copied.path()).map_err(unusable)?;
    look_through(copied.path(), backup)?;
    copied.finish().map_err(unusable)
}

fn existing(directory: &Path) -> Result<PathBuf, CopyError> {
    let database = database_in(directory);
    if database.is_file() {
        Ok(database)
    } else {
        Err(CopyError::NoStore(directory.to_owned()))
    }
}

fn require_empty(directory: &Path) -> Result<(), CopyError> {
    match directory
        .read_dir()
        .map(|mut entries| entries.next().is_none())
    {
        Ok(true) => Ok(()),
        Ok(false) => Err(CopyError::NotEmpty(directory.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(CopyError::Io {
            path: directory.to_owned(),
            source,
        }),
    }
}

/// Keeps servers off a data directory that is taken for a backup. A backup has no lock.
fn held_if_in_use(directory: &Path) -> Result<Option<DataDirectory>, CopyError> {
    if !is_lockable(directory) {
        return Ok(None);
    }
    match DataDirectory::lock(directory) {
        Err(error @ OpenError::Locked { .. }) => Err(error.into()),
        held => Ok(held.ok()),
    }
}

fn copy_file(source: &Path, target: &Path) -> io::Result<()> {
    let mut written = File::options().write(true).open(target)?;
    io::copy(&mut File::open(source)?, &mut written).map(drop)
}

/// A file that SQLite takes for an empty database holds no store.
fn require_store(connection: &Connection, directory: &Path) -> Result<(), CopyError> {
    match check(connection, &database_in(directory))? {
        0 => Err(CopyError::NoStore(directory.to_owned())),
        _ => Ok(()),
    }
}

fn look_through(copied: &Path, backup: &Path) -> Result<(), CopyError> {
    let connection = Connection::open(copied).map_err(OpenError::from)?;
    require_store(&connection, backup).map_err(|error| match error {
        CopyError::Open(OpenError::Database(reason)) => CopyError::Damaged(reason),
        other => other,
    })?;
    let verdict: Result<String, _> =
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
    match verdict {
        Ok(verdict) if verdict == "ok" => Ok(()),
        Ok(verdict) => Err(CopyError::Damaged(verdict)),
        Err(error) => Err(CopyError::Damaged(error.to_string())),
    }
}
