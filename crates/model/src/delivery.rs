//! A delivery: one message on its way to one endpoint. Only open deliveries exist as such; what
//! became of a closed one is read from its last attempt.

use crate::clock::Timestamp;
use crate::id::{ApplicationKey, DeliveryKey, EndpointKey, MessageKey};

/// Why a delivery was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// The message matched the endpoint when it was accepted; retried by the schedule.
    Scheduled,
    /// Somebody asked for this one to be sent again: one try, no retries.
    Manual,
    /// Part of a recovery or replay of many: one try, behind live traffic.
    Replay,
}

impl Trigger {
    /// The order within a lane.
    pub fn class(self) -> Class {
        match self {
            Trigger::Scheduled | Trigger::Manual => Class::Live,
            Trigger::Replay => Class::Replayed,
        }
    }

    /// Whether a failure is followed by another attempt.
    pub fn retries(self) -> bool {
        self == Trigger::Scheduled
    }
}

/// What goes first within a lane: live traffic, then replays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Messages as they come, and single resends.
    Live,
    /// Recoveries and replays of many.
    Replayed,
}

/// An open delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its own sequence number.
    pub key: DeliveryKey,
    /// The application of both ends.
    pub application: ApplicationKey,
    /// Where to: also names the lane.
    pub endpoint: EndpointKey,
    /// What.
    pub message: MessageKey,
    /// Why.
    pub trigger: Trigger,
    /// Attempts made so far.
    pub attempts: u16,
    /// When the next attempt may start.
    pub due: Timestamp,
}

/// Why a delivery ended without an attempt having had the last word. Kept as an attempt of its
/// own, so that what happened to the message can be looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndReason {
    /// The endpoint was disabled, by hand or because it kept failing.
    EndpointDisabled,
    /// The endpoint was deleted, or its application.
    EndpointDeleted,
    /// The payload reached its age.
    PayloadGone,
    /// The payload was expunged.
    Expunged,
    /// It was cancelled.
    Cancelled,
}

impl EndReason {
    /// A sentence for people, shown where an answer would be.
    pub fn text(self) -> &'static str {
        match self {
            EndReason::EndpointDisabled => "not sent: the endpoint was disabled",
            EndReason::EndpointDeleted => "not sent: the endpoint was deleted",
            EndReason::PayloadGone => "not sent: the payload had expired",
            EndReason::Expunged => "not sent: the payload was expunged",
            EndReason::Cancelled => "not sent: it was cancelled",
        }
    }
}
