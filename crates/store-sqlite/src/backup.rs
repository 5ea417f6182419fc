//! A consistent copy of the database while it is in use.
//!
//! It is read in one go from one state of the database: writers go on, and only the log can't start
//! anew meanwhile. Keys that seal what is in it are not part of it.

use crate::directory::{database_in, make_private_directory, make_private_file};
use crate::failure::Failure;
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use std::fs::File;
use std::io;
use std::path::Path;

/// Copies into `directory`, which is made if it is not there, and must be empty if it is. What is
/// there when this returns is on disk; when it fails, nothing is.
pub(crate) fn copy(connection: &Connection, directory: &Path) -> Result<(), Failure> {
    prepare(directory).map_err(|error| unusable(directory, &error))?;
    let path = database_in(directory);
    let copied = copy_to(connection, &path)
        .and_then(|()| sync(&path, directory).map_err(|error| unusable(directory, &error)));
    if copied.is_err() {
        // What failed is told; a file that can't be removed on top of it is half a copy.
        let _ = std::fs::remove_file(&path);
    }
    copied
}

fn copy_to(connection: &Connection, path: &Path) -> Result<(), Failure> {
    let mut target = Connection::open(path)?;
    let backup = Backup::new(connection, &mut target)?;
    let step = backup.step(-1)?;
    drop(backup);
    if step != StepResult::Done {
        let reason = format!("the copy did not come to its end: {step:?}");
        return Err(Failure::Unavailable(reason));
    }
    target.close().map_err(|(_, error)| error.into())
}

fn prepare(directory: &Path) -> io::Result<()> {
    make_private_directory(directory)?;
    if directory.read_dir()?.next().is_some() {
        return Err(io::Error::other(
            "it is not empty; name an empty or a new directory",
        ));
    }
    make_private_file(&database_in(directory))
}

fn sync(path: &Path, directory: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()?;
    File::open(directory)?.sync_all()
}

fn unusable(directory: &Path, error: &io::Error) -> Failure {
    Failure::Unavailable(format!("no copy in {}: {error}", directory.display()))
}
