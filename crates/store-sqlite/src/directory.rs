//! The data directory: made for its owner alone, and locked, so that one process at a time works in
//! it. The lock is what makes ownership of deliveries a set in memory: who holds it owns them all.
//!
//! It goes with the process, however that ends: there is nothing to clean up after a crash.

use crate::OpenError;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const LOCK_FILE: &str = "postrider.lock";
const DATABASE_FILE: &str = "postrider.db";

/// A data directory that this process has locked. Unlocked when dropped.
#[derive(Debug)]
pub struct DataDirectory {
    path: PathBuf,
    _lock: File,
}

impl DataDirectory {
    /// Makes the directory (0700) unless it is there, and locks it. Refuses one that another
    /// process has locked.
    pub fn lock(path: &Path) -> Result<Self, OpenError> {
        let unusable = |source| OpenError::Directory {
            path: path.to_owned(),
            source,
        };
        make_private_directory(path).map_err(unusable)?;
        let lock = private_file()
            .open(path.join(LOCK_FILE))
            .map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(OpenError::Locked {
                path: path.to_owned(),
            }),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The database's file in it, whether it is there yet or not.
    pub fn database(&self) -> PathBuf {
        database_in(&self.path)
    }
}

/// The database's file in a directory.
pub(crate) fn database_in(directory: &Path) -> PathBuf {
    directory.join(DATABASE_FILE)
}

/// Makes a directory that only its owner may enter. One that is there is left as it is.
pub(crate) fn make_private_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Makes an empty file that only its owner may read, unless there is a file. SQLite gives its
/// other files the same mode.
pub(crate) fn make_private_file(path: &Path) -> io::Result<()> {
    private_file().open(path).map(drop)
}

fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).mode(0o600);
    options
}
