//! What came of an attempt, on its way into the store.

use crate::{Hold, Sealed};
use model::Timestamp;
use model::attempt::AttemptResult;
use model::chain_seen::ShownChain;
use model::delivery::Delivery;
use model::id::{AttemptId, MessageId, Tail};
use model::name::Name;
use model::phases::Phases;
use std::sync::Arc;
use std::time::Duration;

/// One outcome: the attempt, what becomes of its delivery and of its endpoint's health.
///
/// Recording the same outcome (the same tail) twice changes nothing the second time, and gives back
/// the same attempt. An outcome whose delivery is no longer held by its owner's epoch, or is gone,
/// keeps its attempt, which counts in the statistics as any other, and changes nothing else.
#[derive(Debug)]
pub struct Outcome {
    /// The delivery as it was claimed.
    pub delivery: Delivery,
    /// The message's id.
    pub message: MessageId,
    /// The message's type, for the statistics.
    pub event_type: Name,
    /// The attempt.
    pub attempt: NewAttempt,
    /// What becomes of the delivery.
    pub then: Then,
    /// What becomes of the endpoint.
    pub health: HealthChange,
    /// Let go of once this is committed.
    pub hold: Hold,
}

impl Outcome {
    /// Whether it is the last of its delivery, without success.
    pub fn gives_up(&self) -> bool {
        self.then == Then::Close && self.attempt.result != AttemptResult::Success
    }
}

/// An attempt that has no key yet.
#[derive(Debug, Clone)]
pub struct NewAttempt {
    /// The random part of its id, and the row's name in the excerpt's additional data.
    pub tail: Tail,
    /// 1 for the delivery's first.
    pub number: u16,
    /// When it was begun.
    pub started_at: Timestamp,
    /// To the response's head, or to the failure.
    pub duration: Duration,
    /// The response's status, or 0.
    pub status_code: u16,
    /// How it ended.
    pub result: AttemptResult,
    /// The endpoint's revision that it used: tells URL and keys.
    pub endpoint_revision: u32,
    /// What the receiver answered, or the error's text: sealed, table `attempt`, column `excerpt`;
    /// `None` where it is empty.
    pub excerpt: Option<Sealed>,
    /// What was observed of its request.
    pub observed: Observed,
}

/// What was observed of an attempt's request, besides what came of it. All of it can be missing.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// How its time was spent.
    pub phases: Phases,
    /// The headers of a response that was no success: sealed, table `attempt`, column `head`. What
    /// expunges the excerpt expunges them.
    pub head: Option<Sealed>,
    /// What its connection showed of the receiver, where it was TLS. Kept once for all attempts
    /// that saw the same, and for as long as any of them is.
    pub chain: Option<Arc<ShownChain>>,
}

/// What becomes of a delivery after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// It is closed: done, given up, or cancelled. A manual or replayed success closes the
    /// scheduled delivery of the same message and endpoint with it, also while that is held.
    Close,
    /// Its next attempt is due then; it has one attempt more behind it.
    Reschedule(Timestamp),
}

/// What an outcome does to its endpoint's health. Only [`Self::Disable`] changes revisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HealthChange {
    /// Nothing.
    #[default]
    None,
    /// It has been failing since then, unless it already was.
    FailingSince(Timestamp),
    /// It works: forget since when it was failing.
    Works,
    /// It is disabled, as by [`crate::change::Change::ReplaceEndpoint`]: its revision and its
    /// application's grow, and its open deliveries are ended by background work. Nothing happens if
    /// it already is, or is deleted.
    Disable,
}

/// What came of recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recorded {
    /// The attempt's id.
    pub attempt: AttemptId,
    /// The delivery was not the recorder's any more: only the attempt was kept.
    pub stale: bool,
    /// The endpoint was disabled by this very outcome.
    pub disabled: bool,
}
