//! A node while it runs: watches what must go on, and ends it in order.
//!
//! At a signal no connection is accepted and no attempt begins any more; requests and attempts that
//! are under way may end, each for as long as the operator lets them. A part that ends by itself
//! has failed, and the process with it: better none than one that accepts and never sends.

use crate::failure::Failure;
use anyhow::anyhow;
use engine::Drained;
use std::time::Duration;
use store::Condition;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinError, JoinHandle};
use tokio_util::sync::CancellationToken;

/// How long answers may take to go out once the store has failed: those who wait are told so.
const FAREWELL: Duration = Duration::from_secs(2);
/// What both parts need at most beyond the time that they are given.
const GRACE: Duration = Duration::from_secs(2);

/// The parts of a node that run until they are stopped.
pub(crate) struct Running {
    /// Answers requests.
    pub(crate) serving: JoinHandle<()>,
    /// Makes attempts.
    pub(crate) sending: JoinHandle<Drained>,
    /// Stops both.
    pub(crate) stop: CancellationToken,
}

/// The signals that end a process in order.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Running {
    /// Returns when a signal has come and all is drained, or with what has failed.
    pub(crate) async fn run(
        mut self,
        mut signals: Signals,
        mut condition: watch::Receiver<Condition>,
        deadline: Duration,
    ) -> Result<(), Failure> {
        let failure = tokio::select! {
            name = signals.next() => {
                tracing::info!("{name}: draining for at most {deadline:?}");
                self.stop.cancel();
                return self.drain(signals, deadline).await;
            }
            // The sender is the store, which lives as long as this does.
            _ = condition.wait_for(|now| *now == Condition::Failed) => {
                anyhow!("the store must be restarted: what is on disk is not known; see the log")
            }
            ended = &mut self.serving => ended_early("the part that answers requests", ended.err()),
            ended = &mut self.sending => ended_early("the part that sends", ended.err()),
        };
        self.stop.cancel();
        if !self.serving.is_finished() {
            // Those who wait for an answer hear of the failure.
            let _ = tokio::time::timeout(FAREWELL, self.serving).await;
        }
        Err(Failure::CouldNot(failure))
    }

    /// What is not drained in time, or by a second signal, is broken off: it is in the store, and
    /// the next start finds it.
    async fn drain(self, mut signals: Signals, deadline: Duration) -> Result<(), Failure> {
        let parts = [self.serving.abort_handle(), self.sending.abort_handle()];
        let both = async { tokio::join!(self.serving, self.sending) };
        let broken_off = tokio::select! {
            (served, sent) = both => return drained(served, sent),
            () = tokio::time::sleep(deadline + GRACE) => "draining took too long",
            name = signals.next() => name,
        };
        tracing::warn!("{broken_off}: what is still under way is broken off");
        parts.iter().for_each(AbortHandle::abort);
        Ok(())
    }
}

fn drained(served: Result<(), JoinError>, sent: Result<Drained, JoinError>) -> Result<(), Failure> {
    match (served, sent) {
        (Ok(()), Ok(drained)) if drained.in_time => Ok(()),
        (Ok(()), Ok(drained)) => {
            let attempts = drained.broken_off;
            tracing::warn!("{attempts} attempts were broken off, and will be made again");
            Ok(())
        }
        (served, sent) => {
            let error = served.err().or(sent.err());
            Err(Failure::CouldNot(ended_early("a part of the node", error)))
        }
    }
}

fn ended_early(part: &str, error: Option<JoinError>) -> anyhow::Error {
    match error {
        Some(error) => anyhow!(error).context(format!("{part} panicked")),
        None => anyhow!("{part} ended by itself"),
    }
}

impl Signals {
    /// Takes them over from the system, which would end the process without a word.
    pub(crate) fn listen() -> Result<Self, Failure> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).map_err(Failure::could_not)?,
            interrupt: signal(SignalKind::interrupt()).map_err(Failure::could_not)?,
        })
    }

    /// The next one's name.
    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
