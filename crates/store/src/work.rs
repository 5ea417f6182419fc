//! Background work: rows that say what is to be done and how far it has come. A slice's rows and
//! the cursor commit together, so that work goes on where it was after a restart, and nothing is
//! done twice or left out.

use crate::rows::LaneDue;
use model::Timestamp;
use model::delivery::EndReason;
use model::id::{ApplicationKey, DeliveryKey, EndpointKey, MessageKey, TaskId};

/// The most rows that one slice writes.
pub const SLICE_MAX: usize = 500;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// Open the deliveries of a message to the endpoints that matched when it was accepted, beyond
    /// those that its own transaction carried: all with larger keys than `after`, at the registry
    /// revision that the fan-out used. Endpoints made since then, or gone since then, get none; one
    /// that was changed since then is judged by what it is now.
    FanOut {
        /// The message.
        message: MessageKey,
        /// Endpoints up to this one are done.
        after: EndpointKey,
        /// The revision.
        registry_revision: u64,
    },
    /// Send again, once, every message that failed for good to an endpoint: that has a failed
    /// attempt to it, no successful one, no open delivery, and its payload. Opens deliveries whose
    /// trigger is [`model::delivery::Trigger::Replay`], due at once.
    Recover {
        /// The endpoint.
        endpoint: EndpointKey,
        /// Messages accepted at or after.
        since: Timestamp,
        /// Messages accepted before.
        until: Timestamp,
    },
    /// End an endpoint's open deliveries, each with an attempt that says
    /// [`model::attempt::AttemptResult::Cancelled`]. Also those that somebody holds: an attempt
    /// that is under way is recorded as stale.
    EndDeliveries {
        /// The endpoint.
        endpoint: EndpointKey,
        /// Why.
        reason: EndReason,
        /// Those opened up to this one.
        up_to: DeliveryKey,
    },
}

/// One slice's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// The work that a slice of was done; `None`: there is none to do.
    pub task: Option<TaskId>,
    /// Lanes that have deliveries waiting because of it.
    pub lanes: Vec<LaneDue>,
    /// Whether there is more to do at once.
    pub more: bool,
}

/// What is to be swept away by age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SweepLimits {
    /// Attempts and messages recorded before this go away, a message with its payload, its attempts
    /// and its open deliveries; where there are very many, with others of about their age. Payloads
    /// go when their own time comes, if that is earlier; open deliveries are ended then.
    pub keep_since: Timestamp,
    /// The most messages that one sweep removes.
    pub rows_max: usize,
}

/// What one sweep did. Rows that were removed at once, however many, because all in a part of the
/// store had reached its age, are not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swept {
    /// Payloads removed.
    pub payloads: usize,
    /// Open deliveries ended because their payload went.
    pub ended: usize,
    /// Attempts removed.
    pub attempts: usize,
    /// Messages removed.
    pub messages: usize,
    /// Idempotency keys removed.
    pub keys: usize,
    /// Whether there is more to sweep at once.
    pub more: bool,
}

/// A row of background work as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkRow {
    /// Its id.
    pub id: TaskId,
    /// The application that it belongs to.
    pub application: ApplicationKey,
    /// What it does.
    pub work: Work,
    /// Rows done so far.
    pub done: u64,
    /// Whether it has come to its end.
    pub finished: bool,
    /// When it last moved on.
    pub updated_at: Timestamp,
}
