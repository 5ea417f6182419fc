//! Two PostgreSQL servers that Patroni runs, by what they agree on in etcd: a primary, and a
//! standby that has every commit before it is answered, and is promoted without anybody's doing
//! when the primary is gone.
//!
//! All of it listens on addresses of the loopback network, a few of 127.0.0.0/8 for each of these,
//! and asks for a password. How soon a standby is promoted is set far below what operators would
//! choose: tests wait for it.

use crate::binaries::{Binaries, program};
use crate::cluster::USER;
use crate::member::{Member, PASSWORD};
use crate::room::Room;
use crate::synchronous::{SYNCHRONOUS, comes};
use crate::watchdog::{self, Needed, Watched};
use std::ffi::OsString;
use std::hash::{BuildHasher as _, RandomState};
use std::process::{Child, Command};
use tempfile::TempDir;

/// Where Debian has etcd.
const DEBIAN: &str = "/usr/bin";
/// How many servers there are.
const COUNT: u8 = 2;
/// Both of them, with their etcd. They end when this is dropped.
pub struct Patroni {
    members: Vec<Member>,
    etcd: Option<Child>,
    binaries: Binaries,
    _home: TempDir,
}

impl Patroni {
    /// Starts all, and waits until the standby is synchronous: that takes some ten seconds.
    ///
    /// # Panics
    /// When Patroni, etcd or PostgreSQL are not installed, or when they do not start.
    pub fn start() -> Self {
        let (room, binaries) = (Room::find(), Binaries::find());
        let network = network();
        let home = room.place();
        let etcd = format!("{network}.{}", COUNT + 1);
        let running = start_etcd((&room, &binaries), &home, &etcd);
        let member = |number: u8| {
            let address = format!("{network}.{}", number + 1);
            Member::start((&room, &binaries), (number, address), &etcd)
        };
        let patroni = Self {
            members: (0..COUNT).map(member).collect(),
            etcd: Some(running),
            binaries,
            _home: home,
        };
        patroni.wait_until_synchronous();
        patroni
    }

    /// Makes an empty database, and gives its URL.
    ///
    /// # Panics
    /// When it is there already.
    pub fn database(&self, name: &str) -> String {
        self.psql("postgres", &format!("CREATE DATABASE \"{name}\""));
        // A standby that has not come to it yet refuses, and psql asks no other server then.
        let is_there = comes(&self.psql_command(name, "SELECT 1"));
        assert!(is_there, "`{name}` is not on both: {}", self.logs());
        self.url(name)
    }

    /// The URL of a database, on whichever of the servers takes writes.
    pub fn url(&self, database: &str) -> String {
        let hosts: Vec<&str> = self.members.iter().map(Member::address).collect();
        let hosts = hosts.join(",");
        format!(
            "postgres://{USER}:{PASSWORD}@{hosts}/{database}?target_session_attrs=read-write\
             &sslmode=disable"
        )
    }

    /// Runs statements in a database, on whichever of the servers takes writes, and gives their
    /// rows, one a line.
    ///
    /// # Panics
    /// When none does, or one of the statements fails: with what was said.
    pub fn psql(&self, database: &str, statements: &str) -> String {
        let said = self.try_psql(database, statements);
        said.unwrap_or_else(|error| panic!("{statements}: {error}"))
    }

    /// Which of the servers takes writes, if one does.
    pub fn primary(&self) -> Option<usize> {
        let address = self.try_psql("postgres", "SELECT host(inet_server_addr())");
        let address = address.ok()?;
        let is_it = |member: &Member| member.address() == address.trim();
        self.members.iter().position(is_it)
    }

    /// Whether there is a primary, and a standby that has every commit before it is answered.
    pub fn is_synchronous(&self) -> bool {
        self.try_psql("postgres", SYNCHRONOUS).is_ok()
    }

