//! A database's file in the making: under another name until it is whole and on disk, so that what
//! a crash leaves of a copy is never taken for one.

use crate::directory::{database_in, make_private_directory, make_private_file, sync_name};
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// What SQLite may leave beside a file.
const COMPANIONS: [&str; 4] = ["", "-journal", "-wal", "-shm"];

/// The file under its other name. Removed when dropped, unless it was finished.
pub(crate) struct Unfinished {
    path: PathBuf,
    database: PathBuf,
}

impl Unfinished {
    /// Makes the directory (0700) unless it is there, and an empty file (0600) in it. One that
    /// holds something is refused, and left as it is.
    pub(crate) fn begin(directory: &Path) -> io::Result<Self> {
        make_private_directory(directory)?;
        if directory.read_dir()?.next().is_some() {
            return Err(io::Error::other(
                "it is not empty; name an empty or a new directory",
            ));
        }
        let database = database_in(directory);
        let path = with_ending(&database, ".unfinished");
        make_private_file(&path)?;
        Ok(Self { path, database })
    }

    /// Where to write it.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// It is whole: gives it its name. It is on disk when this returns.
    pub(crate) fn finish(self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()?;
        std::fs::rename(&self.path, &self.database)?;
        sync_name(&self.database)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        for companion in COMPANIONS {
            // What failed is told already; nothing is there under this name after the end.
            let _ = std::fs::remove_file(with_ending(&self.path, companion));
        }
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    PathBuf::from(name)
}
