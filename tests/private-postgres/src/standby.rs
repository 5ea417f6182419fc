//! A standby of a server: it streams from that, and has every commit before it is answered. Nobody
//! promotes it but who is told to; servers that see to that themselves are [`crate::patroni`].

use crate::binaries::Binaries;
use crate::cluster::{Cluster, USER};
use crate::room::Room;
use crate::server::{Server, url};
use crate::synchronous::comes;
use crate::watchdog::{self, Needed};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Where the primary keeps what the standby has not got yet.
const SLOT: &str = "standby";
/// It looks for its primary all the time while that is away.
const OPTIONS: [&str; 1] = ["wal_retrieve_retry_interval=100ms"];

/// A synchronous standby. It ends when it is dropped.
pub struct Standby {
    cluster: Cluster,
    /// The watchdog, while it runs.
    running: Option<Child>,
    _home: TempDir,
}

impl Standby {
    /// Copies a server, starts the copy with these options, and waits until the server answers no
    /// commit that the copy does not have. What was a limit of the server's must be none of these.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(primary: &Server, options: &[&str]) -> Self {
        let (room, binaries) = (Room::find(), Binaries::find());
        let home = room.place();
        copy((&room, &binaries), primary.directory(), home.path());
        let cluster = Cluster::made(home.path().to_owned(), binaries, room);
        let options = OPTIONS.iter().chain(options);
        let options: Vec<String> = options.map(ToString::to_string).collect();
        let standby = Self {
            running: Some(cluster.run(Needed::ByOne, &options)),
            cluster,
            _home: home,
        };
        // Not before: without a standby, nothing could be committed.
        for setting in [
            "ALTER SYSTEM SET synchronous_standby_names = '*'",
            "SELECT pg_reload_conf()",
        ] {
            primary.psql("postgres", setting);
        }
        let came = comes(&primary.synchronous_command());
        assert!(came, "it is not synchronous: {}", standby.cluster.log());
        standby
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

    /// The directory that holds the socket, and all else of it.
    pub fn directory(&self) -> &Path {
        self.cluster.place()
    }

    /// Makes it a primary, and waits until it is one. What was its primary is told nothing: no
    /// commit is answered there any more.
    ///
    /// # Panics
    /// When it can't become one.
    pub fn promote(&self) {
        let promoted = self.psql("postgres", "SELECT pg_promote()");
        assert_eq!(promoted, "t\n", "{}", self.cluster.log());
    }

    /// Ends it at once. Nothing happens to one that has ended already.
    ///
    /// # Panics
    /// When the watchdog is gone.
    pub fn stop(&mut self) {
        if let Some(watchdog) = self.running.take() {
            watchdog::end(watchdog);
        }
    }
}

impl Drop for Standby {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Makes a copy of a server that follows it when it is started.
fn copy((room, binaries): (&Room, &Binaries), primary: &Path, place: &Path) {
    let mut copying: Command = binaries.command("pg_basebackup");
    copying
        .args(["-U", USER, "-h"])
        .arg(primary)
        .arg("-D")
        .arg(place.join("data"))
        .args(["-R", "-C", "-S", SLOT, "-c", "fast", "--no-sync", "-w"])
        .current_dir(place)
        .stdin(Stdio::null());
    room.settle(&mut copying);
    let output = copying.output().expect("it is among what was looked for");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "pg_basebackup failed: {said}");
}
