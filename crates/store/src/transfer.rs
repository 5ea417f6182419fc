//! Moving a whole installation from one store into another, whatever databases are behind them.
//!
//! Rows travel in a neutral form (`tables`): the same tables, columns and values of either store,
//! in a fixed order of tables. Sealed columns stay sealed: they are bound to application, table,
//! row and column, none of which changes. Both stores are at rest meanwhile.
//!
//! The target holds how far it is ([`State`]), in the same transaction as the rows, so that a
//! transfer which was broken off goes on there, and nobody takes an unfinished one for a store. In
//! the end both sides are read anew, and compared ([`Tally`]).
//!
//! It does not look at keys, and what only a running node has (leases, owners of deliveries) is not
//! moved.

mod run;
mod state;
mod tables;
mod tally;

pub use run::{Step, Transfer};
pub use state::{Keys, State};
pub use tables::{Column, Kind, TABLES, Table};
pub use tally::{Difference, Tally};

use async_trait::async_trait;
use bytes::Bytes;
use std::error::Error;

/// Under this name an unfinished target keeps its [`State`] among its settings. It is not moved.
pub const MARKER: &str = "transfer";
/// A chunk ends when it holds so much, whatever its rows.
pub const CHUNK_BYTES: usize = 4 << 20;

/// What stands in one column of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A number, a key, a time, or no (0) and yes (1).
    Integer(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Bytes),
}

impl Value {
    /// About how many bytes it holds in memory.
    pub fn bytes(&self) -> usize {
        let held = match self {
            Value::Null | Value::Integer(_) => 0,
            Value::Text(text) => text.len(),
            Value::Bytes(bytes) => bytes.len(),
        };
        size_of::<Self>() + held
    }
}

/// A row: a value for each of its table's columns.
pub type Row = Vec<Value>;

/// Where a store has come to in reading a table. What it holds is the store's own affair.
pub type Cursor = Vec<Value>;

/// Rows that were read together.
#[derive(Debug)]
pub struct Chunk {
    /// The rows.
    pub rows: Vec<Row>,
    /// Where to go on; `None`: these were the last.
    pub next: Option<Cursor>,
}

/// A store at rest that is read. It stays at rest until this is dropped.
#[async_trait]
pub trait Source: Send {
    /// The largest key that was ever given.
    async fn keys(&mut self) -> Result<Keys, TransferError>;

    /// How many rows a table has.
    async fn count(&mut self, table: &Table) -> Result<u64, TransferError>;

    /// The next rows of a table, at most so many, in an order of this store's own that never
    /// changes; from the beginning, or behind a cursor that it gave before.
    async fn read(
        &mut self,
        table: &Table,
        after: Option<&Cursor>,
        rows_max: usize,
    ) -> Result<Chunk, TransferError>;
}

/// What a target holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// A transfer that was not finished.
    Unfinished(State),
    /// Something else.
    Something,
}

/// A store at rest that is written to.
#[async_trait]
pub trait Target: Source {
    /// What is there.
    async fn found(&mut self) -> Result<Found, TransferError>;

    /// Writes rows, and how far the transfer is then, in one transaction.
    async fn write(
        &mut self,
        table: &Table,
        rows: Vec<Row>,
        state: &State,
    ) -> Result<(), TransferError>;

    /// All is there: makes it a store, which gives no key again that was given before.
    async fn finish(&mut self, keys: Keys) -> Result<(), TransferError>;
}

/// Why a transfer did not come to its end. Told to the person who started it.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// There is nothing to move.
    #[error("there is no store in {0}")]
    NoStore(String),
    /// What is to be moved is only a part.
    #[error("what {0} holds is a transfer that was not finished: there is nothing whole to move")]
    UnfinishedSource(String),
    /// A version before this one wrote it.
    #[error(
        "{place} has schema version {found}, and only {known} is moved: start this version's \
         `postrider serve` on it once, which brings it up to date"
    )]
    OlderSchema {
        /// Where.
        place: String,
        /// The version found.
        found: u32,
        /// The only one that is moved.
        known: u32,
    },
    /// Nodes are at work.
    #[error(
        "nodes have a lease on {place} ({nodes} of them): stop them all; of those that were killed, it \
         has run out after 15 seconds"
    )]
    Alive {
        /// Where.
        place: String,
        /// How many.
        nodes: i64,
    },
    /// Another process does the same.
    #[error("another transfer from or to {0} is under way: wait until it has ended")]
    Busy(String),
    /// The target is not this transfer's.
    #[error(
        "the target holds something already, which is no transfer that was broken off: name a new \
         directory, or an empty database"
    )]
    NotEmpty,
    /// The target is not this transfer's.
    #[error(
        "the target holds a transfer that was not finished, of another store, or of this one before \
         it was at work again: empty it and begin anew"
    )]
    OtherSource,
    /// One of the stores can't be read or written.
    #[error(transparent)]
    Store(Box<dyn Error + Send + Sync>),
}

impl TransferError {
    /// What a store failed with.
    pub fn store(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Store(Box::new(error))
    }
}
