//! What is ordinary, and told to whoever looks for what is not: what comes in and goes out, where
//! it goes, and what is read or sent again in bulk. What it means is `watch`'s to say.

use crate::id::{ApplicationKey, EndpointId, SourceId, TaskId};
use crate::name::Name;
use std::net::IpAddr;

/// One thing that was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Witnessed<'a> {
    /// A request to a source was answered.
    Requested {
        /// The source.
        source: SourceId,
        /// Whether it was refused.
        refused: bool,
    },
    /// A source took something.
    CameIn {
        /// The source.
        source: SourceId,
        /// What happened.
        event_type: &'a Name,
        /// From where.
        address: IpAddr,
    },
    /// An attempt ended.
    Attempted {
        /// Whose message it was.
        application: ApplicationKey,
        /// Whether it failed.
        failed: bool,
    },
    /// An endpoint was made, or its URL changed.
    Destination {
        /// The endpoint.
        endpoint: EndpointId,
        /// Its application.
        application: ApplicationKey,
        /// The host of its URL.
        host: &'a str,
        /// Whether it was there before, with another URL.
        changed: bool,
    },
    /// Somebody was shown an endpoint's secret.
    SecretRead {
        /// The endpoint.
        endpoint: EndpointId,
        /// Its application.
        application: ApplicationKey,
        /// Who: an organisation, an application, or an API key.
        by: &'a str,
    },
    /// Somebody was given so many messages with their payloads.
    Exported {
        /// Of which application; `None`: of all.
        application: Option<ApplicationKey>,
        /// Who.
        by: &'a str,
        /// How many.
        count: u64,
    },
    /// Somebody has a message sent again.
    Resent {
        /// Whose.
        application: ApplicationKey,
        /// Who.
        by: &'a str,
    },
    /// Somebody has many sent again, by background work that will tell how many.
    ResendingMany {
        /// Whose.
        application: ApplicationKey,
        /// Who.
        by: &'a str,
        /// The work.
        task: TaskId,
    },
}
