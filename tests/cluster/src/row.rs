//! What a scenario found: a row of the table, judged before it is shown.

use std::time::Duration;

use tokio::time::Instant;

use crate::ledger::Entry;
use crate::run::{Failure, Plan, World};

/// What stands above the rows.
pub const HEAD: &str = "\
| What broke | It lasted | Accepted | Requests repeated | Lost | Arrived twice | Not genuine \
| Longest wait | On time again after |
|---|---:|---:|---:|---:|---:|---:|---:|---:|";
/// A lease, and what it takes to notice its end and to catch up.
const WINDOW: Duration = Duration::from_secs(15 + 10);

/// See the file's head.
pub struct Row {
    title: String,
    lasted: Duration,
    accepted: usize,
    repeated_requests: u64,
    lost: usize,
    /// Arrivals beyond a message's first.
    pub twice: usize,
    not_genuine: usize,
    /// From when a message was to be sent to its first arrival.
    pub longest_wait: Duration,
    /// From the failure, or the last of several, until no message was late any more.
    pub on_time_after: Duration,
}

impl Row {
    /// Judges a scenario.
    ///
    /// # Panics
    /// When a promise was broken.
    pub fn of(plan: &Plan, failure: &Failure, world: &World, repeated_requests: u64) -> Self {
        let entries = world.ledger.entries();
        let refused = world.endpoints.refused();
        assert_eq!(refused, [""; 0], "requests that are not genuine");
        assert_ids(&entries, world.nodes.count("message"));
        let lost = entries.iter().filter(|entry| entry.arrivals.is_empty());
        let lost = lost.count();
        assert_eq!(lost, 0, "answered with 202, and lost");
        let first = |entry: &Entry| entry.arrivals[0].0;
        let wait = |entry: &Entry| first(entry) - entry.due;
        Self {
            title: plan.title.to_owned() + &failure.note,
            lasted: failure.ended - failure.began,
            accepted: entries.len(),
            repeated_requests,
            lost,
            twice: repeats(&entries, failure),
            not_genuine: refused.len(),
            longest_wait: entries.iter().map(wait).max().unwrap_or_default(),
            on_time_after: world.ledger.on_time_after(failure.last),
        }
    }
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "| {} | {:.1} s | {} | {} | {} | {} | {} | {:.1} s | {:.1} s |",
            self.title,
            self.lasted.as_secs_f64(),
            self.accepted,
            self.repeated_requests,
            self.lost,
            self.twice,
            self.not_genuine,
            self.longest_wait.as_secs_f64(),
            self.on_time_after.as_secs_f64()
        )
    }
}

/// Each message was stored once, however often its request was repeated, and arrived under its id.
fn assert_ids(entries: &[Entry], stored: u64) {
    assert_eq!(stored, entries.len() as u64, "messages in the store");
    for entry in entries {
        let id = entry.accepted.as_ref().expect("its client waited for that");
        for (_, arrived) in &entry.arrivals {
            assert_eq!(arrived, id, "it was accepted twice");
        }
    }
}

/// How many arrivals were repeats: all around the failure.
fn repeats(entries: &[Entry], failure: &Failure) -> usize {
    let around = |at: Instant| failure.began <= at && at <= failure.ended + WINDOW;
    let mut count = 0;
    for entry in entries {
        for (at, id) in entry.arrivals.iter().skip(1) {
            assert!(around(*at), "{id} came again without a reason: {entry:?}");
            count += 1;
        }
    }
    count
}
