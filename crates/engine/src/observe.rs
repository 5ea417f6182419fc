//! What the engine shows of itself: numbers that are always counted, and happenings that somebody
//! may follow.
//!
//! Tests and the simulation follow happenings, so that they wait for what they claim instead of
//! sleeping; in production nobody does, and telling costs one look at an empty cell.

use model::attempt::AttemptResult;
use model::id::{DeliveryKey, EndpointKey};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc;

/// Something that happened in the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    /// All lanes of the store were looked through.
    Surveyed,
    /// So many deliveries of a lane were claimed.
    Claimed(EndpointKey, usize),
    /// A delivery's attempt was begun.
    Started(EndpointKey, DeliveryKey),
    /// An attempt's outcome is on disk.
    Recorded(EndpointKey, DeliveryKey, AttemptResult),
    /// A delivery was let go of without an outcome.
    LetGo(EndpointKey, DeliveryKey),
    /// All background work that there was is done.
    WorkDone,
    /// All that had reached its age was removed.
    Swept,
}

/// What has been counted since the start, and what is held now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Attempts begun.
    pub started: u64,
    /// Attempts recorded as successes.
    pub succeeded: u64,
    /// Attempts recorded as failures.
    pub failed: u64,
    /// Deliveries that ended without an attempt.
    pub cancelled: u64,
    /// Deliveries let go of without an outcome.
    pub let_go: u64,
    /// Deliveries handed over from memory.
    pub handed_over: u64,
    /// Deliveries claimed from the store.
    pub claimed: u64,
    /// Slots held now, by attempts and by claims.
    pub in_flight: usize,
    /// Deliveries waiting in memory now.
    pub queued: usize,
    /// Lanes in memory now.
    pub lanes: usize,
    /// Lanes that have deliveries waiting in the store for their time.
    pub lanes_waiting: usize,
}

/// Counts and tells.
#[derive(Debug, Default)]
pub(crate) struct Observer {
    started: AtomicU64,
    succeeded: AtomicU64,
    failed: AtomicU64,
    cancelled: AtomicU64,
    let_go: AtomicU64,
    handed_over: AtomicU64,
    claimed: AtomicU64,
    follower: OnceLock<mpsc::UnboundedSender<Happening>>,
}

impl Observer {
    /// Everything that happens from now on. Unbounded, so only for tests and simulation; the first
    /// to follow is the only one.
    pub(crate) fn follow(&self) -> Option<mpsc::UnboundedReceiver<Happening>> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.follower.set(sender).ok().map(|()| receiver)
    }

    pub(crate) fn handed_over(&self) {
        self.handed_over.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn tell(&self, happening: Happening) {
        let (counter, by) = match happening {
            Happening::Started(..) => (&self.started, 1),
            Happening::Recorded(_, _, AttemptResult::Success) => (&self.succeeded, 1),
            Happening::Recorded(_, _, AttemptResult::Failure) => (&self.failed, 1),
            Happening::Recorded(_, _, AttemptResult::Cancelled(_)) => (&self.cancelled, 1),
            Happening::LetGo(..) => (&self.let_go, 1),
            Happening::Claimed(_, count) => (&self.claimed, count as u64),
            Happening::Surveyed | Happening::WorkDone | Happening::Swept => (&self.claimed, 0),
        };
        if by > 0 {
            counter.fetch_add(by, Ordering::Relaxed);
        }
        if let Some(follower) = self.follower.get() {
            let _ = follower.send(happening);
        }
    }

    /// What was counted; what is held now is the roster's to say.
    pub(crate) fn counters(&self) -> Counters {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counters {
            started: read(&self.started),
            succeeded: read(&self.succeeded),
            failed: read(&self.failed),
            cancelled: read(&self.cancelled),
            let_go: read(&self.let_go),
            handed_over: read(&self.handed_over),
            claimed: read(&self.claimed),
            ..Counters::default()
        }
    }
}
