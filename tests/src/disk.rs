//! A server's disk that is full, or can't sync, from one call to the next.
//!
//! A few lines of C (`tests/faults/disk.c`) are preloaded into the server, and stand between it and
//! the system's writes and syncs. That needs no rights and no file system of its own, and it lets
//! a test choose the moment.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::server::Options;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// Every write to a file fails for want of space.
    Full,
    /// Every sync fails with an I/O error.
    NoSync,
    /// Every sync waits for the next fault, and ends as that says.
    HeldSync,
}

/// The switch for the disk of one server.
pub struct Disk {
    folder: TempDir,
}

impl Disk {
    /// A healthy one.
    ///
    /// # Panics
    /// When there is no C compiler.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a directory for the fault");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("faults/disk.c");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"]);
        compiler
            .arg(folder.path().join("disk.so"))
            .arg(source)
            .arg("-ldl");
        let status = compiler.status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "{compiler:?} failed"
        );
        let disk = Self { folder };
        disk.set(Fault::None);
        disk
    }

    /// Puts a server on this disk.
    pub fn under(&self, options: Options) -> Options {
        let path = |path: PathBuf| path.to_str().expect("a path in UTF-8").to_owned();
        options
            .variable("LD_PRELOAD", path(self.folder.path().join("disk.so")))
            .variable("DISK_FAULT", path(self.switch()))
    }

    /// What goes wrong from now on.
    pub fn set(&self, fault: Fault) {
        let byte = match fault {
            Fault::None => "-",
            Fault::Full => "F",
            Fault::NoSync => "S",
            Fault::HeldSync => "H",
        };
        // Overwritten in place: the server looks at this very file.
        let mut options = fs::OpenOptions::new();
        let file = options
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.switch());
        let mut file = file.expect("the switch can be opened");
        std::io::Write::write_all(&mut file, byte.as_bytes()).expect("the switch can be set");
    }

    fn switch(&self) -> PathBuf {
        self.folder.path().join("fault")
    }
}

impl Default for Disk {
    fn default() -> Self {
        Self::new()
    }
}
