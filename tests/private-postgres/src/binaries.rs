//! Finds PostgreSQL's programs, and runs them without what the environment would tell them.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where Debian keeps them, a folder for each version.
const DEBIAN: &str = "/usr/lib/postgresql";
/// What must be there.
const NEEDED: [&str; 5] = ["initdb", "postgres", "psql", "pg_isready", "pg_basebackup"];
/// How variables begin that would tell them something.
const CONFIGURING: [&str; 3] = ["PG", "PATRONI_", "ETCD_"];

/// The folder that holds the programs of one version.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Binaries(PathBuf);

impl Binaries {
    /// Those in `PATH`, otherwise Debian's newest.
    ///
    /// # Panics
    /// When there are none: no test is skipped.
    pub(crate) fn find() -> Self {
        let found = Self::look();
        found.unwrap_or_else(|missing| panic!("{missing}, and so does ./check"))
    }

    /// The same, or what is missing.
    pub(crate) fn look() -> Result<Self, String> {
        let mut folders = path();
        folders.extend(debian(Path::new(DEBIAN)));
        let found = folders.iter().find_map(|folder| complete(folder));
        found.map(Self).ok_or_else(|| {
            format!(
                "this needs PostgreSQL: {} are not in PATH, nor in {DEBIAN}/*/bin; `apt-get \
                 install postgresql` installs them",
                NEEDED.join(", ")
            )
        })
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }

    /// One of them, to be run.
    pub(crate) fn command(&self, program: &str) -> Command {
        plain_command(&self.0.join(program))
    }
}

/// A program of another package: that in `PATH`, otherwise in the folder where Debian has it.
///
/// # Panics
/// When there is none: no test is skipped.
pub(crate) fn program(name: &str, debian: &str, package: &str) -> PathBuf {
    let mut folders = path();
    folders.push(debian.into());
    let mut programs = folders.iter().map(|folder| folder.join(name));
    let found = programs.find(|program| program.is_file());
    found.unwrap_or_else(|| {
        panic!(
            "this test needs {name}: it is not in PATH; ./check installs it, and so does \
             `apt-get install {package}`"
        )
    })
}

/// A program in the environment of the tests, but for what would configure it.
pub(crate) fn plain_command(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if CONFIGURING.iter().any(|prefix| text.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
    command.env("LC_ALL", "C");
    command
}

#[expect(
    clippy::disallowed_methods,
    reason = "where programs are is said by the environment"
)]
fn path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).collect()
}

/// The newest version first.
fn debian(root: &Path) -> Vec<PathBuf> {
    let mut versions: Vec<(Vec<u32>, PathBuf)> = Vec::new();
    for entry in root.read_dir().into_iter().flatten().flatten() {
        let name = entry.file_name();
        let numbers = name.to_string_lossy().split('.').map(str::parse).collect();
        if let Ok(version) = numbers {
            versions.push((version, entry.path().join("bin")));
        }
    }
    versions.sort_unstable_by(|one, other| other.cmp(one));
    versions.into_iter().map(|(_, folder)| folder).collect()
}

/// The folder that really holds the programs, if the whole set is there: what is in `PATH` may be a
/// link to one of them.
fn complete(folder: &Path) -> Option<PathBuf> {
    let initdb = folder.join("initdb").canonicalize().ok()?;
    let folder = initdb.parent()?;
    let all = NEEDED.iter().all(|name| folder.join(name).is_file());
    all.then(|| folder.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debians_newest_version_comes_first() {
        let root = tempfile::tempdir().expect("a directory");
        for name in ["9.6", "15", "8.4", "110", "common"] {
            std::fs::create_dir(root.path().join(name)).expect("it is new");
        }
        let expected = ["110", "15", "9.6", "8.4"];
        let expected = expected.map(|name| root.path().join(name).join("bin"));
        assert_eq!(debian(root.path()), expected);
        assert_eq!(
            debian(&root.path().join("absent")),
            [""; 0].map(PathBuf::from)
        );
    }

    #[test]
    fn a_folder_without_the_whole_set_is_passed_over() {
        let root = tempfile::tempdir().expect("a directory");
        for name in NEEDED {
            assert_eq!(complete(root.path()), None);
            std::fs::write(root.path().join(name), "").expect("it is writable");
        }
        let whole = root.path().canonicalize().expect("it is there");
        assert_eq!(complete(root.path()), Some(whole));
    }
}
