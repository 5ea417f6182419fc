//! The audit log's chain: entries are hashed one after the other, and their last hash is signed, so
//! that none can be changed, removed, inserted or moved without being found. What an entry says is
//! told by whoever does the change, and kept by the store.
//!
//! It does not keep anybody from writing an entry that is not true, and what is not sealed yet is
//! not in the chain. docs/audit-log.md says what this proves, and what not, byte for byte.
//!
//! Map: `chain` (what is hashed and signed) · `sealer` (appends to the chain, and cuts what is old)
//! · `verify` (finds what was tampered with) · `reading` (a store's log, piece by piece) · `export`
//! (the log as lines).

mod chain;
mod export;
mod reading;
mod sealer;
mod verify;

pub use chain::{checkpoint_bytes, genesis, link, start_bytes};
pub use export::{ExportError, export, verify_export};
pub use reading::verify_log;
pub use sealer::{SealError, Sealer, SigningKey};
pub use verify::{Finding, Report, Verifier};

#[cfg(test)]
mod tests;