    /// Ends a server and its Patroni as a machine does that loses its power.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill(&mut self, member: usize) {
        self.members[member].kill();
    }

    /// Makes a server and its Patroni stand still, as a machine does whose kernel goes on.
    ///
    /// # Panics
    /// When it does not run.
    pub fn stand_still(&mut self, member: usize) {
        self.members[member].stand_still();
    }

    /// Lets a server go on that stands still, without its Patroni, which ends: one that went on
    /// would not notice at once that it is not the leader any more, and could become it again.
    ///
    /// # Panics
    /// When it does not run.
    pub fn go_on_alone(&mut self, member: usize) {
        self.members[member].go_on_alone();
    }

    /// Runs statements in a database on this server, whether it takes writes or not, and gives
    /// their rows, one a line. Otherwise what was said.
    pub fn psql_on(
        &self,
        member: usize,
        database: &str,
        statements: &str,
    ) -> Result<String, String> {
        let address = self.members[member].address();
        let url = format!("postgres://{USER}:{PASSWORD}@{address}/{database}?sslmode=disable");
        said(&mut self.psql_by(&url, statements))
    }

    /// Starts Patroni again where it has ended; what its server becomes is up to it.
    ///
    /// # Panics
    /// When it runs.
    pub fn start_again(&mut self, member: usize) {
        self.members[member].start_again();
    }

    fn wait_until_synchronous(&self) {
        let came = comes(&self.psql_command("postgres", SYNCHRONOUS));
        assert!(came, "there is no standby: {}", self.logs());
    }

    fn try_psql(&self, database: &str, statements: &str) -> Result<String, String> {
        said(&mut self.psql_command(database, statements))
    }

    fn psql_command(&self, database: &str, statements: &str) -> Command {
        self.psql_by(&self.url(database), statements)
    }

    fn psql_by(&self, url: &str, statements: &str) -> Command {
        let mut psql = self.binaries.command("psql");
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d"]);
        psql.arg(format!("{url}&connect_timeout=2"));
        psql.args(["-c", statements]);
        psql
    }

    fn logs(&self) -> String {
        let logs = self.members.iter().map(Member::log);
        logs.collect::<Vec<_>>().join("\n---\n")
    }
}

impl Drop for Patroni {
    fn drop(&mut self) {
        // The servers first: without etcd, a primary would begin to step down.
        self.members.clear();
        if let Some(watchdog) = self.etcd.take() {
            watchdog::end(watchdog);
        }
    }
}

/// What a command said, or why it failed.
fn said(command: &mut Command) -> Result<String, String> {
    let output = command.output().expect("psql is there");
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// The first three numbers of addresses that nobody else uses: of some 60,000 networks, by chance.
fn network() -> String {
    let chance = RandomState::new().hash_one(std::process::id());
    let (second, third) = (1 + chance % 250, (chance >> 32) % 250);
    format!("127.{second}.{third}")
}

/// Starts an etcd of one, which does not sync: what is tried here is PostgreSQL.
fn start_etcd((room, binaries): (&Room, &Binaries), home: &TempDir, address: &str) -> Child {
    let (clients, peers) = (
        format!("http://{address}:2379"),
        format!("http://{address}:2380"),
    );
    let mut command: Vec<OsString> = vec![program("etcd", DEBIAN, "etcd-server").into()];
    let options = [
        ("--name", "etcd".to_owned()),
        ("--listen-client-urls", clients.clone()),
        ("--advertise-client-urls", clients),
        ("--listen-peer-urls", peers.clone()),
        ("--initial-advertise-peer-urls", peers.clone()),
        ("--initial-cluster", format!("etcd={peers}")),
    ];
    for (name, value) in options {
        command.extend([name.into(), value.into()]);
    }
    command.extend(["--data-dir".into(), home.path().join("etcd").into()]);
    command.push("--unsafe-no-fsync".into());
    let watched = Watched {
        command: &command,
        signal: "KILL",
        listens: false,
        starts: None,
    };
    let started = watchdog::run((room, binaries), home.path(), Needed::ByOne, &watched);
    started.unwrap_or_else(|said| panic!("etcd did not start: {said}"))
}
