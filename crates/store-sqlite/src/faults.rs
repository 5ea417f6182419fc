//! Faults that tests provoke: the only seam between the writer and the disk. In production nothing
//! sets one, and asking costs an uncontended lock per commit.

use rusqlite::ffi;
use std::sync::{Arc, Mutex};

/// A switch for faults of a store's commits, shared with whoever holds a clone.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<Setting>>);

#[derive(Debug, Default)]
struct Setting {
    commit: Option<CommitFault>,
    pages_max: Option<u32>,
}

/// How commits fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitFault {
    /// The disk does not take the write; nothing is committed.
    Write,
    /// The write was taken, but fsync failed.
    Sync,
}

impl Faults {
    /// From now on commits fail like this, or no longer.
    pub fn fail_commits(&self, fault: Option<CommitFault>) {
        self.lock().commit = fault;
    }

    /// From the next commit on the database may have so many pages: SQLite's own "disk full".
    pub fn limit_pages(&self, pages_max: u32) {
        self.lock().pages_max = Some(pages_max);
    }

    pub(crate) fn at_commit(&self) -> Result<(), rusqlite::Error> {
        let code = match self.lock().commit {
            None => return Ok(()),
            Some(CommitFault::Write) => ffi::SQLITE_IOERR_WRITE,
            Some(CommitFault::Sync) => ffi::SQLITE_IOERR_FSYNC,
        };
        let error = ffi::Error::new(code);
        Err(rusqlite::Error::SqliteFailure(
            error,
            Some("provoked by a test".to_owned()),
        ))
    }

    pub(crate) fn take_pages_max(&self) -> Option<u32> {
        self.lock().pages_max.take()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Setting> {
        self.0
            .lock()
            .expect("nothing panics while it holds this lock")
    }
}
