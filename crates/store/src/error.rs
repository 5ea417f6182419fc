//! How a store fails. What a caller did wrong (a taken uid, a stale revision) is told by the
//! operation's own error; this is about the store itself.

/// A store that could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Nothing was committed, and trying again later may work: the disk is full, an I/O error, the
    /// database is away. Reads may still go on.
    #[error("the store can't write at the moment: {reason}")]
    Unavailable {
        /// What the database said.
        reason: String,
    },
    /// The store has failed in a way that only a restart can mend, such as an fsync that did not
    /// succeed: what is on disk is not known. The process must end and recover.
    #[error("the store must be restarted: {reason}")]
    Fatal {
        /// What the database said.
        reason: String,
    },
    /// The store is shutting down.
    #[error("the store is closed")]
    Closed,
    /// Something in the store is not as this version of Postrider writes it.
    #[error("the store holds something unreadable: {reason}")]
    Corrupt {
        /// What and where, without its content.
        reason: String,
    },
}
