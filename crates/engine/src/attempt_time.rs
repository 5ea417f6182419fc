//! The time that one attempt has: for the key that it waits for, the look at its receiver, and all
//! requests that are tried one after the other, with whatever they wait for besides. It measures,
//! and ends nothing itself.

use std::time::Duration;
use tokio::time::Instant;

/// Of one attempt.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AttemptTime {
    began: Instant,
    limit: Duration,
}

impl AttemptTime {
    /// Begins now.
    pub(crate) fn begin(limit: Duration) -> Self {
        Self {
            began: Instant::now(),
            limit,
        }
    }

    /// All of it.
    pub(crate) fn limit(self) -> Duration {
        self.limit
    }

    /// When it is over.
    pub(crate) fn ends(self) -> Instant {
        self.began + self.limit
    }

    /// How much there still is, in whole milliseconds of which none was begun.
    pub(crate) fn left(self) -> Duration {
        let spent = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.limit.saturating_sub(Duration::from_millis(spent))
    }
}
