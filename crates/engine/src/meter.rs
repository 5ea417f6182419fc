//! What the engine counts of attempts and deliveries for whoever watches it: durations, and how
//! deliveries end. What tests follow is `observe`'s.

use crate::decide::Decision;
use model::attempt::AttemptResult;
use model::meter::{Counter, Durations, Stopwatch};
use std::time::Duration;
use store::record::{Recorded, Then};

/// What has been counted since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reading {
    /// How long attempts took that succeeded, from when they were begun until they were judged.
    pub succeeded: Durations,
    /// The same of attempts that failed.
    pub failed: Durations,
    /// How long it took from when a message was due until its delivery succeeded, over all its
    /// attempts. Without what was sent again.
    pub delivered: Durations,
    /// Deliveries whose last attempt failed, so that none follows.
    pub given_up: u64,
    /// Endpoints that were disabled because of what they answered.
    pub disabled: u64,
}

/// Lanes in memory by what they do, each counted once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LaneCounts {
    /// Something is in flight, or waits for its turn.
    pub active: u64,
    /// There is nothing to do.
    pub idle: u64,
    /// Left alone for a while, as something went wrong.
    pub resting: u64,
    /// Held up by a rate limit.
    pub rate_limited: u64,
    /// Held up since as much is in flight to their host as may be.
    pub host_full: u64,
    /// Held up since as many claims are under way as may be.
    pub claims_full: u64,
    /// It is being found out which node alone may work on them.
    pub owner_unknown: u64,
}

/// Counts.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    succeeded: Stopwatch,
    failed: Stopwatch,
    delivered: Stopwatch,
    given_up: Counter,
    disabled: Counter,
}

impl Meter {
    /// An outcome is on disk. `since_due`: how long its message has been due, unless it was sent
    /// again.
    pub(crate) fn recorded(
        &self,
        (decision, recorded): (Decision, &Recorded),
        took: Duration,
        since_due: Option<Duration>,
    ) {
        match (decision.result, since_due) {
            (AttemptResult::Success, since_due) => {
                self.succeeded.took(took);
                if let Some(since_due) = since_due {
                    self.delivered.took(since_due);
                }
            }
            (AttemptResult::Failure, _) => {
                self.failed.took(took);
                if decision.then == Then::Close && !recorded.stale {
                    self.given_up.count();
                }
            }
            (AttemptResult::Cancelled(_), _) => {}
        }
        if recorded.disabled {
            self.disabled.count();
        }
    }

    /// What was counted.
    pub(crate) fn read(&self) -> Reading {
        Reading {
            succeeded: self.succeeded.read(),
            failed: self.failed.read(),
            delivered: self.delivered.read(),
            given_up: self.given_up.get(),
            disabled: self.disabled.get(),
        }
    }
}
