//! The parts as child processes of this very program, so that each one's CPU and memory are its
//! own. Whatever ends the bench closes their standard input, and the bench's own parts end with it.

use crate::BenchError;
use rustix::process::{Pid, Signal, kill_process};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// The same of a database, which is made first.
const DATABASE_PATIENCE: Duration = Duration::from_secs(120);
/// How long an end may take that was asked for: what is in flight is waited for.
const END_PATIENCE: Duration = Duration::from_secs(60);
/// What a part says when it listens, before its address.
const LISTENING: &str = "listening on ";
/// What a server for development says before its token.
const TOKEN: &str = "admin token, good for 12 hours: ";

/// What a database says before the number of its first process.
pub(crate) const POSTMASTER: &str = "postmaster: ";
/// What it says before the directory that holds the keys of its nodes.
pub(crate) const KEYS: &str = "keys: ";

/// A process that listens: it is killed when this is dropped, unless it ends by itself then.
pub(crate) struct Listening {
    child: Child,
    url: String,
    log: Vec<String>,
}

impl Listening {
    /// Starts one, and waits until it says where it listens.
    pub(crate) async fn start(
        program: &Path,
        part: &'static str,
        arguments: &[&str],
    ) -> Result<Self, BenchError> {
        let command = command(program, arguments);
        Self::begin(command, part, PATIENCE).await
    }

    /// Starts a part that finds what it needs by the environment of whoever runs the bench. It is
    /// not killed: it takes away what it made when its standard input is closed.
    pub(crate) async fn start_database(
        program: &Path,
        part: &'static str,
        arguments: &[&str],
    ) -> Result<Self, BenchError> {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped());
        Self::begin(command, part, DATABASE_PATIENCE).await
    }

    async fn begin(
        mut command: Command,
        part: &'static str,
        limit: Duration,
    ) -> Result<Self, BenchError> {
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let start = |cause| BenchError::Start { part, cause };
        let mut child = command.spawn().map_err(start)?;
        let stderr = child.stderr.take().expect("it is piped");
        let mut lines = BufReader::new(stderr).lines();
        let mut log = Vec::new();
        let ready = tokio::time::timeout(limit, ready(&mut lines, &mut log));
        let url = ready.await;
        let url = url.map_err(|_| BenchError::NotReady { part, limit })?;
        let Some(url) = url else {
            let log = log.join("\n");
            return Err(BenchError::Ended { part, log });
        };
        // Whoever writes to a pipe that nobody reads will stand still one day.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { child, url, log })
    }

    /// The base of its URLs.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Its process.
    pub(crate) fn process(&self) -> Option<u32> {
        self.child.id()
    }

    /// The token that it printed.
    pub(crate) fn token(&self) -> Option<String> {
        self.said(TOKEN)
    }

    /// The process of a database that all others of it are children of.
    pub(crate) fn postmaster(&self) -> Option<u32> {
        self.said(POSTMASTER)?.parse().ok()
    }

    /// The directory with the keys of a database's nodes.
    pub(crate) fn keys(&self) -> Option<String> {
        self.said(KEYS)
    }

    /// The rest of a line that begins, or goes on, like this.
    pub(crate) fn said(&self, beginning: &str) -> Option<String> {
        let rest = |line: &String| Some(line.split_once(beginning)?.1.trim().to_owned());
        self.log.iter().find_map(rest)
    }

    /// Kills it.
    pub(crate) async fn stop(mut self) {
        // What does not end now ends when it is dropped.
        let _ = self.child.kill().await;
    }

    /// Asks it to end, so that it writes down what it has done.
    pub(crate) async fn end(mut self) {
        let process = self.child.id().and_then(|id| Pid::from_raw(id as i32));
        if let Some(process) = process {
            // A process that is gone needs no signal.
            let _ = kill_process(process, Signal::TERM);
        }
        // What does not end in time is killed when it is dropped.
        let _ = tokio::time::timeout(END_PATIENCE, self.child.wait()).await;
    }

    /// Closes the standard input of one of the bench's own parts, so that it takes away what it
    /// made, and waits for that.
    pub(crate) async fn leave(mut self) {
        drop(self.child.stdin.take());
        // What does not end in time goes on ending by itself.
        let _ = tokio::time::timeout(END_PATIENCE, self.child.wait()).await;
    }
}

/// Runs this program to its end. Each line of its standard output is a number, which is told.
pub(crate) async fn complete(
    program: &Path,
    part: &'static str,
    arguments: &[&str],
    told: impl Fn(u64),
) -> Result<(), BenchError> {
    let mut command = command(program, arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let start = |cause| BenchError::Start { part, cause };
    let mut child = command.spawn().map_err(start)?;
    let mut numbers = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let mut complaints = child.stderr.take().expect("it is piped");
    let mut log = String::new();
    let telling = async {
        while let Ok(Some(line)) = numbers.next_line().await {
            if let Ok(number) = line.trim().parse() {
                told(number);
            }
        }
    };
    let (read, ()) = tokio::join!(complaints.read_to_string(&mut log), telling);
    read.map_err(start)?;
    match child.wait().await.map_err(start)?.success() {
        true => Ok(()),
        false => Err(BenchError::Ended {
            part,
            log: log.trim_end().to_owned(),
        }),
    }
}

async fn ready(lines: &mut Lines<BufReader<ChildStderr>>, log: &mut Vec<String>) -> Option<String> {
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some((_, rest)) = line.split_once(LISTENING) {
            return rest.split_whitespace().next().map(str::to_owned);
        }
        log.push(line);
    }
    None
}

/// This very program, without the environment of whoever runs the bench: that may hold options.
pub(crate) fn command(program: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).env_clear();
    command.stdin(Stdio::piped()).kill_on_drop(true);
    command
}
