//! What a receiver hands on of a request that it took.

use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::Rejection;
use crate::replay::Key;

/// An event as its handler wants it, and what there is to know of it.
#[derive(Clone, Debug)]
pub struct Webhook<T> {
    /// The payload, read.
    pub event: T,
    /// What else the request said.
    pub about: Arc<Event>,
}

/// A genuine, decrypted event. Its payload does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Event {
    /// The sender's id of the message, where it sends one.
    pub id: Option<String>,
    /// Whether the signature covers that id. Whoever sends a request again can change one that it
    /// doesn't cover.
    pub is_id_signed: bool,
    /// When the request was signed, in seconds since the Unix epoch, where that is signed.
    pub signed_at: Option<i64>,
    /// The event type: the one that an encrypted payload is bound to; of others, what the provider
    /// says, by [`Manners::event_type`](crate::provider::Manners::event_type).
    pub event_type: Option<String>,
    /// The payload's bytes: decrypted, or the body as it was received.
    pub payload: Vec<u8>,
    /// Which of the receiver's secrets matched, so that a rotation can be watched to its end.
    pub secret: usize,
    /// By what a replay is told.
    pub remember: Remember,
}

/// What has to be remembered of an event, so that a replay of it is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Remember {
    /// The key of what is signed. What has it is the same message.
    pub key: Key,
    /// A second key, of an id that is not signed. What has this one only is no replay: the id came
    /// before, with other content.
    pub unsigned_id: Option<Key>,
    /// Until when both have to be remembered, itself included, in seconds since the Unix epoch.
    pub until: i64,
}

impl Event {
    /// Reads the payload's JSON.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Rejection> {
        // What serde says can repeat parts of a payload, which are no log's business.
        serde_json::from_slice(&self.payload).map_err(|error| Rejection::Payload {
            is_json: error.is_data(),
            line: error.line(),
            column: error.column(),
        })
    }
}

impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Event")
            .field("id", &self.id)
            .field("signed_at", &self.signed_at)
            .field("event_type", &self.event_type)
            .finish_non_exhaustive()
    }
}
