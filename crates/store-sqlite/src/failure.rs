//! What went wrong with the database, in the classes that decide what happens next: try again
//! later, end the process, or give up on this one request.

use rusqlite::ffi;
use store::StoreError;
use store::vitals::Cause;

/// A failure of the database. Cloned to everyone who waited for the same commit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// Nothing was committed; later it may work.
    #[error("{0}")]
    Unavailable(String),
    /// The same, for want of space.
    #[error("{0}")]
    Full(String),
    /// What is on disk is not known: only a restart helps.
    #[error("{0}")]
    Fatal(String),
    /// A row is not as this version writes it, or a statement can't be carried out: no repetition
    /// helps.
    #[error("{0}")]
    Unreadable(String),
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
            Failure::Unavailable(reason) | Failure::Full(reason) => {
                StoreError::Unavailable { reason }
            }
            Failure::Fatal(reason) => StoreError::Fatal { reason },
            Failure::Unreadable(reason) => StoreError::Corrupt { reason },
            Failure::Closed => StoreError::Closed,
        }
    }
}

impl Failure {
    /// Why nothing can be committed any more, if it says that.
    pub(crate) fn cause(&self) -> Cause {
        match self {
            Failure::Full(_) => Cause::Full,
            Failure::Fatal(_) => Cause::Broken,
            _ => Cause::Unwritable,
        }
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        failure.to_store_error()
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        let reason = told(&error);
        let rusqlite::Error::SqliteFailure(code, _) = &error else {
            return Failure::Unreadable(reason);
        };
        match code.extended_code {
            // After a failed fsync the kernel may have dropped what it could not write, and a
            // repeated one would report success.
            ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC => Failure::Fatal(reason),
            extended => match extended & 0xff {
                ffi::SQLITE_FULL => Failure::Full(reason),
                ffi::SQLITE_IOERR
                | ffi::SQLITE_CANTOPEN
                | ffi::SQLITE_READONLY
                | ffi::SQLITE_BUSY
                | ffi::SQLITE_LOCKED
                | ffi::SQLITE_NOMEM
                | ffi::SQLITE_PERM
                | ffi::SQLITE_PROTOCOL => Failure::Unavailable(reason),
                _ => Failure::Unreadable(reason),
            },
        }
    }
}

/// What the database says; of an I/O error also the number that tells which: "disk I/O error" is
/// all that SQLite has to say of thirty of them.
pub(crate) fn told(error: &rusqlite::Error) -> String {
    match error.sqlite_error() {
        Some(code) if code.extended_code & 0xff == ffi::SQLITE_IOERR => {
            format!("{error} (SQLite code {})", code.extended_code)
        }
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_fall_into_the_class_that_says_what_to_do() {
        let class = |code| {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            Failure::from(error)
        };
        assert!(matches!(class(ffi::SQLITE_FULL), Failure::Full(_)));
        assert!(matches!(
            class(ffi::SQLITE_IOERR_WRITE),
            Failure::Unavailable(_)
        ));
        assert!(matches!(class(ffi::SQLITE_IOERR_FSYNC), Failure::Fatal(_)));
        assert!(matches!(
            class(ffi::SQLITE_IOERR_DIR_FSYNC),
            Failure::Fatal(_)
        ));
        assert!(matches!(class(ffi::SQLITE_CORRUPT), Failure::Unreadable(_)));
        assert!(matches!(class(ffi::SQLITE_TOOBIG), Failure::Unreadable(_)));
    }

    #[test]
    fn an_io_error_is_told_with_what_tells_it_from_others() {
        let said = |code| {
            let message = Some("as SQLite says it".to_owned());
            told(&rusqlite::Error::SqliteFailure(
                ffi::Error::new(code),
                message,
            ))
        };
        assert_eq!(said(ffi::SQLITE_FULL), "as SQLite says it");
        assert_eq!(
            said(ffi::SQLITE_IOERR_SHMSIZE),
            "as SQLite says it (SQLite code 4874)"
        );
    }
}
