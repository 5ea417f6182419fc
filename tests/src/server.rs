//! The binary under `serve`, as a child process on a real socket with a data directory of its own.
//!
//! It is ready when its own line says so; nothing here guesses by time. What it prints is kept,
//! and shown when the test fails.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::api::Api;
use crate::chance::Chance;
use crate::command::{Outcome, postrider};
use crate::place;
use crate::wait::{PATIENCE, eventually, within, within_time};

/// What the line that says where the server listens holds before its URL.
const READY: &str = "listening on ";
/// How many lines of a server's log a failing test shows.
const LINES_SHOWN: usize = 200;

/// How to start a server.
#[derive(Clone, Debug)]
pub struct Options {
    binary: Option<&'static Path>,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    data_dir: Option<PathBuf>,
    listen: String,
    open_files: Option<u32>,
}

impl Options {
    /// `serve --dev`: http and loopback are allowed.
    pub fn dev() -> Self {
        Self::plain().argument("--dev")
    }

    /// `serve` by its own defaults, but for the address.
    pub fn plain() -> Self {
        Self {
            binary: None,
            arguments: Vec::new(),
            environment: Vec::new(),
            data_dir: None,
            listen: "127.0.0.1:0".into(),
            open_files: None,
        }
    }

    /// Another binary than the one under test.
    pub fn binary(mut self, path: &'static Path) -> Self {
        self.binary = Some(path);
        self
    }

    /// One more argument.
    pub fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// One more option with its value.
    pub fn option(self, name: &str, value: impl Into<String>) -> Self {
        self.argument(name).argument(value)
    }

    /// One more variable of the environment.
    pub fn variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// A data directory that is there already, and stays.
    pub fn data_dir(mut self, path: &Path) -> Self {
        self.data_dir = Some(path.to_owned());
        self
    }

    /// The soft limit of open files that it is started with; otherwise that of the tests.
    pub fn open_files(mut self, limit: u32) -> Self {
        self.open_files = Some(limit);
        self
    }

    /// An address to listen on; otherwise any port of 127.0.0.1.
    pub fn listen(mut self, address: impl ToString) -> Self {
        self.listen = address.to_string();
        self
    }
}

/// A running server, or one that was, on its data directory.
pub struct Server {
    options: Options,
    home: TempDir,
    data_dir: PathBuf,
    address: SocketAddr,
    scheme: String,
    child: Option<Child>,
    log: Log,
    token: Option<String>,
}

impl Server {
    /// Starts one and waits until it is ready.
    ///
    /// # Panics
    /// When it ends before that: with what it printed.
    pub async fn start(options: Options) -> Self {
        let home = tempfile::tempdir().expect("a directory for the server");
        let data_dir = options
            .data_dir
            .clone()
            .unwrap_or_else(|| home.path().join("data"));
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let log = Log::default();
        let scheme = "http".to_owned();
        let (child, token) = (None, None);
        let mut server = Self {
            options,
            home,
            data_dir,
            address,
            scheme,
            child,
            log,
            token,
        };
        server.spawn().await;
        server
    }

    /// Starts it again, as it was started, on the same data directory and port.
    ///
    /// # Panics
    /// When it still runs, or does not get ready.
    pub async fn restart(&mut self) {
        assert!(self.child.is_none(), "kill or terminate it first");
        self.options.listen = self.address.to_string();
        self.spawn().await;
    }

    /// Starts it again with other options, on the same data directory.
    ///
    /// # Panics
    /// When it still runs, or does not get ready.
    pub async fn restart_with(&mut self, options: Options) {
        assert!(self.child.is_none(), "kill or terminate it first");
        self.options = options;
        self.spawn().await;
    }

