//! Clocks that are wrong: a few lines of C (`tests/faults/clock.c`), preloaded into a node, add to
//! the time of day that the system tells it. That needs no rights.

use std::path::Path;
use std::process::Command;

use e2e::{Options, place};
use tempfile::TempDir;

/// What is preloaded.
pub struct Clock {
    folder: TempDir,
}

impl Clock {
    /// Compiles it.
    ///
    /// # Panics
    /// When there is no C compiler.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a directory");
        let source = place::repository().join("tests/faults/clock.c");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"]);
        compiler.arg(library(folder.path())).arg(source).arg("-ldl");
        let status = compiler.status();
        let compiled = status.is_ok_and(|status| status.success());
        assert!(compiled, "{compiler:?} failed");
        Self { folder }
    }

    /// Gives a server a clock that is ahead by so many seconds, or behind.
    pub fn wrong_by(&self, seconds: i64, options: Options) -> Options {
        options
            .variable("LD_PRELOAD", library(self.folder.path()))
            .variable("CLOCK_AHEAD_SECONDS", seconds.to_string())
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

fn library(folder: &Path) -> String {
    let path = folder.join("clock.so");
    path.to_str().expect("a path in UTF-8").to_owned()
}
