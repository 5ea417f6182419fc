//! Why a store does not open: told to the person who started the process.

use crate::failure::Failure;
use std::time::Duration;

/// A database that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL is not one.
    #[error(
        "the database URL can't be used: {0}; it is of the form postgres://USER@HOST:PORT/DATABASE"
    )]
    Url(String),
    /// A newer version wrote it.
    #[error(
        "the database has schema version {found}, this program knows versions up to {known}: start \
         a newer program"
    )]
    NewerSchema {
        /// The version found.
        found: u32,
        /// The newest one known.
        known: u32,
    },
    /// A node is alive that could not go on.
    #[error(
        "the node {name:?} of version {version} is alive, and can't work with schema version \
         {next}: end it, or bring it up to date, before this one starts"
    )]
    OlderNode {
        /// What it is called.
        name: String,
        /// The version that it runs.
        version: String,
        /// The version of the schema that can't be yet.
        next: u32,
    },
    /// To change a table, others would have had to wait for too long.
    #[error(
        "the database's tables are in use for so long that they can't be changed ({0}): start again \
         when whoever reads them has ended, a backup perhaps; nodes that run go on"
    )]
    InUse(String),
    /// What was answered could be lost.
    #[error(
        "the database is set to synchronous_commit={0}, with which a message that was answered can \
         be lost: set it to on, or remote_apply, for this database and user"
    )]
    NotDurable(String),
    /// The clock was set back too far.
    #[error(
        "the clock is {} s behind the newest row of this node: set it right before starting, or \
         wait until it has caught up",
        behind.as_secs()
    )]
    ClockBehind {
        /// How far.
        behind: Duration,
    },
    /// Another store's rows are on their way, here or from here.
    #[error("a transfer from or to this database is under way: wait until it has ended")]
    Transferring,
    /// Only a part of a store was moved there.
    #[error(
        "the database holds a transfer that was not finished: start `postrider transfer` again, \
         which goes on with it, or empty the database"
    )]
    Unfinished,
    /// Every slot has a living node.
    #[error("1,023 nodes are alive already: no more can join")]
    NoSlot,
    /// The database refused, or is not there.
    #[error("the database can't be used: {0}")]
    Database(String),
}

impl From<Failure> for OpenError {
    fn from(failure: Failure) -> Self {
        OpenError::Database(failure.to_string())
    }
}

impl From<tokio_postgres::Error> for OpenError {
    fn from(error: tokio_postgres::Error) -> Self {
        Failure::from(error).into()
    }
}
