//! Backup and restore for a process that has no store open: the command line's way.
//!
//! A backup reads a data directory that another process may be writing to. A restore makes a data
//! directory of a backup, and never touches one that holds anything. Neither looks at keys.

use crate::backup::copy;
use crate::connection::open_reader;
use crate::directory::{database_in, make_private_directory, make_private_file};
use crate::open_error::OpenError;
use crate::schema::check;
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
    check(&connection, &database)?;
    copy(&connection, directory).map_err(|failure| OpenError::from(failure).into())
}

/// Makes a data directory of a backup in `target`, which must be new or empty. The copy is looked
/// through before this returns; one that is damaged is removed.
pub fn restore(backup: &Path, target: &Path) -> Result<(), CopyError> {
    let source = existing(backup)?;
    require_empty(target)?;
    let database = database_in(target);
    let copied = copy_file(&source, target, &database)
        .map_err(|source| CopyError::Io {
            path: target.to_owned(),
            source,
        })
        .and_then(|()| look_through(&database));
    if copied.is_err() {
        // What failed is told; a file that can't be removed on top of it is half a copy.
        let _ = std::fs::remove_file(&database);
    }
    copied
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

fn copy_file(source: &Path, target: &Path, database: &Path) -> io::Result<()> {
    make_private_directory(target)?;
    make_private_file(database)?;
    let mut written = File::options().write(true).open(database)?;
    io::copy(&mut File::open(source)?, &mut written)?;
    written.sync_all()?;
    File::open(target)?.sync_all()
}

fn look_through(database: &Path) -> Result<(), CopyError> {
    let connection = Connection::open(database).map_err(OpenError::from)?;
    check(&connection, database)?;
    let verdict: Result<String, _> =
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
    match verdict {
        Ok(verdict) if verdict == "ok" => Ok(()),
        Ok(verdict) => Err(CopyError::Damaged(verdict)),
        Err(error) => Err(CopyError::Damaged(error.to_string())),
    }
}
