//! Payloads that receivers fetch, where deliveries don't carry them: how `app`, which knows who may
//! have which, gets one as it would leave, which the sender knows. Neither knows the other: the
//! engine implements [`Fetching`], and the binary brings them together.

use crate::rows::MessageRow;
use crate::{Lane, StoreError};
use async_trait::async_trait;
use bytes::Bytes;

/// A payload as an endpoint gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// What it is, and what it is signed with. Nothing that the endpoint is known by.
    pub headers: Vec<(String, String)>,
    /// It itself.
    pub body: Bytes,
}

/// Where payloads leave for whoever may fetch them.
#[async_trait]
pub trait Fetching: Send + Sync {
    /// The payload of a message, without what its endpoint doesn't get, encrypted where it is to
    /// be, and signed with the time of this moment. `None`: the endpoint gets nothing now.
    async fn fetched(&self, lane: Lane, message: MessageRow)
    -> Result<Option<Fetched>, StoreError>;
}
