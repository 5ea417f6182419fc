//! Security events as they are kept: equal ones are one row with a count. What is equal, and for
//! how long, is decided by who writes them.

use crate::Sealed;
use crate::query::Window;
use model::Timestamp;
use model::id::{ApplicationKey, SecurityEventId, SecurityEventKind};
use model::security::{SecurityKind, Severity, Subject};
use std::net::IpAddr;

/// Security events that are equal but for when they happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoldedEvent {
    /// What.
    pub kind: SecurityKind,
    /// How bad.
    pub severity: Severity,
    /// To what or whom.
    pub subject: Subject,
    /// The application that they concern, where they concern one.
    pub application: Option<ApplicationKey>,
    /// The other side's address, of the first of them.
    pub remote_address: Option<IpAddr>,
    /// How many there were.
    pub count: u64,
    /// When the first of them happened.
    pub first_seen: Timestamp,
    /// When the last of them happened.
    pub last_seen: Timestamp,
    /// A sentence for people.
    pub description: String,
    /// What the latest of them happened with of which anything was kept: column `sample`. Written
    /// onto a row, one takes the place of that row's, and none leaves it as it is.
    pub sample: Option<Sealed>,
}

/// What is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityWrite {
    /// The row that these are more of: they are counted there, if it is still there. Else they are
    /// a row of their own.
    pub onto: Option<SecurityEventId>,
    /// What happened since that was written.
    pub event: FoldedEvent,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityRow {
    /// Its id, whose time is when it was first written: that is soon after the first of them.
    pub id: SecurityEventId,
    /// What happened.
    pub event: FoldedEvent,
}

/// A list of security events.
#[derive(Debug, Clone)]
pub struct SecurityQuery {
    /// Which part.
    pub window: Window<SecurityEventKind>,
    /// That concern this application.
    pub application: Option<ApplicationKey>,
    /// That happened to this, or by it.
    pub subject: Option<Subject>,
    /// Of this kind.
    pub kind: Option<SecurityKind>,
    /// That are so bad.
    pub severity: Option<Severity>,
    /// Whether samples are read: they are much longer than all else of a row.
    pub with_samples: bool,
}

impl SecurityQuery {
    /// Whether an event passes, whatever application it concerns, and whatever it happened to.
    pub fn passes(&self, event: &FoldedEvent) -> bool {
        self.kind.is_none_or(|kind| kind == event.kind)
            && self
                .severity
                .is_none_or(|severity| severity == event.severity)
    }
}
