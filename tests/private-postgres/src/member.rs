//! One server that Patroni runs: its settings, its directory, and the way it ends.

use crate::binaries::{Binaries, program};
use crate::cluster::USER;
use crate::room::Room;
use crate::watchdog::{self, Needed, Watched};
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command};
use tempfile::TempDir;

/// Of every account.
pub(crate) const PASSWORD: &str = "secret";
/// Where Debian has Patroni.
const DEBIAN: &str = "/usr/bin";
const SETTINGS: &str = "patroni.yml";
/// The process of the server whose directory this is, and the children of a process, of which one
/// may end just then.
const CHILDREN: &str = r#"
children() { cat "/proc/$1/task/$1/children"; }
read -r server <"$1/data/postmaster.pid" || exit 1
signal_children() { kill -s "$1" $(children "$server") 2>/dev/null || :; }
"#;
/// Stops what a watchdog has started, and the server.
const STOP: &str = r#"kill -s STOP $(children "$2") "$server" && signal_children STOP"#;
/// Ends what a watchdog has started, and lets the server go on.
const GO_ON_ALONE: &str = r#"
kill -s KILL $(children "$2") && signal_children CONT && kill -s CONT "$server""#;

/// A server and its Patroni. They end when this is dropped.
pub(crate) struct Member {
    address: String,
    home: TempDir,
    room: Room,
    binaries: Binaries,
    /// The watchdog, while it runs.
    running: Option<Child>,
    /// Those of a Patroni that ended without its server.
    left: Vec<Child>,
}

impl Member {
    /// Starts a Patroni, which does the rest once it has reached etcd.
    ///
    /// # Panics
    /// When it is not installed.
    pub(crate) fn start(
        (room, binaries): (&Room, &Binaries),
        (number, address): (u8, String),
        etcd: &str,
    ) -> Self {
        let home = room.place();
        let path = home.path().join(SETTINGS);
        let text = settings((number, &address), etcd, (home.path(), binaries.folder()));
        std::fs::write(&path, text).expect("it is our directory");
        // Nobody else may enter the directory; whom Patroni runs as must read this.
        let open = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(&path, open).expect("it is our file");
        let mut member = Self {
            address,
            home,
            room: room.clone(),
            binaries: binaries.clone(),
            running: None,
            left: Vec::new(),
        };
        member.start_again();
        member
    }

    /// Where its server listens.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The end of what it and its server logged.
    pub(crate) fn log(&self) -> String {
        watchdog::log(self.home.path())
    }

    /// Ends it and its server as a machine does that loses its power.
    ///
    /// # Panics
    /// When it does not run.
    pub(crate) fn kill(&mut self) {
        watchdog::crash(self.running.take().expect("it runs"));
    }

    /// Makes it and its server stand still.
    ///
    /// # Panics
    /// When it does not run.
    pub(crate) fn stand_still(&self) {
        let watchdog = self.running.as_ref().expect("it runs").id();
        self.sh(STOP, &[&watchdog.to_string()]);
    }

    /// Lets the server go on that stands still, and ends what ran it.
    ///
    /// # Panics
    /// When it does not run.
    pub(crate) fn go_on_alone(&mut self) {
        let watchdog = self.running.take().expect("it runs");
        self.sh(GO_ON_ALONE, &[&watchdog.id().to_string()]);
        self.left.push(watchdog);
    }

    fn sh(&self, script: &str, arguments: &[&str]) {
        let mut sh = Command::new("sh");
        sh.args(["-c", &format!("{CHILDREN}{script}"), "sh"]);
        let done = sh.arg(self.home.path()).args(arguments).status();
        assert!(done.expect("every system has sh").success());
    }

    /// Starts it on the same directory.
    ///
    /// # Panics
    /// When it runs.
    pub(crate) fn start_again(&mut self) {
        assert!(self.running.is_none(), "kill it first");
        let patroni = program("patroni", DEBIAN, "patroni");
        let command: [OsString; 2] = [patroni.into(), self.home.path().join(SETTINGS).into()];
        let watched = Watched {
            command: &command,
            signal: "KILL",
            listens: false,
            starts: Some("data/postmaster.pid"),
        };
        let by = (&self.room, &self.binaries);
        let started = watchdog::run(by, self.home.path(), Needed::ByOne, &watched);
        let started = started.unwrap_or_else(|said| panic!("Patroni did not start: {said}"));
        self.running = Some(started);
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        for watchdog in self.running.take().into_iter().chain(self.left.drain(..)) {
            watchdog::end(watchdog);
        }
    }
}

/// What an operator would write, but for times: the primary's hold in etcd ends after five seconds,
/// and everyone looks at it once a second. Patroni wants the first to be the second and two tries.
fn settings(
    (number, address): (u8, &str),
    etcd: &str,
    (place, binaries): (&Path, &Path),
) -> String {
    let (place, binaries) = (place.display(), binaries.display());
    format!(
        "scope: postrider
name: member{number}
restapi: {{listen: '{address}:8008'}}
etcd3: {{hosts: '{etcd}:2379'}}
bootstrap:
  dcs:
    ttl: 5
    loop_wait: 1
    retry_timeout: 2
    synchronous_mode: true
    postgresql:
      use_pg_rewind: true
      parameters: {{max_connections: 100, shared_buffers: 64MB, max_wal_size: 256MB}}
  initdb: [no-sync, {{encoding: UTF8}}, {{locale: C}}]
postgresql:
  listen: '{address}:5432'
  connect_address: '{address}:5432'
  data_dir: {place}/data
  bin_dir: {binaries}
  pgpass: {place}/pgpass
  parameters: {{unix_socket_directories: '{place}'}}
  pg_hba:
  - host replication all 127.0.0.0/8 scram-sha-256
  - host all all 127.0.0.0/8 scram-sha-256
  authentication:
    superuser: {{username: {USER}, password: {PASSWORD}}}
    replication: {{username: replicator, password: {PASSWORD}}}
    rewind: {{username: rewinder, password: {PASSWORD}}}
"
    )
}
