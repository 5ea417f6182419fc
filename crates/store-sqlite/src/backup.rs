//! A consistent copy of the database while it is in use.
//!
//! It is read in one go from one state of the database, what stands only in the log included:
//! writers go on, and only the log can't start anew meanwhile. Keys that seal what is in it are not
//! part of it.

use crate::failure::Failure;
use crate::unfinished::Unfinished;
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use std::io;
use std::path::Path;

/// Copies into `directory`, which is made if it is not there, and must be empty if it is. What is
/// there when this returns is on disk; when it fails, nothing is.
pub(crate) fn copy(connection: &Connection, directory: &Path) -> Result<(), Failure> {
    let unusable = |error: io::Error| {
        Failure::Unavailable(format!("no copy in {}: {error}", directory.display()))
    };
    let target = Unfinished::begin(directory).map_err(unusable)?;
    copy_to(connection, target.path())?;
    target.finish().map_err(unusable)
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
