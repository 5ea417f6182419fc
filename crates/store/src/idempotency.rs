//! Idempotency keys: the same request, sent again by a client that did not see the answer, must
//! not happen twice. A key is looked up and kept in the transaction that does the work.

use model::id::Tail;
use std::time::Duration;

/// What a request is recognised by: the first 16 bytes of SHA-256 of token subject, operation and
/// key. Computed by `app`.
pub type Fingerprint = [u8; 16];

/// How long a key that a client library made for one call (`auto_…`) is kept.
pub const AUTO_KEY_LIFE: Duration = Duration::from_secs(3_600);
/// How long other keys are kept.
pub const KEY_LIFE: Duration = Duration::from_secs(12 * 3_600);

/// A key as a request brings it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// What recognises the request.
    pub fingerprint: Fingerprint,
    /// The first 16 bytes of SHA-256 of its body: another body under the same key is an error.
    pub body: [u8; 16],
    /// [`AUTO_KEY_LIFE`] or [`KEY_LIFE`]; rounded up to the hour by the store.
    pub life: Duration,
    /// The status that the request is answered with if it succeeds.
    pub status: u16,
}

/// What became of the first request with a key. The answer is rendered again from this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prior {
    /// The status it was answered with.
    pub status: u16,
    /// The body's hash.
    pub body: [u8; 16],
    /// What was made.
    pub made: Made,
}

/// The id of what a request made (an application, an endpoint, a message, a row of background
/// work): an integer key and a tail, whose kind the operation knows. Zero where nothing with a
/// public id was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Made {
    /// The key.
    pub key: i64,
    /// The tail.
    pub tail: Tail,
}
