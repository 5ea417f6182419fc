//! A running server, as tests see it.

use crate::binaries::Binaries;
use crate::cluster::{Cluster, USER};
use crate::room::Room;
use crate::shared;
use crate::synchronous::SYNCHRONOUS;
use crate::watchdog::{self, Needed};
use std::any::Any;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Child;

/// A PostgreSQL of the tests' own. One that [`Server::start`] gave ends when it is dropped.
pub struct Server {
    cluster: Cluster,
    options: Vec<String>,
    /// The watchdog, while a server of this value's own runs.
    running: Option<Child>,
    /// What is let go of at the end: a directory, or the lock that keeps a shared server.
    _kept: Box<dyn Any + Send + Sync>,
}

impl Server {
    /// Makes a cluster and starts it, for this test alone: that costs more than a second.
    ///
    /// # Panics
    /// When no PostgreSQL is installed, or when it does not start.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// As [`Self::start`], with more options, such as `fsync=on`.
    ///
    /// # Panics
    /// As [`Self::start`].
    pub fn start_with(options: &[&str]) -> Self {
        let room = Room::find();
        let home = room.place();
        let cluster = Cluster::make(home.path().to_owned(), Binaries::find(), room);
        let options: Vec<String> = options.iter().map(ToString::to_string).collect();
        let running = Some(cluster.run(Needed::ByOne, &options));
        Self {
            cluster,
            options,
            running,
            _kept: Box::new(home),
        }
    }

    /// As [`Self::start_with`], for a program that is no test: in a new directory below this one.
    ///
    /// # Errors
    /// What is missing, or what PostgreSQL says of it.
    pub fn start_below(directory: &Path, options: &[&str]) -> Result<Self, String> {
        let room = Room::look(&[directory.to_owned()])?;
        let home = room.try_place();
        let home = home.map_err(|error| format!("{}: {error}", directory.display()))?;
        let cluster = Cluster::try_make(home.path().to_owned(), Binaries::look()?, room)?;
        let options: Vec<String> = options.iter().map(ToString::to_string).collect();
        let running = Some(cluster.try_run(Needed::ByOne, &options)?);
        Ok(Self {
            cluster,
            options,
            running,
            _kept: Box::new(home),
        })
    }

    /// Whether [`Self::start_below`] finds what it needs.
    ///
    /// # Errors
    /// What is missing.
    pub fn check_below(directory: &Path) -> Result<(), String> {
        Room::look(&[directory.to_owned()])?;
        Binaries::look().map(drop)
    }

    /// The process whose children are all others of the server; not while it does not run.
    pub fn postmaster(&self) -> Option<u32> {
        let path = self.directory().join("data/postmaster.pid");
        let text = std::fs::read_to_string(path).ok()?;
        text.lines().next()?.parse().ok()
    }

    /// The server that all tests of this user share. The first that asks starts it; it ends some
    /// seconds after the last process that asked.
    ///
    /// # Panics
    /// As [`Self::start`].
    pub fn shared() -> &'static Self {
        shared::server()
    }

    pub(crate) fn kept_by(cluster: Cluster, kept: impl Any + Send + Sync) -> Self {
        Self {
            cluster,
            options: Vec::new(),
            running: None,
            _kept: Box::new(kept),
        }
    }

    /// Makes an empty database, and gives its URL.
    ///
    /// # Panics
    /// When it is there already.
    pub fn database(&self, name: &str) -> String {
        self.psql("postgres", &format!("CREATE DATABASE \"{name}\""));
        self.url(name)
    }

    /// The URL of a database.
    pub fn url(&self, database: &str) -> String {
        url(self.directory(), database)
    }

    /// Runs statements in a database, and gives their rows, one a line.
    ///
    /// # Panics
    /// When one of them fails: with what the server said.
    pub fn psql(&self, database: &str, statements: &str) -> String {
        self.cluster.psql(database, statements)
    }

    /// As [`Self::psql`], but left to the caller to be run.
    pub fn psql_command(&self, database: &str, statements: &str) -> std::process::Command {
        self.cluster.psql_command(database, statements)
    }

    /// Whether a standby has every commit before it is answered.
    pub fn is_synchronous(&self) -> bool {
        let asked = self.synchronous_command().output();
        asked.expect("psql is there").status.success()
    }

    /// The command behind [`Self::is_synchronous`].
    pub(crate) fn synchronous_command(&self) -> std::process::Command {
        self.psql_command("postgres", SYNCHRONOUS)
    }

    /// The directory that holds the socket, and all else of it.
    pub fn directory(&self) -> &Path {
        self.cluster.place()
    }

    /// The end of what the server logged.
    pub fn log(&self) -> String {
        self.cluster.log()
    }

    /// Ends the server at once, as a crash would: connections break, and what was not committed is
    /// lost. Nothing happens to one that has ended already.
    ///
    /// # Panics
    /// When the watchdog is gone.
    pub fn stop(&mut self) {
        if let Some(watchdog) = self.running.take() {
            watchdog::end(watchdog);
        }
    }

    /// Starts it again on the same data, and waits until it accepts connections.
    ///
    /// # Panics
    /// When it runs, or does not start.
    pub fn start_again(&mut self) {
        assert!(self.running.is_none(), "stop it first");
        self.running = Some(self.cluster.run(Needed::ByOne, &self.options));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The URL of a database whose server listens in a directory.
pub(crate) fn url(directory: &Path, database: &str) -> String {
    let host = percent_encoded(directory);
    format!("postgres:///{database}?host={host}&user={USER}")
}

fn percent_encoded(path: &Path) -> String {
    let mut text = String::new();
    for byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            text.push(char::from(*byte));
        } else {
            write!(text, "%{byte:02X}").expect("a text takes everything");
        }
    }
    text
}
