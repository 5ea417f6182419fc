//! A message: one event sent to an application.

use crate::clock::Timestamp;
use crate::hops::Hops;
use crate::id::{ApplicationKey, MessageId};
use crate::name::Name;
use crate::trace::TraceParent;
use std::collections::BTreeSet;

/// A message without its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its public id, which every attempt carries as `webhook-id`.
    pub id: MessageId,
    /// The application that it was sent to.
    pub application: ApplicationKey,
    /// What happened.
    pub event_type: Name,
    /// The sender's own id of the event, unique in the application.
    pub event_id: Option<Name>,
    /// Where it is heard: endpoints with channels get it only if they share one.
    pub channels: BTreeSet<Name>,
    /// Marks to find it by.
    pub tags: BTreeSet<Name>,
    /// First due then, if in the future.
    pub deliver_at: Option<Timestamp>,
    /// How many deliveries it has been through.
    pub hops: Hops,
    /// The trace that its sender has it in.
    pub trace: Option<TraceParent>,
    /// When its payload goes away, and open deliveries end.
    pub expires_at: Timestamp,
    /// What its payload is.
    pub form: PayloadForm,
}

impl Message {
    /// When its first attempts were due.
    pub fn first_due(&self) -> Timestamp {
        let accepted = self.id.key().time();
        self.deliver_at.map_or(accepted, |at| at.max(accepted))
    }
}

/// What a payload is, and so how it is sent and shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum PayloadForm {
    /// A JSON object, sent byte for byte as it was posted, as `application/json`.
    #[default]
    Json,
    /// Any text, with the content type that its sender gave.
    Raw {
        /// `None`: `application/json`.
        content_type: Option<String>,
    },
}

/// The fewest and most days that a payload is kept.
pub const RETENTION_DAYS: std::ops::RangeInclusive<u16> = 5..=90;
/// How far ahead a message's first attempt may be put: 30 days.
pub const DELIVER_AT_MAX: std::time::Duration = std::time::Duration::from_secs(30 * 86_400);
/// The most channels a message may name.
pub const MESSAGE_CHANNELS_MAX: usize = 5;
/// The most channels an endpoint may name.
pub const ENDPOINT_CHANNELS_MAX: usize = 10;
