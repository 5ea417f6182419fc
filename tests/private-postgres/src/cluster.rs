//! One cluster: its directory, made by `initdb`, and the server in it, under a watchdog that ends
//! it when whoever needed it is gone.

use crate::binaries::Binaries;
use crate::room::Room;
use crate::watchdog::{self, Needed, Watched};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The superuser, whoever runs the tests.
pub(crate) const USER: &str = "postgres";
/// What every server is started with: quick, and with connections enough for many tests at once.
pub(crate) const OPTIONS: [&str; 8] = [
    "listen_addresses=",
    "fsync=off",
    "full_page_writes=off",
    "max_connections=300",
    "shared_buffers=64MB",
    "min_wal_size=32MB",
    "max_wal_size=256MB",
    "log_min_messages=warning",
];

/// A cluster that is there; its server may run or not.
#[derive(Debug)]
pub(crate) struct Cluster {
    place: PathBuf,
    binaries: Binaries,
    room: Room,
}

impl Cluster {
    /// One that was made before.
    pub(crate) fn made(place: PathBuf, binaries: Binaries, room: Room) -> Self {
        Self {
            place,
            binaries,
            room,
        }
    }

    /// Makes one in an empty directory.
    ///
    /// # Panics
    /// When `initdb` fails: with what it said.
    pub(crate) fn make(place: PathBuf, binaries: Binaries, room: Room) -> Self {
        let made = Self::try_make(place, binaries, room);
        made.unwrap_or_else(|said| panic!("{said}"))
    }

    /// The same, or what `initdb` said.
    pub(crate) fn try_make(place: PathBuf, binaries: Binaries, room: Room) -> Result<Self, String> {
        let mut initdb = binaries.command("initdb");
        initdb
            .args(["-A", "trust", "--no-sync", "--locale=C", "-E", "UTF8"])
            .args(["-U", USER, "-D"])
            .arg(place.join("data"))
            .current_dir(&place)
            .stdin(Stdio::null());
        room.settle(&mut initdb);
        let output = initdb.output().map_err(|error| error.to_string())?;
        match output.status.success() {
            true => Ok(Self::made(place, binaries, room)),
            false => Err(format!(
                "initdb failed: {}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            )),
        }
    }

    /// Where it lies, and its socket.
    pub(crate) fn place(&self) -> &Path {
        &self.place
    }

    /// The socket of a cluster in `place`.
    pub(crate) fn socket(place: &Path) -> PathBuf {
        place.join(".s.PGSQL.5432")
    }

    /// Starts its server with these options beside [`OPTIONS`], and waits until it accepts
    /// connections.
    ///
    /// # Panics
    /// When it does not: with the end of its log.
    pub(crate) fn run(&self, needed: Needed, options: &[String]) -> Child {
        let watched = self.try_run(needed, options);
        watched.unwrap_or_else(|said| panic!("{said}"))
    }

    /// The same, or the end of its log.
    pub(crate) fn try_run(&self, needed: Needed, options: &[String]) -> Result<Child, String> {
        let mut server = vec![self.binaries.folder().join("postgres").into_os_string()];
        server.extend(["-D".into(), self.place.join("data").into_os_string()]);
        server.extend(["-k".into(), self.place.clone().into_os_string()]);
        for option in OPTIONS
            .into_iter()
            .chain(options.iter().map(String::as_str))
        {
            server.extend(["-c".into(), option.into()]);
        }
        let by = (&self.room, &self.binaries);
        let watched = Watched {
            command: &server,
            signal: "QUIT",
            listens: true,
            starts: None,
        };
        let started = watchdog::run(by, &self.place, needed, &watched);
        started.map_err(|said| format!("PostgreSQL did not start: {said}"))
    }

    /// What statements give in a database, one row a line.
    ///
    /// # Panics
    /// When one of them fails: with what the server said.
    pub(crate) fn psql(&self, database: &str, statements: &str) -> String {
        let output = self.psql_command(database, statements).output();
        let output = output.expect("psql is there");
        assert!(
            output.status.success(),
            "{statements}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The command behind [`Self::psql`].
    pub(crate) fn psql_command(&self, database: &str, statements: &str) -> Command {
        let mut psql = self.binaries.command("psql");
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"])
            .args(["-U", USER, "-d", database, "-h"])
            .arg(&self.place)
            .args(["-c", statements])
            .stdin(Stdio::null());
        psql
    }

    /// The end of the server's log.
    pub(crate) fn log(&self) -> String {
        watchdog::log(&self.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::process::ExitStatus;
    use std::time::Duration;

    /// Ends when the server does.
    fn wait_for_the_end(cluster: &Cluster) -> ExitStatus {
        let status = cluster
            .psql_command("postgres", "SELECT pg_sleep(600)")
            .status();
        status.expect("psql is there")
    }

    #[test]
    fn a_server_that_nobody_uses_any_more_ends_and_leaves_nothing() {
        let (room, home) = (Room::find(), Room::find().place());
        let cluster = Cluster::make(home.path().to_owned(), Binaries::find(), room);
        let file = tempfile::NamedTempFile::new().expect("a file");
        let (user, other) = (open(&file), open(&file));
        user.lock_shared().expect("it is free");
        other.lock_shared().expect("it is shared");
        let mut watchdog = cluster.run(Needed::ByAll(open(&file), Duration::from_secs(1)), &[]);
        drop(user);
        // Longer than it would stay for nobody.
        assert_eq!(
            cluster.psql("postgres", "SELECT 'slept' FROM pg_sleep(3)"),
            "slept\n"
        );
        drop(other);
        assert!(!wait_for_the_end(&cluster).success());
        let ended = watchdog.wait().expect("it is a child");
        assert!(ended.success() && !cluster.place().join("data").exists());
    }

    #[test]
    fn a_server_that_does_not_start_says_why() {
        let (room, home) = (Room::find(), Room::find().place());
        let cluster = Cluster::made(home.path().to_owned(), Binaries::find(), room);
        let starting = std::panic::AssertUnwindSafe(|| cluster.run(Needed::ByOne, &[]));
        let panic = std::panic::catch_unwind(starting).expect_err("there is no data");
        let text = panic.downcast::<String>().expect("it says why");
        assert!(text.contains("failed\n") && text.contains("data"), "{text}");
    }

    fn open(file: &tempfile::NamedTempFile) -> File {
        file.reopen().expect("it is there")
    }
}
