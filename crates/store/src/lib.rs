//! The seam between Postrider and its databases: the [`Store`] trait, what passes through it, the
//! [`Registry`] that keeps applications in memory in front of it, the [`Lanes`] trait through
//! which accepted messages are handed to the sender, the [`Fetching`] trait through which payloads
//! leave that are fetched, and the conformance suite that every store passes.
//!
//! What it promises, whichever database is behind it:
//! - A commit is on disk before its future resolves; one refused item never fails the others.
//! - Payloads, excerpts, headers and secrets arrive here sealed and leave sealed: a store never
//!   holds a key. A row's tail (the random part of its id) is its name in the additional data, so
//!   that it can be sealed before the store has given it its key.
//! - Keys are given by the store under the writer's lock: a smaller key never commits after a
//!   larger one.
//! - An open delivery is owned by at most one holder, whose [`Hold`] lets go when dropped.
//!
//! It deliberately knows no SQL, no HTTP, and no rule of the domain beyond what a transaction has
//! to check.

pub mod accept;
pub mod access;
pub mod audit;
pub mod chains;
pub mod change;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod counts;
pub mod deliveries;
pub mod encoding;
pub mod error;
pub mod fetching;
pub mod idempotency;
pub mod lanes;
pub mod master_keys;
pub mod owned;
pub mod pulse;
pub mod query;
pub mod record;
pub mod registry;
pub mod rows;
pub mod security;
pub mod tally;
pub mod transfer;
pub mod vitals;
pub mod walking;
pub mod work;

mod seam;

pub use error::StoreError;
pub use fetching::{Fetched, Fetching};
pub use lanes::{Fresh, Hold, Lane, Lanes, NoLanes, Place, Scope, Sole};
pub use pulse::Pulse;
pub use registry::Registry;
pub use seam::{Condition, MessageRef, Store};

/// Bytes that the vault sealed: opaque to every store.
pub type Sealed = bytes::Bytes;
