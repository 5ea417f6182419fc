//! An attempt: one HTTP request of a delivery, recorded when it ended. What is told of it never
//! changes.

use crate::clock::Timestamp;
use crate::delivery::{EndReason, Trigger};
use crate::id::{AttemptId, EndpointId, MessageId};
use std::time::Duration;

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AttemptResult {
    /// A status of 200 to 299.
    Success,
    /// Anything else: another status, no connection, no time left, an address that is refused.
    Failure,
    /// No request was made, and none will be.
    Cancelled(EndReason),
}

/// An attempt as it can be looked up, without the excerpt of its response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its public id; its time is when it was recorded.
    pub id: AttemptId,
    /// Of which message.
    pub message: MessageId,
    /// To which endpoint.
    pub endpoint: EndpointId,
    /// Why its delivery was opened.
    pub trigger: Trigger,
    /// 1 for a delivery's first.
    pub number: u16,
    /// When it was begun: what its signature says.
    pub started_at: Timestamp,
    /// From its start to the response's head, or to its failure. At most `u32::MAX` ms.
    pub duration: Duration,
    /// The response's status; 0 when there was none.
    pub status_code: u16,
    /// How it ended.
    pub result: AttemptResult,
    /// Where it went, as the endpoint's URL was then.
    pub url: String,
}
