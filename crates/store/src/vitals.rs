//! How a store is doing: what it has counted, how full it is, and what is wrong with it. What is
//! made of that, for people or for programs that watch, is others' business.

use crate::Pulse;
use crate::accept::{AcceptError, Accepted};
use model::Timestamp;
use model::meter::{Counter, Durations, Stopwatch};
use std::fmt;
use std::sync::{Mutex, MutexGuard};

/// What a store tells of itself, at once and without asking its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vitals {
    /// How long commits took that succeeded.
    pub commits: Durations,
    /// Commits that failed.
    pub commits_failed: u64,
    /// Messages that were made durable: each once.
    pub accepted: u64,
    /// What waits for the writer.
    pub queue: Fill,
    /// Connections to the database, where it is another process.
    pub connections: Option<Fill>,
    /// Why nothing can be committed, if that is so.
    pub trouble: Option<Trouble>,
}

/// How much of something is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fill {
    /// So much.
    pub taken: u64,
    /// Of so much.
    pub of: u64,
}

/// Open deliveries of the whole database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backlog {
    /// How many there are.
    pub open: u64,
    /// When the earliest of them is due, or was, whoever holds it.
    pub first_due: Option<Timestamp>,
}

impl Backlog {
    /// One of the same two; what has an earlier delivery stands for both.
    #[must_use]
    pub fn and(self, open: u64, first_due: Option<Timestamp>) -> Self {
        Self {
            open: self.open + open,
            first_due: [self.first_due, first_due].into_iter().flatten().min(),
        }
    }
}

/// That nothing can be committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trouble {
    /// Why.
    pub cause: Cause,
    /// Since when.
    pub since: Timestamp,
}

/// Why nothing can be committed. It is told to whoever asks, without a token: so it is one of these
/// sentences, and never what a database or a system said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// No space is left.
    Full,
    /// Writing fails for another reason.
    Unwritable,
    /// The database is another process, and can't be reached, or takes no writes.
    Away,
    /// Another node took over what this one held.
    LeaseLost,
    /// This node's lease was not renewed in time.
    LeaseLate,
    /// What is on disk is not known.
    Broken,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "the disk is full: make room there, and it goes on by itself",
            Self::Unwritable => {
                "nothing can be written to the disk: see the log, and mend it, and it goes on by \
                 itself"
            }
            Self::Away => {
                "the database can't be reached, or takes no writes: once it does, it goes on by \
                 itself"
            }
            Self::LeaseLost => {
                "this node's lease has ended, and others took over what it held: it is taking \
                 another"
            }
            Self::LeaseLate => {
                "this node's lease was not renewed in time: the database answers slowly, or not at \
                 all"
            }
            Self::Broken => "a sync failed, so that what is on disk is not known: it must restart",
        })
    }
}

/// What a store counts, and why it can't commit: kept by the store itself.
#[derive(Debug, Default)]
pub struct Meter {
    /// Commits that succeeded.
    pub commits: Stopwatch,
    /// Commits that failed.
    pub commits_failed: Counter,
    /// What was committed, by whom it concerns.
    pub pulse: Pulse,
    accepted: Counter,
    trouble: Mutex<Option<Trouble>>,
}

impl Meter {
    /// Counts what was made durable of what was to be accepted.
    pub fn accepted(&self, answers: &[Result<Accepted, AcceptError>]) {
        let new = |answer: &&_| matches!(answer, Ok(Accepted::New { .. }));
        self.accepted.add(answers.iter().filter(new).count() as u64);
    }

    /// Nothing can be committed. Since when stays as it was, while it lasts.
    pub fn in_trouble(&self, cause: Cause, now: Timestamp) {
        let mut trouble = self.lock();
        let since = trouble.map_or(now, |trouble| trouble.since);
        *trouble = Some(Trouble { cause, since });
    }

    /// Commits succeed.
    pub fn well(&self) {
        *self.lock() = None;
    }

    /// All of it, with what the store has to add.
    pub fn read(&self, queue: Fill, connections: Option<Fill>) -> Vitals {
        Vitals {
            commits: self.commits.read(),
            commits_failed: self.commits_failed.get(),
            accepted: self.accepted.get(),
            queue,
            connections,
            trouble: *self.lock(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Trouble>> {
        self.trouble
            .lock()
            .expect("nothing panics while it holds this lock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_lasts_from_when_it_began_until_a_commit_succeeds() {
        let meter = Meter::default();
        let at = Timestamp::from_seconds;
        let trouble = || meter.read(Fill::default(), None).trouble;
        meter.in_trouble(Cause::Away, at(10));
        meter.in_trouble(Cause::LeaseLost, at(20));
        let expected = Trouble {
            cause: Cause::LeaseLost,
            since: at(10),
        };
        assert_eq!(trouble(), Some(expected));
        meter.well();
        assert_eq!(trouble(), None);
        meter.in_trouble(Cause::Full, at(30));
        assert_eq!(trouble().map(|trouble| trouble.since), Some(at(30)));
    }
}
