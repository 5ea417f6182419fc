//! Sources: where incoming webhooks arrive, and how what passed becomes a message.
//!
//! All of them are in memory, with all else of who may come in (see [`crate::access`]): what comes
//! to one, and what comes to none, never asks the store before it was verified.
//!
//! Map: [`checks`] (what requests are verified by) · `opened` (a source as this node works with it)
//! · `incoming` (the last steps of what came).

pub mod checks;

mod incoming;
mod opened;

pub use incoming::{CameIn, Incoming};
pub(crate) use opened::KnownSource;
pub use opened::OpenSource;

pub use store::accept::{ReplayDigest, ReplayEntry};
