//! What tests rely on: a server that is there, is theirs, and is gone afterwards, whatever became
//! of the processes that used it.

use private_postgres::{Database, Patroni, Pooler, Server, Standby};
use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A process that holds a server.
struct Holder {
    process: Child,
    url: String,
}

impl Holder {
    fn start(configure: impl FnOnce(&mut Command) -> &mut Command) -> Self {
        Self::of(spawn(configure))
    }

    fn of(mut process: Child) -> Self {
        let said = process.stdout.take().expect("it is piped");
        let mut url = String::new();
        let read = BufReader::new(said).read_line(&mut url);
        read.expect("it says its URL");
        let url = url.trim_end().to_owned();
        Self { process, url }
    }

    /// Where its server lies.
    fn place(&self) -> PathBuf {
        let (_, host) = self.url.split_once("host=").expect("a socket");
        let (host, _) = host.split_once('&').expect("a user");
        PathBuf::from(host.replace("%2F", "/"))
    }

    fn query(&self, statement: &str) -> Option<String> {
        query(&self.url, statement)
    }

    /// Ends its server as a crash of the machine would, and waits until nobody answers.
    fn crash(&self) {
        let pid = std::fs::read_to_string(self.place().join("data/postmaster.pid"));
        let pid = pid.expect("it runs");
        let pid = pid.lines().next().expect("its number");
        let killed = Command::new("kill").args(["-KILL", pid]).status();
        assert!(killed.expect("every system has kill").success());
        assert_eq!(self.query("SELECT pg_sleep(600)"), None);
    }

