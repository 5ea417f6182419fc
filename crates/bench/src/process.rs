//! The parts as child processes of this very program, so that each one's CPU and memory are its
//! own. Whatever ends the bench closes their standard input, and the bench's own parts end with it.

use crate::BenchError;
use crate::load::{Job, Sent};
use rustix::process::{Pid, Signal, kill_process};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long an end may take that was asked for: what is in flight is waited for.
const END_PATIENCE: Duration = Duration::from_secs(60);
/// What a part says when it listens, before its address.
const LISTENING: &str = "listening on ";
/// What a server for development says before its token.
const TOKEN: &str = "admin token, good for 12 hours: ";

/// A process that listens: it is killed when this is dropped.
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
        let mut command = command(program, arguments);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let start = |cause| BenchError::Start { part, cause };
        let mut child = command.spawn().map_err(start)?;
        let stderr = child.stderr.take().expect("it is piped");
        let mut lines = BufReader::new(stderr).lines();
        let mut log = Vec::new();
        let ready = tokio::time::timeout(PATIENCE, ready(&mut lines, &mut log));
        let url = ready.await.map_err(|_| BenchError::NotReady {
            part,
            limit: PATIENCE,
        })?;
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
        let token = |line: &String| Some(line.split_once(TOKEN)?.1.trim().to_owned());
        self.log.iter().find_map(token)
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

/// The load client.
pub(crate) struct LoadClient {
    child: Child,
    jobs: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl LoadClient {
    /// Starts it.
    pub(crate) fn start(program: &Path) -> Result<Self, BenchError> {
        let mut command = command(program, &["bench", "--part", "load"]);
        command.stdout(Stdio::piped());
        let start = |cause| BenchError::Start {
            part: "the load client",
            cause,
        };
        let mut child = command.spawn().map_err(start)?;
        let jobs = child.stdin.take().expect("it is piped");
        let answers = child.stdout.take().expect("it is piped");
        Ok(Self {
            child,
            jobs,
            answers: BufReader::new(answers).lines(),
        })
    }

    /// Its process.
    pub(crate) fn process(&self) -> Option<u32> {
        self.child.id()
    }

    /// Ends it.
    pub(crate) async fn stop(mut self) {
        // What does not end now ends when it is dropped.
        let _ = self.child.kill().await;
    }

    /// Has it do a job.
    pub(crate) async fn send(&mut self, job: &Job) -> Result<Sent, BenchError> {
        let lost = || BenchError::io("the load client is gone");
        let mut line = serde_json::to_string(job)?;
        line.push('\n');
        self.jobs.write_all(line.as_bytes()).await.map_err(lost())?;
        let answer = self.answers.next_line().await.map_err(lost())?;
        let answer = answer.ok_or(BenchError::Ended {
            part: "the load client",
            log: String::new(),
        })?;
        let outcome: Result<Sent, String> = serde_json::from_str(&answer)?;
        outcome.map_err(BenchError::Load)
    }
}

/// This very program, without the environment of whoever runs the bench: that may hold options.
fn command(program: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).env_clear();
    command.stdin(Stdio::piped()).kill_on_drop(true);
    command
}