    /// Starts it again, and kills it after this time at the latest: mostly before it is ready.
    ///
    /// # Panics
    /// When it still runs, or ends by itself.
    pub async fn interrupt_start(&mut self, after: Duration) {
        assert!(self.child.is_none(), "kill or terminate it first");
        self.options.listen = self.address.to_string();
        let (mut child, before) = self.launch();
        let ready = timeout(after, self.log.line(READY, before)).await.is_ok();
        let ended = child.try_wait().expect("a child can be waited for");
        assert!(
            ended.is_none(),
            "it ended by itself ({ended:?}, ready: {ready}): {}",
            self.log()
        );
        self.child = Some(child);
        self.kill().await;
    }

    /// Ends it as a crash would (SIGKILL), and waits until it is gone.
    pub async fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.start_kill().expect("a child can be killed");
        within("the end of a killed server", child.wait())
            .await
            .expect("a child can be waited for");
    }

    /// Asks it to end (SIGTERM), and waits until it has.
    pub async fn terminate(&mut self) -> ExitStatus {
        self.signal("TERM").await;
        self.ended().await
    }

    /// Sends it a signal by name, and returns at once.
    pub async fn signal(&self, name: &str) {
        let line = format!("kill -{name} {}", self.pid());
        let status = Command::new("sh").args(["-c", &line]).status().await;
        assert!(status.expect("sh is there").success(), "`{line}` failed");
    }

    /// Waits until it ended by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("it runs");
        within("the server's end", child.wait())
            .await
            .expect("a child can be waited for")
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().and_then(Child::id).expect("it runs")
    }

    /// `http://`, or `https://` where it speaks TLS, and its address.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// Its address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its data directory.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// A directory beside its data directory, that goes when this does.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// A token for the whole organisation, minted once by `postrider token`.
    pub async fn token(&mut self) -> String {
        if self.token.is_none() {
            self.token = Some(self.mint(&[]).await.text().to_owned());
        }
        self.token.clone().expect("it was minted above")
    }

    /// `postrider token` on its data directory with more arguments.
    pub async fn mint(&self, arguments: &[&str]) -> Outcome {
        let data_dir = self.data_dir.to_str().expect("a path in UTF-8");
        let mut all = vec!["token", "--data-dir", data_dir];
        all.extend(arguments);
        postrider(&all).await
    }

    /// A client with the token.
    pub async fn api(&mut self) -> Api {
        let token = self.token().await;
        Api::new(&self.url(), &token)
    }

    /// All lines that it printed so far, on standard output and standard error.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Waits until it prints a line that holds `part`, or has; gives that line.
    pub async fn printed(&self, part: &str) -> String {
        self.printed_within(PATIENCE, part).await
    }

    /// The same of what may take longer.
    pub async fn printed_within(&self, limit: Duration, part: &str) -> String {
        let what = format!("a line of the server with {part:?}");
        within_time(limit, what, self.log.line(part, 0)).await
    }

    async fn spawn(&mut self) {
        let started = eventually("the server's port to be free", || self.try_spawn());
        let (child, ready) = started.await;
        (self.scheme, self.address) = listening(&ready);
        self.child = Some(child);
    }

    /// The process with its line; an error where another has its port for now, since the system
    /// gives a port that nobody listens on to outgoing connections.
    async fn try_spawn(&self) -> Result<(Child, String), String> {
        let (mut child, before) = self.launch();
        let status = tokio::select! {
            line = within("the server to be ready", self.log.line(READY, before)) => {
                return Ok((child, line));
            }
            status = child.wait() => status.expect("a child can be waited for"),
        };
        within("the end of the server's output", self.log.whole()).await;
        let said = self.log.text();
        match said.lines().last() {
            Some(last) if last.contains("Address already in use") => Err(last.to_owned()),
            _ => panic!("the server ended before it was ready ({status}): {said}"),
        }
    }

    /// Starts the process; gives it with the number of lines that were printed before.
    fn launch(&self) -> (Child, usize) {
        let binary = self.options.binary.unwrap_or_else(place::binary);
        let mut command = match self.options.open_files {
            None => place::command(binary),
            Some(limit) => {
                let mut shell = place::command(Path::new("sh"));
                let limited = format!("ulimit -S -n {limit} && exec \"$0\" \"$@\"");
                shell.arg("-c").arg(limited).arg(binary);
                shell
            }
        };
        command
            .arg("serve")
            .args(["--listen", &self.options.listen, "--data-dir"]);
        command
            .arg(&self.data_dir)
            .args(&self.options.arguments)
            .current_dir(self.home.path());
        command.envs(
            self.options
                .environment
                .iter()
                .map(|(name, value)| (name, value)),
        );
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the server can be started");
        let before = self.log.lines();
        self.log.follow(child.stdout.take().expect("it is piped"));
        self.log.follow(child.stderr.take().expect("it is piped"));
        (child, before)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- what the server printed last:\n{}---", self.log.text());
        }
    }
}

