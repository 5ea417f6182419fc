//! Key files: written so that under its name there is a whole key or none, whenever the process or
//! the machine ends, and so that a key that is there is never replaced by accident.

use model::Secret;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Writes a key file that nobody else may read, on disk before this returns; `false` if there is
/// one, which is left as it is. One process at a time, as the data directory's lock has it.
pub(crate) fn write_new(path: &Path, key: &Secret) -> io::Result<bool> {
    let unfinished = unfinished(path);
    // A crash may have left half a key there, or a second name of a whole one.
    remove(&unfinished)?;
    if path.try_exists()? {
        return Ok(false);
    }
    let written = write(&unfinished, key).and_then(|()| name(&unfinished, path));
    let removed = remove(&unfinished);
    let new = written?;
    removed?;
    sync_directory(path)?;
    Ok(new)
}

/// Puts a key in the place of another, which must be elsewhere by now: under the name is either
/// the one or the other, whenever this ends. One process at a time.
pub(crate) fn replace(path: &Path, key: &Secret) -> io::Result<()> {
    let unfinished = unfinished(path);
    remove(&unfinished)?;
    write(&unfinished, key)?;
    fs::rename(&unfinished, path)?;
    sync_directory(path)
}

fn write(path: &Path, key: &Secret) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(key.expose())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

/// Gives a whole file its name, unless somebody put one there meanwhile.
fn name(whole: &Path, path: &Path) -> io::Result<bool> {
    match fs::hard_link(whole, path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        // Not every file system has links. This could replace what another process writes at this
        // very moment, which none does that respects the lock.
        Err(_) => fs::rename(whole, path).map(|()| true),
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Puts on disk what the directory says of this name.
fn sync_directory(path: &Path) -> io::Result<()> {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

fn unfinished(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".unfinished");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn names(directory: &Path) -> Vec<OsString> {
        let entries = fs::read_dir(directory).unwrap();
        entries.map(|entry| entry.unwrap().file_name()).collect()
    }

    #[test]
    fn what_a_crash_left_unfinished_is_replaced_and_is_never_taken_for_a_key() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.key");
        fs::write(unfinished(&path), "half a k").unwrap();
        assert!(!path.exists());
        assert!(write_new(&path, &Secret::from("whole".to_owned())).unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"whole\n");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(names(directory.path()), ["a.key"]);
    }

    #[test]
    fn a_key_that_is_there_is_left_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.key");
        let [first, second] = ["first", "second"].map(|text| Secret::from(text.to_owned()));
        assert!(write_new(&path, &first).unwrap());
        // As after a crash between the two names and the removal of the first.
        fs::hard_link(&path, unfinished(&path)).unwrap();
        assert!(!write_new(&path, &second).unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"first\n");
        assert_eq!(names(directory.path()), ["a.key"]);

        fs::write(unfinished(&path), "third").unwrap();
        assert!(!name(&unfinished(&path), &path).unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"first\n");
    }
}
