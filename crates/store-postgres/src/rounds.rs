//! Where the rounds of housekeeping stand: positions in memory that only say where to look next. A
//! restart begins the rounds anew and loses nothing.
//!
//! They are true of what is committed: whoever runs a transaction lends it a copy, and keeps that
//! only when it is committed; but for whose turn it was.

/// The positions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rounds {
    /// The task that had its turn last, whatever came of it: the others come first.
    pub(crate) task: i64,
    /// Statistics of endpoints up to this one were looked at.
    pub(crate) swept_rollup: i64,
    /// The expiry, application and message up to which payloads are gone, or have nothing open.
    pub(crate) swept_payload: (i64, i64, i64),
    /// How far attempts are gone.
    pub(crate) swept_attempts: Swept,
    /// How far messages are gone.
    pub(crate) swept_messages: Swept,
    /// The hour and fingerprint up to which idempotency keys are gone.
    pub(crate) swept_keys: (i64, Vec<u8>),
}

/// How far a round of what is keyed by application, and goes by the time in its key, has come. What
/// is gone already is not looked at again: until it is vacuumed, that would take time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Swept {
    /// Below this key all is gone, of every application.
    pub(crate) floor: i64,
    /// What is below this key goes in this round.
    pub(crate) border: i64,
    /// Of smaller applications it is gone, and of this one up to the key.
    pub(crate) from: (i64, i64),
}

impl Swept {
    /// Looks at nothing below this key any more.
    pub(crate) fn above(self, floor: i64) -> Self {
        let floor = floor.max(self.floor);
        Self { floor, ..self }
    }
}