    /// As the system kills it: without a farewell.
    fn kill(&mut self) {
        self.process.kill().expect("it runs");
        self.process.wait().expect("it is a child");
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        // It may be killed already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a statement gives, if there is somebody who answers.
fn query(url: &str, statement: &str) -> Option<String> {
    let mut psql = Command::new("psql");
    let asked = psql.args(["-XqAt", "-d", url, "-c", statement]);
    let output = asked.output().expect("psql is there");
    let text = String::from_utf8(output.stdout).expect("it is text");
    output.status.success().then(|| text.trim_end().to_owned())
}

fn spawn(configure: impl FnOnce(&mut Command) -> &mut Command) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_private-postgres"));
    let configured = configure(&mut command)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    configured.spawn().expect("it is built with its tests")
}

/// Waits until nothing is there; what runs a test that waits for ever ends it.
fn wait_until_gone(path: &Path) {
    let mut watch = Command::new("sh");
    let script = r#"while [ -e "$1" ]; do sleep 0.05; done"#;
    let watched = watch.args(["-c", script, "sh"]).arg(path).status();
    assert!(watched.expect("every system has sh").success());
}

#[test]
fn a_server_is_there_when_it_was_started_and_gone_when_it_was_dropped() {
    let server = Server::start();
    let url = server.database("first");
    assert!(url.starts_with("postgres:///first?host=%2F"), "{url}");
    assert_eq!(server.psql("first", "SELECT current_user"), "postgres\n");
    let place = server.directory().to_owned();
    drop(server);
    assert!(!place.exists());
}

#[test]
fn a_stopped_server_starts_again_with_what_was_committed() {
    let mut server = Server::start_with(&["work_mem=5MB"]);
    server.database("kept");
    server.psql(
        "kept",
        "CREATE TABLE one (a integer); INSERT INTO one VALUES (7)",
    );
    server.stop();
    let asked = server.psql_command("kept", "SELECT a FROM one").output();
    assert!(!asked.expect("psql is there").status.success());
    server.stop();
    server.start_again();
    assert_eq!(server.psql("kept", "SELECT a FROM one"), "7\n");
    assert_eq!(server.psql("kept", "SHOW work_mem"), "5MB\n");
}

#[test]
fn a_server_ends_with_a_process_that_is_killed() {
    let mut holder = Holder::start(|command| command);
    assert_eq!(holder.query("SELECT 1").as_deref(), Some("1"));
    let place = holder.place();
    holder.kill();
    wait_until_gone(&place);
    assert_eq!(holder.query("SELECT 1"), None);
}

#[test]
fn all_processes_that_share_a_server_share_one() {
    let starting: Vec<_> = (0..3)
        .map(|_| spawn(|command| command.arg("shared")))
        .collect();
    let shared = Server::shared();
    for holder in starting {
        let holder = Holder::of(holder);
        assert_eq!(holder.place(), shared.directory());
    }
    assert_eq!(shared.psql("postgres", "SELECT 1"), "1\n");
}

#[test]
fn a_shared_server_that_crashed_is_replaced() {
    let home = tempfile::tempdir_in("/tmp").expect("a directory");
    let open = std::fs::Permissions::from_mode(0o711);
    std::fs::set_permissions(home.path(), open).expect("it is ours");
    let start = || Holder::start(|command| command.arg("shared").env("TMPDIR", home.path()));
    let first = start();
    let place = first.place();
    assert!(place.starts_with(home.path()), "{}", place.display());
    first.crash();

    let second = start();
    assert_eq!(second.query("SELECT 1").as_deref(), Some("1"));
    assert_ne!(second.place(), place);
    wait_until_gone(&place);

    second.crash();
    let place = second.place();
    drop((first, second));
    wait_until_gone(&place);
}

#[test]
fn a_database_is_empty_and_goes_with_whoever_is_connected() {
    let (one, other) = (Database::new(), Database::new());
    assert_ne!(one.name(), other.name());
    one.psql("CREATE TABLE a (b integer)");
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(other.psql(tables), "0\n");

    let name = one.name().to_owned();
    let sleeping = "SELECT pg_sleep(600)";
    let mut connected = Server::shared().psql_command(&name, sleeping);
    let mut connected = connected
        .stderr(Stdio::null())
        .spawn()
        .expect("psql is there");
    drop(one);
    assert!(!connected.wait().expect("it is a child").success());
    let there = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    assert_eq!(other.psql(&there), "0\n");
}

#[test]
fn a_pooler_leads_to_its_server_until_it_is_stopped() {
    let database = Database::new();
    database.psql("CREATE TABLE one (a integer); INSERT INTO one VALUES (7)");
    let mut pooler = Pooler::start(Server::shared());
    let url = pooler.url(database.name());
    assert_eq!(query(&url, "SELECT a FROM one").as_deref(), Some("7"));
    pooler.stop();
    pooler.stop();
    assert_eq!(query(&url, "SELECT a FROM one"), None);
    pooler.start_again();
    assert_eq!(query(&url, "SELECT a FROM one").as_deref(), Some("7"));
    drop(pooler);
    assert_eq!(query(&url, "SELECT a FROM one"), None);
}

#[test]
fn a_commit_waits_for_the_standby_for_however_short_a_time_statements_may_take() {
    let server = Server::start();
    server.database("kept");
    server.psql(
        "kept",
        "CREATE TABLE one (a integer); ALTER DATABASE kept SET statement_timeout = '500ms'",
    );
    let mut standby = Standby::start(&server, &[]);
    assert!(server.is_synchronous());
    let inserting = "BEGIN; INSERT INTO one VALUES (7); COMMIT";
    server.psql("kept", inserting);
    wait_for(|| standby.psql("kept", "SELECT a FROM one") == "7\n");
    standby.stop();
    wait_for(|| !server.is_synchronous());
    let mut committing = server.psql_command("kept", inserting);
    let mut committing = committing
        .stderr(Stdio::null())
        .spawn()
        .expect("psql is there");
    // Such a wait that is cancelled would be answered as a commit.
    let waits = "SELECT count(*) FROM pg_stat_activity
                 WHERE wait_event = 'SyncRep' AND query_start < now() - interval '2 s'";
    wait_for(|| server.psql("postgres", waits) == "1\n");
    drop(server);
    assert!(!committing.wait().expect("it is a child").success());
}

#[test]
fn patroni_promotes_the_standby_by_itself_when_the_primary_is_gone() {
    let mut patroni = Patroni::start();
    let url = patroni.database("kept");
    let made = "CREATE TABLE one (a integer); INSERT INTO one VALUES (7)";
    patroni.psql("kept", made);
    let primary = patroni.primary().expect("it was started");
    patroni.kill(primary);
    wait_for(|| query(&url, "SELECT a FROM one").as_deref() == Some("7"));
    assert_eq!(patroni.primary(), Some(1 - primary));
    assert!(!patroni.is_synchronous());
    patroni.start_again(primary);
    wait_for(|| patroni.is_synchronous());
    assert_eq!(patroni.primary(), Some(1 - primary));
}

#[test]
fn what_patroni_runs_ends_with_a_process_that_is_killed() {
    let mut holder = Holder::start(|command| command.arg("patroni"));
    assert_eq!(holder.query("SELECT 1").as_deref(), Some("1"));
    let etcd = holder.url.split_once(".1,").expect("two hosts").0;
    let etcd = format!("{}.3:2379", etcd.split_once('@').expect("an account").1);
    TcpStream::connect(&etcd).expect("it runs");
    holder.kill();
    wait_for(|| holder.query("SELECT 1").is_none() && TcpStream::connect(&etcd).is_err());
}

/// Asks until the answer is yes; what runs a test that waits for ever ends it.
fn wait_for(mut ask: impl FnMut() -> bool) {
    while !ask() {
        let pause = Command::new("sleep").arg("0.1").status();
        assert!(pause.expect("every system has sleep").success());
    }
}
