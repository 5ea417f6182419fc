//! What went wrong with the database, in the classes that decide what happens next: begin the same
//! transaction again, try again later, or give up on this one request.

use store::StoreError;
use store::vitals::Cause;
use tokio_postgres::error::SqlState;

/// A failure of the database. Cloned to everyone who waited for the same commit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// Another transaction came in between: the same again will see what it did.
    #[error("{0}")]
    Conflict(String),
    /// The database is away, or can't write; later it may work. Whether a commit that was under way
    /// succeeded is not known.
    #[error("{0}")]
    Unavailable(String),
    /// The same, since the database's disk is full.
    #[error("{0}")]
    Full(String),
    /// A row is not as this version writes it, or a statement can't be carried out: no repetition
    /// helps.
    #[error("{0}")]
    Unreadable(String),
    /// The node's lease ended before the commit, and another node may have taken what it held.
    #[error("this node's lease has ended")]
    LeaseLost,
    /// The store is shutting down.
    #[error("the store is closed")]
    Closed,
}

impl Failure {
    /// A column that does not hold what it should.
    pub(crate) fn unreadable(what: &str) -> Self {
        Self::Unreadable(format!("{what} is not in the form that Postrider writes"))
    }

    /// As the seam tells it.
    pub(crate) fn to_store_error(&self) -> StoreError {
        match self.clone() {
            Failure::Conflict(reason) | Failure::Unavailable(reason) | Failure::Full(reason) => {
                StoreError::Unavailable { reason }
            }
            Failure::LeaseLost => StoreError::Unavailable {
                reason: self.to_string(),
            },
            Failure::Unreadable(reason) => StoreError::Corrupt { reason },
            Failure::Closed => StoreError::Closed,
        }
    }
}

impl Failure {
    /// Why nothing can be committed, if it says that.
    pub(crate) fn cause(&self) -> Cause {
        match self {
            Failure::Full(_) => Cause::Full,
            Failure::LeaseLost => Cause::LeaseLost,
            _ => Cause::Away,
        }
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        failure.to_store_error()
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        let reason = told(&error);
        let Some(state) = error.code() else {
            // No answer of the server's: the connection broke, or never came about.
            return Failure::Unavailable(reason);
        };
        let conflicts = [
            SqlState::UNIQUE_VIOLATION,
            SqlState::CHECK_VIOLATION, // no partition yet, or no longer
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::UNDEFINED_TABLE,
            // One that was sent before it failed, and is told where it is known.
            SqlState::IN_FAILED_SQL_TRANSACTION,
        ];
        if conflicts.contains(state) {
            return Failure::Conflict(reason);
        }
        if *state == SqlState::DISK_FULL {
            return Failure::Full(reason);
        }
        match &state.code()[..2] {
            // Data, integrity, syntax, and what Postrider itself would have to mend.
            "0A" | "21" | "22" | "23" | "42" | "XX" => Failure::Unreadable(reason),
            _ => Failure::Unavailable(reason),
        }
    }
}

impl From<deadpool_postgres::PoolError> for Failure {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        match error {
            deadpool_postgres::PoolError::Backend(error) => error.into(),
            deadpool_postgres::PoolError::Closed => Failure::Closed,
            other => Failure::Unavailable(other.to_string()),
        }
    }
}

/// What the database says, with its code. Never with the values of a row: its detail is left out.
fn told(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(said) => format!("{} (SQLSTATE {})", said.message(), said.code().code()),
        None => match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}
