//! Background work: rows that say what is to be done and how far it has come. A slice's rows and
//! the cursor commit together, so that work goes on where it was after a restart, and nothing is
//! done twice or left out.
//!
//! Most slices are done inside the store ([`crate::Store::work`]). Some need what a store has not,
//! such as keys: their work is taken by one node at a time, and its slices are done there
//! ([`OutsideWork`]).

mod outside;
mod progress;

pub use outside::{Advanced, OutsideKind, OutsideWork, TakenWork, WorkStep};
pub use progress::Progress;

use crate::query::{MessageFilter, Window};
use crate::rows::{LaneDue, Standing};
use model::Timestamp;
use model::delivery::EndReason;
use model::id::{ApplicationKey, DeliveryKey, EndpointKey, MessageKey, TaskId};

/// The most rows that one slice writes.
pub const SLICE_MAX: usize = 500;

/// Why work for an endpoint that can't go on has failed.
pub const ENDPOINT_NOT_LIVE: &str = "The endpoint was disabled or deleted.";

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
        /// Whether endpoints that have not proved themselves get none
        /// ([`crate::rows::EndpointRow::is_proved`]).
        proved_only: bool,
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
    /// Send again, once, the messages that an endpoint was meant to get, whatever became of them:
    /// those that have an attempt to it, no open delivery, and their payload. The same way as
    /// [`Self::Recover`].
    BulkReplay {
        /// The endpoint.
        endpoint: EndpointKey,
        /// Messages accepted at or after.
        since: Timestamp,
        /// Messages accepted before.
        until: Timestamp,
        /// Only these.
        filter: ReplayFilter,
    },
    /// Send every message that an endpoint wants as it is now, and that has neither a delivery nor
    /// an attempt to it, nor gets one from a fan-out under way. The same way as [`Self::Recover`],
    /// but not before the message's own time.
    ReplayMissing {
        /// The endpoint.
        endpoint: EndpointKey,
        /// Messages accepted at or after.
        since: Timestamp,
        /// Messages accepted before.
        until: Timestamp,
    },
    /// Remove the payloads of all messages that the application accepted before the work was asked
    /// for, as [`crate::change::Change::ExpungePayloads`] does. Goes on when the application is
    /// deleted meanwhile.
    ExpungeAll,
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
    /// Something whose slices are not done inside the store.
    Outside(OutsideWork),
}

impl Work {
    /// About how many bytes belong to it that may be many.
    pub fn bytes(&self) -> usize {
        match self {
            Self::BulkReplay { filter, .. } => {
                let types = filter.messages.event_types.iter().flatten();
                types.map(|name| name.as_str().len()).sum()
            }
            Self::Outside(outside) => outside.arguments.len(),
            _ => 0,
        }
    }

    /// What kind of work it is.
    pub fn kind(&self) -> WorkKind {
        match self {
            Self::FanOut { .. } => WorkKind::FanOut,
            Self::EndDeliveries { .. } => WorkKind::EndDeliveries,
            Self::Recover { .. } => WorkKind::Recover,
            Self::BulkReplay { .. } => WorkKind::BulkReplay,
            Self::ReplayMissing { .. } => WorkKind::ReplayMissing,
            Self::ExpungeAll => WorkKind::ExpungeAll,
            Self::Outside(outside) => WorkKind::Outside(outside.kind),
        }
    }
}

/// A kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkKind {
    /// [`Work::FanOut`]
    FanOut,
    /// [`Work::EndDeliveries`]
    EndDeliveries,
    /// [`Work::Recover`]
    Recover,
    /// [`Work::BulkReplay`]
    BulkReplay,
    /// [`Work::ReplayMissing`]
    ReplayMissing,
    /// [`Work::ExpungeAll`]
    ExpungeAll,
    /// [`Work::Outside`]
    Outside(OutsideKind),
}

impl WorkKind {
    /// Whether people are shown it: what they asked for, not what another request left to be done.
    pub fn is_shown(self) -> bool {
        !matches!(self, Self::FanOut | Self::EndDeliveries)
    }
}

/// Which of an endpoint's messages are sent again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReplayFilter {
    /// Of what kind.
    pub messages: MessageFilter,
    /// How they stand.
    pub standing: Option<Standing>,
    /// What the last request to it was answered with: status codes from the first to before the
    /// second.
    pub status_codes: Option<(u16, u16)>,
}

impl ReplayFilter {
    /// Whether a message passes that stands so, and whose last request was answered so.
    pub fn passes(&self, standing: Standing, status_code: Option<u16>) -> bool {
        let codes =
            |(first, end): (u16, u16)| status_code.is_some_and(|code| (first..end).contains(&code));
        self.standing.is_none_or(|wanted| wanted == standing) && self.status_codes.is_none_or(codes)
    }
}

/// How work stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkState {
    /// There is more to do.
    Running,
    /// All is done.
    Finished,
    /// It came to an end before all was done.
    Failed,
}

/// How work ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkEnd {
    /// All is done.
    Finished,
    /// It can't go on: a sentence for people that says why.
    Failed(String),
}

impl WorkEnd {
    /// How the work stands then.
    pub fn state(&self) -> WorkState {
        match self {
            Self::Finished => WorkState::Finished,
            Self::Failed(_) => WorkState::Failed,
        }
    }

    /// Why it failed.
    pub fn failure(&self) -> Option<&str> {
        match self {
            Self::Finished => None,
            Self::Failed(why) => Some(why),
        }
    }
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
    /// The work came to its end with it, and is some that people are shown.
    pub finished: Option<TaskId>,
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
    /// The application that it belongs to; `None`: to all of them.
    pub application: Option<ApplicationKey>,
    /// What it does.
    pub work: Work,
    /// How it stands.
    pub state: WorkState,
    /// Why it failed.
    pub failure: Option<String>,
    /// How far it has come: a key of what it walks along, whose kind is the work's own.
    pub cursor: i64,
    /// Rows done so far.
    pub done: u64,
    /// What has come of it so far, as JSON text, where that is more than how many rows are done.
    pub data: Option<String>,
    /// When it last moved on.
    pub updated_at: Timestamp,
}

impl WorkRow {
    /// How much was read of what is to be done, and of what has come of it.
    pub fn content_bytes(&self) -> usize {
        self.work.bytes() + self.data.as_ref().map_or(0, String::len)
    }
}

/// A list of background work that people are shown: of [`WorkKind::is_shown`].
#[derive(Debug, Clone, Copy)]
pub struct WorkQuery {
    /// Which part.
    pub window: Window<model::id::TaskKind>,
    /// Of one of these kinds.
    pub kinds: Option<&'static [WorkKind]>,
    /// That stands so.
    pub state: Option<WorkState>,
}

impl WorkQuery {
    /// Whether work passes that is of this kind and stands so.
    pub fn passes(&self, kind: WorkKind, state: WorkState) -> bool {
        self.kinds.is_none_or(|wanted| wanted.contains(&kind))
            && self.state.is_none_or(|wanted| wanted == state)
    }
}