/// A free port of 127.0.0.1 that the system gives to no outgoing connection, so that a server that
/// is killed and started again finds it free.
pub fn quiet_address(chance: &mut Chance) -> SocketAddr {
    let candidates = (0..1_000).map(|_| 20_000 + chance.below(10_000));
    let ports = candidates.map(|port| u16::try_from(port).expect("below 30,000"));
    ports
        .map(|port| SocketAddr::from(([127, 0, 0, 1], port)))
        .find(|address| TcpListener::bind(address).is_ok())
        .expect("one of a thousand ports is free")
}

/// Scheme and address of the line that says where the server listens.
fn listening(ready: &str) -> (String, SocketAddr) {
    let (_, url) = ready.split_once(READY).expect("the line was found by this");
    let (scheme, rest) = url.split_once("://").expect("it is a URL");
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "[]:.".contains(c)));
    let text = &rest[..end.unwrap_or(rest.len())];
    let address = text
        .parse()
        .unwrap_or_else(|_| panic!("no address after {READY:?} in {ready:?}"));
    (scheme.to_owned(), address)
}

/// What a server printed, line by line.
#[derive(Clone)]
struct Log {
    lines: Arc<Mutex<Vec<String>>>,
    count: watch::Sender<usize>,
    /// How many pipes are being read.
    pipes: watch::Sender<usize>,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            lines: Arc::default(),
            count: watch::Sender::new(0),
            pipes: watch::Sender::new(0),
        }
    }
}

impl Log {
    /// Reads a pipe to its end, in the background.
    fn follow(&self, pipe: impl AsyncRead + Unpin + Send + 'static) {
        let log = self.clone();
        log.pipes.send_modify(|pipes| *pipes += 1);
        tokio::spawn(async move {
            let mut lines = BufReader::new(pipe).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let mut kept = log.lines.lock().expect("nobody panics with it");
                kept.push(line);
                log.count.send_replace(kept.len());
            }
            log.pipes.send_modify(|pipes| *pipes -= 1);
        });
    }

    /// Waits until all pipes have been read to their end.
    async fn whole(&self) {
        let mut pipes = self.pipes.subscribe();
        pipes
            .wait_for(|pipes| *pipes == 0)
            .await
            .expect("the log holds the sender");
    }

    fn lines(&self) -> usize {
        self.lines.lock().expect("nobody panics with it").len()
    }

    /// The first line from the `from`th on that holds `part`; waits for it.
    async fn line(&self, part: &str, from: usize) -> String {
        let mut count = self.count.subscribe();
        let mut next = from;
        loop {
            {
                let lines = self.lines.lock().expect("nobody panics with it");
                if let Some(line) = lines[next..].iter().find(|line| line.contains(part)) {
                    return line.clone();
                }
                next = lines.len();
            }
            let more = count.wait_for(|count| *count > next).await;
            more.expect("the log holds the sender");
        }
    }

    fn text(&self) -> String {
        let lines = self.lines.lock().expect("nobody panics with it");
        let shown = &lines[lines.len().saturating_sub(LINES_SHOWN)..];
        shown.iter().map(|line| format!("{line}\n")).collect()
    }
}
