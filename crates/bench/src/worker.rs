//! Parts that are told what to do on their standard input, and answer on their standard output, in
//! lines of JSON: the load client, and the flooder.

use crate::BenchError;
use crate::flood::{self, Answers};
use crate::load::{Job, Sent};
use crate::process::command;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};

/// How long it may take until every connection of a flood has carried requests.
const SWING_PATIENCE: Duration = Duration::from_secs(30);

/// The load client.
pub(crate) struct LoadClient(Worker);

impl LoadClient {
    /// Starts it.
    pub(crate) fn start(program: &Path) -> Result<Self, BenchError> {
        Ok(Self(Worker::start(program, "load", "the load client")?))
    }

    /// Its process.
    pub(crate) fn process(&self) -> Option<u32> {
        self.0.child.id()
    }

    /// Ends it.
    pub(crate) async fn stop(self) {
        self.0.stop().await;
    }

    /// Has it do a job.
    pub(crate) async fn send(&mut self, job: &Job) -> Result<Sent, BenchError> {
        self.0.tell(job).await?;
        let outcome: Result<Sent, String> = self.0.hear().await?;
        outcome.map_err(BenchError::Load)
    }
}

/// The flooder, at work.
pub(crate) struct Flooder(Worker);

impl Flooder {
    /// Starts it, and waits until the flood is in full swing.
    pub(crate) async fn start(program: &Path, job: &flood::Job) -> Result<Self, BenchError> {
        let part = "the flooder";
        let mut worker = Worker::start(program, "flood", part)?;
        worker.tell(job).await?;
        let limit = SWING_PATIENCE;
        let swing = tokio::time::timeout(limit, worker.hear::<()>()).await;
        swing.map_err(|_| BenchError::NotReady { part, limit })??;
        Ok(Self(worker))
    }

    /// Ends it; gives how it was answered.
    pub(crate) async fn end(mut self) -> Result<Answers, BenchError> {
        self.0.tell(&()).await?;
        let answers = self.0.hear().await?;
        self.0.stop().await;
        Ok(answers)
    }
}

struct Worker {
    part: &'static str,
    child: Child,
    jobs: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Worker {
    fn start(program: &Path, name: &str, part: &'static str) -> Result<Self, BenchError> {
        let mut command = command(program, &["bench", "--part", name]);
        command.stdout(Stdio::piped());
        let start = |cause| BenchError::Start { part, cause };
        let mut child = command.spawn().map_err(start)?;
        let jobs = child.stdin.take().expect("it is piped");
        let answers = child.stdout.take().expect("it is piped");
        Ok(Self {
            part,
            child,
            jobs,
            answers: BufReader::new(answers).lines(),
        })
    }

    async fn tell(&mut self, job: &impl Serialize) -> Result<(), BenchError> {
        let mut line = serde_json::to_string(job)?;
        line.push('\n');
        let told = self.jobs.write_all(line.as_bytes()).await;
        told.map_err(BenchError::io("a part can't be told what to do"))
    }

    async fn hear<T: DeserializeOwned>(&mut self) -> Result<T, BenchError> {
        let answer = self.answers.next_line().await;
        let answer = answer.map_err(BenchError::io("a part's answer can't be read"))?;
        let answer = answer.ok_or(BenchError::Ended {
            part: self.part,
            log: String::new(),
        })?;
        Ok(serde_json::from_str(&answer)?)
    }

    async fn stop(mut self) {
        // What does not end now ends when it is dropped.
        let _ = self.child.kill().await;
    }
}
