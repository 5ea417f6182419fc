//! A PgBouncer in front of a server, which hands out connections by transaction.

use crate::binaries::{self, Binaries};
use crate::cluster::{Cluster, USER};
use crate::room::Room;
use crate::server::{Server, url};
use crate::watchdog::{self, Needed, Watched};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Child;
use tempfile::TempDir;

/// Where Debian has it, which is not in everybody's `PATH`.
const DEBIAN: &str = "/usr/sbin";
/// What every pooler is started with: clients enough for many tests at once.
const SETTINGS: [&str; 6] = [
    "listen_port = 5432",
    "auth_type = trust",
    "pool_mode = transaction",
    "max_client_conn = 300",
    "default_pool_size = 16",
    "log_connections = 0",
];

/// A PgBouncer of one test's own, for every database of a server: what a session leaves behind is
/// another one's at its next transaction. It ends when it is dropped.
pub struct Pooler {
    home: TempDir,
    room: Room,
    program: PathBuf,
    /// The watchdog, while it runs.
    running: Option<Child>,
}

impl Pooler {
    /// Starts one that leads to this server.
    ///
    /// # Panics
    /// When no PgBouncer is installed, or when it does not start.
    pub fn start(server: &Server) -> Self {
        Self::start_with(server, &[])
    }

    /// As [`Self::start`], with more settings, such as `default_pool_size = 1`.
    ///
    /// # Panics
    /// As [`Self::start`].
    pub fn start_with(server: &Server, settings: &[&str]) -> Self {
        let room = Room::find();
        let home = room.place();
        let mut pooler = Self {
            program: binaries::program("pgbouncer", DEBIAN, "pgbouncer"),
            home,
            room,
            running: None,
        };
        pooler.configure(server, settings);
        pooler.start_again();
        pooler
    }

    fn configure(&self, server: &Server, settings: &[&str]) {
        let (place, there) = (self.home.path().display(), server.directory().display());
        let mut text = format!(
            "[databases]\n* = host={there}\n\n[pgbouncer]\nunix_socket_dir = {place}\n\
             auth_file = {place}/users\n"
        );
        for setting in SETTINGS.iter().chain(settings) {
            writeln!(text, "{setting}").expect("a text takes everything");
        }
        let users = format!("\"{USER}\" \"\"\n");
        for (name, text) in [("settings", text), ("users", users)] {
            let path = self.home.path().join(name);
            std::fs::write(&path, text).expect("it is our directory");
            // Nobody else may enter the directory; whom the pooler runs as must read these.
            let open = std::fs::Permissions::from_mode(0o644);
            std::fs::set_permissions(&path, open).expect("it is our file");
        }
    }

    /// The URL of a database, through it.
    pub fn url(&self, database: &str) -> String {
        url(self.home.path(), database)
    }

    /// The directory that holds its socket.
    pub fn directory(&self) -> &Path {
        self.home.path()
    }

    /// Runs statements in a database through it, and gives their rows, one a line.
    ///
    /// # Panics
    /// When one of them fails: with what was said.
    pub fn psql(&self, database: &str, statements: &str) -> String {
        let place = self.home.path().to_owned();
        let through = Cluster::made(place, Binaries::find(), self.room.clone());
        through.psql(database, statements)
    }

    /// Ends it at once: all connections through it break. Nothing happens to one that has ended
    /// already.
    ///
    /// # Panics
    /// When the watchdog is gone.
    pub fn stop(&mut self) {
        if let Some(watchdog) = self.running.take() {
            watchdog::end(watchdog);
        }
    }

    /// Starts it again, and waits until it accepts connections.
    ///
    /// # Panics
    /// When it runs, or does not start.
    pub fn start_again(&mut self) {
        assert!(self.running.is_none(), "stop it first");
        let (place, binaries) = (self.home.path(), Binaries::find());
        let command: [OsString; 2] = [self.program.clone().into(), place.join("settings").into()];
        let by = (&self.room, &binaries);
        let watched = Watched {
            command: &command,
            signal: "KILL",
            listens: true,
            starts: None,
        };
        let started = watchdog::run(by, place, Needed::ByOne, &watched);
        let started = started.unwrap_or_else(|said| panic!("PgBouncer did not start: {said}"));
        self.running = Some(started);
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        self.stop();
    }
}
