//! Where clusters lie, and as whom they run: PostgreSQL refuses to run as root.

use rustix::process::geteuid;
use std::fs::{DirBuilder, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// The longest directory that leaves room for what lies in it: the path of a socket has 103 bytes
/// on every system, and no more.
const BYTES_MAX: usize = 45;

/// A user of the machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Account {
    user: u32,
    group: u32,
}

/// A directory for clusters, and the user that they run as.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    directory: PathBuf,
    /// None: as the tests run.
    account: Option<Account>,
}

impl Room {
    /// The system's directory for temporary files, or `/tmp` where that one doesn't do.
    ///
    /// # Panics
    /// When neither does, or when root has nobody to run PostgreSQL as.
    pub(crate) fn find() -> Self {
        let candidates = [std::env::temp_dir(), PathBuf::from("/tmp")];
        Self::look(&candidates).unwrap_or_else(|missing| panic!("{missing}"))
    }

    /// The first of these directories that does, or what is missing.
    pub(crate) fn look(candidates: &[PathBuf]) -> Result<Self, String> {
        let account = match geteuid().is_root() {
            false => None,
            true => {
                let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
                Some(account(&accounts, "postgres").ok_or(
                    "PostgreSQL does not run as root: the machine needs a user of the name postgres",
                )?)
            }
        };
        let is_usable = |path: &&PathBuf| is_usable(path, account.is_some());
        let directory = candidates.iter().find(is_usable).ok_or_else(|| {
            let named: Vec<_> = candidates
                .iter()
                .map(|path| path.to_string_lossy())
                .collect();
            let named = named.join(" or ");
            format!(
                "PostgreSQL can't work in {named}: it needs a directory that its user can enter, \
                 by an absolute path of at most {BYTES_MAX} plain characters"
            )
        })?;
        Ok(Self {
            directory: directory.clone(),
            account,
        })
    }

    /// A new directory in this room, for one cluster.
    pub(crate) fn place(&self) -> TempDir {
        self.place_in(&self.directory, "postrider-pg-")
    }

    /// A new directory for one cluster in one that [`Self::common`] gave.
    pub(crate) fn place_in(&self, directory: &Path, prefix: &str) -> TempDir {
        let place = self.try_place_in(directory, prefix);
        place.unwrap_or_else(|error| panic!("no directory in {}: {error}", directory.display()))
    }

    /// As [`Self::place`].
    pub(crate) fn try_place(&self) -> io::Result<TempDir> {
        self.try_place_in(&self.directory, "postrider-pg-")
    }

    fn try_place_in(&self, directory: &Path, prefix: &str) -> io::Result<TempDir> {
        let place = tempfile::Builder::new()
            .prefix(prefix)
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(directory)?;
        if let Some(Account { user, group }) = self.account {
            chown(place.path(), Some(user), Some(group))?;
        }
        Ok(place)
    }

    /// The directory that all processes of this user share. It stays: what is removed while others
    /// lock it is no lock.
    pub(crate) fn common(&self) -> PathBuf {
        let own = geteuid().as_raw();
        let path = self.directory.join(format!("postrider-pg-{own}"));
        match DirBuilder::new().mode(0o700).create(&path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                panic!("no directory {}: {error}", path.display())
            }
            _ => {}
        }
        let there = path.symlink_metadata().expect("it was made just now");
        assert!(
            there.is_dir() && there.uid() == own,
            "{} belongs to somebody else: remove it",
            path.display()
        );
        // PostgreSQL's user may remove what is its own in it, and nothing else.
        let group = self.account.map(|account| account.group);
        chown(&path, None, group).expect("its owner may");
        let mode = if group.is_some() { 0o1770 } else { 0o700 };
        std::fs::set_permissions(&path, Permissions::from_mode(mode)).expect("its owner may");
        path
    }

    /// Makes a command run as the clusters do.
    pub(crate) fn settle(&self, command: &mut Command) {
        if let Some(Account { user, group }) = self.account {
            command.uid(user).gid(group);
        }
    }
}

/// Whether sockets can be bound below `path` without any quoting, also, `by_others`, by users who
/// only pass through.
fn is_usable(path: &Path, by_others: bool) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/_-.".contains(byte);
    let bytes = path.as_os_str().as_encoded_bytes();
    let is_passable = |folder: &Path| {
        let mode = folder.metadata().map_or(0, |there| there.mode());
        !by_others || mode & 0o001 != 0
    };
    path.is_absolute()
        && path.is_dir()
        && bytes.len() <= BYTES_MAX
        && bytes.iter().all(is_plain)
        && path.ancestors().all(is_passable)
}

/// A user in the text of `/etc/passwd`.
fn account(accounts: &str, name: &str) -> Option<Account> {
    let line = accounts
        .lines()
        .find(|line| line.split(':').next() == Some(name))?;
    let mut numbers = line.split(':').skip(2).map(str::parse);
    let user = numbers.next()?.ok()?;
    let group = numbers.next()?.ok()?;
    Some(Account { user, group })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_the_whole_name() {
        let accounts = "root:x:0:0:root:/root:/bin/bash\npostgres2:x:7:8::/:/bin/sh\n\
                        postgres:x:101:104:PostgreSQL,,,:/var/lib/postgresql:/bin/bash\n";
        let found = account(accounts, "postgres").map(|found| (found.user, found.group));
        assert_eq!(found, Some((101, 104)));
        assert!(account(accounts, "nobody").is_none());
        assert!(account("postgres:x\n", "postgres").is_none());
    }

    #[test]
    fn a_directory_that_others_cannot_enter_is_not_used_for_them() {
        let root = tempfile::tempdir_in("/tmp").expect("a directory");
        let inner = root.path().join("inner");
        std::fs::create_dir(&inner).expect("it is new");
        for (outer, own, by_others) in [
            (0o711, 0o711, true),
            (0o700, 0o711, false),
            (0o711, 0o700, false),
        ] {
            std::fs::set_permissions(&inner, Permissions::from_mode(own)).expect("it is ours");
            std::fs::set_permissions(root.path(), Permissions::from_mode(outer))
                .expect("it is ours");
            assert!(is_usable(&inner, false));
            assert_eq!(is_usable(&inner, true), by_others, "{outer:o} {own:o}");
        }
    }

    #[test]
    fn a_cluster_is_closed_to_others() {
        let room = Room::find();
        for place in [room.place(), room.place_in(&room.common(), "test-")] {
            let mode = place.path().metadata().expect("it is there").mode();
            assert_eq!(mode & 0o777, 0o700);
        }
        let mode = room.common().metadata().expect("it is there").mode();
        assert_eq!(mode & 0o007, 0);
    }

    #[test]
    fn a_directory_whose_name_needs_quoting_or_is_too_long_is_not_used() {
        let root = tempfile::tempdir_in("/tmp").expect("a directory");
        for name in ["a,b", "a b", "a'b", &"a".repeat(BYTES_MAX)] {
            let inner = root.path().join(name);
            std::fs::create_dir(&inner).expect("it is new");
            assert!(!is_usable(&inner, false), "{name}");
        }
        assert!(!is_usable(&root.path().join("absent"), false));
    }
}
