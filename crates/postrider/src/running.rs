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
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

/// How long answers may take to go out once the store has failed: those who wait are told so.
const FAREWELL: Duration = Duration::from_secs(2);
/// What the parts need at most beyond the time that they are given.
const GRACE: Duration = Duration::from_secs(2);

/// The parts of a node that run until they are stopped.
pub(crate) struct Running {
    /// All of them.
    pub(crate) parts: JoinSet<Ended>,
    /// Stops them.
    pub(crate) stop: CancellationToken,
}

/// A part that has ended.
pub(crate) enum Ended {
    /// The one that answers requests.
    Serving,
    /// The one that makes attempts.
    Sending(Drained),
}

/// The signals that end a process in order.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Running {
    /// Returns when a signal has come and all is drained, or with what has failed. Whether the
    /// store has failed is told by its condition.
    pub(crate) async fn run(
        mut self,
        mut signals: Signals,
        mut condition: watch::Receiver<Condition>,
        deadline: Duration,
    ) -> Result<(), Failure> {
        let early = tokio::select! {
            name = signals.next() => {
                tracing::info!("{name}: draining for at most {deadline:?}");
                None
            }
            // The sender is the store, which lives as long as this does.
            _ = condition.wait_for(|now| *now == Condition::Failed) => None,
            ended = self.parts.join_next() => ended,
        };
        self.stop.cancel();
        if *condition.borrow() != Condition::Failed {
            let drained = self.drain(signals, deadline).await;
            if *condition.borrow() != Condition::Failed {
                return early.map_or(drained, |ended| Err(ended_early(ended)));
            }
        }
        let _ = tokio::time::timeout(FAREWELL, self.until_served()).await;
        let why = "the store must be restarted: what is on disk is not known; see the log";
        Err(Failure::CouldNot(anyhow!(why)))
    }

    /// What is not drained in time, or by a second signal, is broken off: it is in the store, and
    /// the next start finds it.
    async fn drain(&mut self, mut signals: Signals, deadline: Duration) -> Result<(), Failure> {
        let all = async {
            while let Some(ended) = self.parts.join_next().await {
                if let Ended::Sending(drained) = ended.map_err(panicked)?
                    && !drained.in_time
                {
                    let attempts = drained.broken_off;
                    tracing::warn!("{attempts} attempts were broken off, and will be made again");
                }
            }
            Ok(())
        };
        let broken_off = tokio::select! {
            drained = all => return drained,
            () = tokio::time::sleep(deadline + GRACE) => "draining took too long",
            name = signals.next() => name,
        };
        tracing::warn!("{broken_off}: what is still under way is broken off");
        self.parts.abort_all();
        Ok(())
    }

    /// Those who wait for an answer when the store has failed hear of it.
    async fn until_served(&mut self) {
        while let Some(ended) = self.parts.join_next().await {
            if matches!(ended, Ok(Ended::Serving)) {
                return;
            }
        }
    }
}

fn ended_early(ended: Result<Ended, JoinError>) -> Failure {
    let part = match ended {
        Err(error) => return panicked(error),
        Ok(Ended::Serving) => "the part that answers requests",
        Ok(Ended::Sending(_)) => "the part that sends",
    };
    Failure::CouldNot(anyhow!("{part} ended by itself"))
}

fn panicked(error: JoinError) -> Failure {
    Failure::CouldNot(anyhow!(error).context("a part of the node panicked"))
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
