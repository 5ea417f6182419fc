//! Sources: where incoming webhooks arrive, and how what passed becomes a message.
//!
//! All of them are in memory, with all else of who may come in (see [`crate::access`]): what comes
//! to one, and what comes to none, never asks the store before it was verified.
//!
//! Map: [`checks`] (what requests are verified by) · `opened` (a source as this node works with
//! it) · `incoming` (the last steps of what came) · `manage` (what is done with sources, and by
//! whom), `looking` (what is looked at of them) · `input`, `config`, `auth`, `nature` (what is
//! asked for, and its rules) · `view`, `log` (what is shown) · `refused` (what is kept of a request
//! that was refused) · `schedule` (messages that are made by themselves).

pub mod checks;

mod auth;
mod config;
mod incoming;
mod input;
mod log;
mod looking;
mod manage;
mod nature;
mod opened;
mod refused;
mod schedule;
mod view;

pub use auth::{AuthDemandedInput, AuthDemandedView, SUBJECT_BYTES_MAX, SUBJECTS_MAX};
pub use config::{
    ConfigInput, EncryptionInput, JWK_BYTES_MAX, KEYS_MAX, NETWORKS_MAX, PLACE_BYTES_MAX,
    RATE_LIMITS, REPLAY_WINDOW_SECONDS_MAX, SCHEDULE_BYTES_MAX, SECRET_BYTES_MAX, SignatureInput,
    TOLERANCE_SECONDS_MAX,
};
pub use incoming::{CameIn, Incoming};
pub use input::{NAME_LENGTH, SourceInput, SourcePatch};
pub use log::SourceLogEntry;
pub use manage::SOURCES_MAX;
pub use nature::types;
pub(crate) use opened::KnownSource;
pub use opened::OpenSource;
pub use refused::RefusedRequest;
pub use view::{ConfigView, SourceView};

pub use store::accept::{ReplayDigest, ReplayEntry};
