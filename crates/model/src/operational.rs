//! What the operator is told of by operational webhooks: the events, and the sink that takes them.
//! How they are written and sent is others'.

use crate::clock::Timestamp;
use crate::id::{ApplicationId, AttemptId, EndpointId, MessageId, TaskId};
use crate::name::Name;
use crate::security::{Severity, Subject};
use std::net::IpAddr;

/// The uid of the installation's own application, whose endpoints are told. No other application
/// may have it: who has an application of this uid hears of all others.
pub const APPLICATION_UID: &str = "operational-webhooks";

/// Whether an application with this uid is that one. Nothing is told of it: whatever went wrong
/// with telling would be something to tell again.
pub fn is_told(uid: Option<&Name>) -> bool {
    uid.is_some_and(|uid| uid.as_str() == APPLICATION_UID)
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationalEvent {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: Happened,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// `endpoint.created`.
    EndpointCreated(EndpointNamed),
    /// `endpoint.updated`; also when its secret was replaced.
    EndpointUpdated(EndpointNamed),
    /// `endpoint.deleted`.
    EndpointDeleted(EndpointNamed),
    /// `endpoint.enabled`.
    EndpointEnabled(EndpointNamed),
    /// `endpoint.disabled`: by whoever may, or because it has been failing since then.
    EndpointDisabled(EndpointNamed, Option<Timestamp>),
    /// `message.attempt.failing`: the fourth scheduled attempt failed, and there will be more.
    AttemptFailing(AttemptNamed),
    /// `message.attempt.exhausted`: the last scheduled attempt failed.
    AttemptExhausted(AttemptNamed),
    /// `message.attempt.recovered`: a scheduled attempt succeeded, the fifth or a later one.
    AttemptRecovered(AttemptNamed),
    /// `background_task.finished`: it came to its end, whether or not it did all.
    TaskFinished(TaskId),
    /// `security.event`.
    Security(SecurityTold),
    /// `audit.checkpoint`: the signed head of the audit log.
    AuditCheckpoint(CheckpointTold),
}

/// The names of all that can happen, in the order of [`Happened`].
pub const NAMES: [&str; 11] = [
    "endpoint.created",
    "endpoint.updated",
    "endpoint.deleted",
    "endpoint.enabled",
    "endpoint.disabled",
    "message.attempt.failing",
    "message.attempt.exhausted",
    "message.attempt.recovered",
    "background_task.finished",
    "security.event",
    "audit.checkpoint",
];

impl Happened {
    /// Its name, which endpoints can ask for: one of [`NAMES`].
    pub fn name(&self) -> &'static str {
        let place = match self {
            Self::EndpointCreated(_) => 0,
            Self::EndpointUpdated(_) => 1,
            Self::EndpointDeleted(_) => 2,
            Self::EndpointEnabled(_) => 3,
            Self::EndpointDisabled(..) => 4,
            Self::AttemptFailing(_) => 5,
            Self::AttemptExhausted(_) => 6,
            Self::AttemptRecovered(_) => 7,
            Self::TaskFinished(_) => 8,
            Self::Security(_) => 9,
            Self::AuditCheckpoint(_) => 10,
        };
        NAMES[place]
    }
}

/// An endpoint, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointNamed {
    /// Its application.
    pub application: ApplicationId,
    /// That one's uid.
    pub application_uid: Option<Name>,
    /// The endpoint.
    pub endpoint: EndpointId,
    /// Its uid.
    pub endpoint_uid: Option<Name>,
}

/// An attempt of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptNamed {
    /// Its application.
    pub application: ApplicationId,
    /// That one's uid.
    pub application_uid: Option<Name>,
    /// Where it went.
    pub endpoint: EndpointId,
    /// The message.
    pub message: MessageId,
    /// That one's event id.
    pub event_id: Option<Name>,
    /// The attempt.
    pub attempt: AttemptId,
    /// The status that was answered; 0: none.
    pub status: u16,
}

/// A security event, or a folded one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityTold {
    /// Its public id, where it has one.
    pub id: Option<String>,
    /// The kind's name.
    pub kind: &'static str,
    /// How bad.
    pub severity: Severity,
    /// To what or whom.
    pub subject: Subject,
    /// From where.
    pub remote_address: Option<IpAddr>,
    /// How many there were up to now.
    pub count: u64,
    /// When the first of them happened.
    pub first_seen: Timestamp,
    /// When the last of them happened.
    pub last_seen: Timestamp,
    /// A sentence for people.
    pub description: String,
}

/// A signed head of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointTold {
    /// The checkpoint as the command and the API show it, one line of JSON.
    pub line: String,
}

/// Takes what the operator is to be told. Never waits: an implementation bounds what it holds.
pub trait OperationalSink: Send + Sync {
    /// Takes one.
    fn report(&self, event: OperationalEvent);
}

/// A sink that nobody reads.
#[derive(Debug, Clone, Copy, Default)]
pub struct Untold;

impl OperationalSink for Untold {
    fn report(&self, _event: OperationalEvent) {}
}
