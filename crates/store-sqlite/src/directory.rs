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
const LOG_FILE: &str = "postrider.db-wal";

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

/// Whether a directory has been a data directory: others have nothing to lock.
pub(crate) fn is_lockable(directory: &Path) -> bool {
    directory.join(LOCK_FILE).exists()
}

/// The database's file in a directory.
pub(crate) fn database_in(directory: &Path) -> PathBuf {
    directory.join(DATABASE_FILE)
}

/// The database's write-ahead log in a directory.
pub(crate) fn log_in(directory: &Path) -> PathBuf {
    directory.join(LOG_FILE)
}

/// Makes a directory that only its owner may enter, and those above it that are missing. One that
/// is there is left as it is; what is made is there after a power failure too.
pub(crate) fn make_private_directory(path: &Path) -> io::Result<()> {
    let is_missing = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
    let missing: Vec<&Path> = path.ancestors().take_while(is_missing).collect();
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    missing.into_iter().try_for_each(sync_name)
}

/// Makes an empty file that only its owner may read, unless there is a file. SQLite gives its
/// other files the same mode.
pub(crate) fn make_private_file(path: &Path) -> io::Result<()> {
    let is_new = !path.exists();
    private_file().open(path)?;
    if is_new { sync_name(path) } else { Ok(()) }
}

/// Puts on disk what a directory says of this name: syncing the file alone does not.
pub(crate) fn sync_name(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|path| !path.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).mode(0o600);
    options
}
