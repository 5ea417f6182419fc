//! A request that got no response head, and whether it goes out once more at once.
//!
//! Servers close connections that they have kept for long enough, and the close crosses a request
//! that is on its way. The next connection would do, so two cases are told from a failure:
//! - The request was not processed: it was never written, or the other side disclaimed it, as
//!   HTTP/2 can. To repeat it is safe.
//! - It was written, and within [`DEATH_SHOWS_WITHIN`] the connection ended without a byte of a
//!   response. Most likely the connection was dead before, but nobody can know (RFC 9110, 9.2.2):
//!   the receiver may get the same request twice, byte for byte. Deliveries are made at least once,
//!   and both carry the same `webhook-id`; without this, each server that ends its idle connections
//!   would make attempts fail that nothing is wrong with.
//!
//! A connection that ends later ended at work: somebody may be half way through the request, and
//! the schedule decides when it is sent again. So does it for what a new connection does.

use std::time::Duration;

use tokio::time::Instant;

use crate::SendError;

/// A kept connection that was dead shows it within this.
const DEATH_SHOWS_WITHIN: Duration = Duration::from_secs(1);

/// A request that got no whole answer.
pub(crate) struct Unanswered {
    /// What happened.
    pub(crate) error: SendError,
    /// Whether another connection is worth trying at once, if this was a kept one.
    pub(crate) repeatable: bool,
}

impl Unanswered {
    /// The head was there, the body was not: never repeated at once.
    pub(crate) fn midway(error: SendError) -> Self {
        Self {
            error,
            repeatable: false,
        }
    }
}

/// Whether a connection that ended without a response to a request begun at `begun` was most likely
/// dead before.
pub(crate) fn was_dead_before(begun: Instant) -> bool {
    begun.elapsed() <= DEATH_SHOWS_WITHIN
}
