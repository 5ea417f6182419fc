//! Why a store does not open: told to the person who started the process.

use crate::failure::told;
use std::path::PathBuf;
use std::time::Duration;

/// A data directory or database that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory can't be made or used.
    #[error("the data directory {} can't be used: {source}", path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is nothing to open.
    #[error("there is no store in {}", .0.display())]
    NoStore(PathBuf),
    /// A version before this one wrote it.
    #[error(
        "the store in {} has an older schema: start this version's `postrider serve` on it first",
        .0.display()
    )]
    OlderSchema(PathBuf),
    /// Another process has it.
    #[error(
        "the data directory {} is in use by another process: stop that one, or name another \
         directory",
        path.display()
    )]
    Locked {
        /// Which.
        path: PathBuf,
    },
    /// A newer version wrote it.
    #[error(
        "the database has schema version {found}, this program knows versions up to {known}: start \
         a newer program, or restore a backup made by this one"
    )]
    NewerSchema {
        /// The version found.
        found: u32,
        /// The newest one known.
        known: u32,
    },
    /// The file is an SQLite database of some other program.
    #[error("{} is another program's database: name another data directory", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Only a part of a store was moved there.
    #[error(
        "the data directory {} holds a transfer that was not finished: start `postrider transfer` \
         again, which goes on with it, or name another directory",
        path.display()
    )]
    Unfinished {
        /// Which.
        path: PathBuf,
    },
    /// The clock was set back too far.
    #[error(
        "the clock is {} s behind the newest row of the store: set it right before starting, or \
         wait until it has caught up",
        behind.as_secs()
    )]
    ClockBehind {
        /// How far.
        behind: Duration,
    },
    /// The database refused.
    #[error("the database can't be opened: {0}")]
    Database(String),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        OpenError::Database(told(&error))
    }
}

impl From<crate::failure::Failure> for OpenError {
    fn from(failure: crate::failure::Failure) -> Self {
        OpenError::Database(failure.to_string())
    }
}
