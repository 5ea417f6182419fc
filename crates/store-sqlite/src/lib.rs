//! The embedded store: [`store::Store`] on SQLite, the default of a Postrider on one machine.
//!
//! All SQL is here. One writer commits what waits as a group, with one fsync, and gives out keys;
//! readers see a state of their own and wait for nobody; checkpoints are made in the background.
//! The locked data directory makes this process the only one, so that which deliveries are owned,
//! and where idempotency keys and what came in at sources are found, is kept in memory.
//!
//! Nothing here spawns a thread, reads a clock or draws randomness: [`SqliteStore::open`] gives the
//! two loops to whoever has threads, [`SqliteStore::open_inline`] needs none.
//!
//! Map, in the order of a message's way: [`accept`] · [`claim`] · [`record`] · [`work`] and
//! [`sweep`] (housekeeping) · [`change`] (what is configured) · [`access`] (who may come in) ·
//! [`applications`], [`event_types`], [`messages`], [`attempts`], [`observed`],
//! [`endpoint_messages`], [`statistics`] (lists and counts) · [`idempotency`], [`replays`],
//! [`remembered`] · [`inbox`], [`batch`], [`writer`], [`checkpoint`], [`reader`] (the machinery) ·
//! [`open`](mod@open), [`connection`], [`schema`], [`directory`] (the start) · [`mod@backup`],
//! [`copies`], [`unfinished`] (copies) · [`transfer`] (to and from other stores).
#![allow(rustdoc::private_intra_doc_links)]

mod accept;
mod access;
mod applications;
mod attempts;
mod audit;
mod backup;
mod batch;
mod change;
mod checkpoint;
mod claim;
mod columns;
mod config;
mod connection;
mod copies;
#[cfg(test)]
mod costs;
mod deliveries;
mod delivery_list;
mod directory;
mod endpoint_messages;
mod endpoints;
mod event_types;
mod failure;
pub mod faults;
mod handle;
mod idempotency;
mod inbox;
mod messages;
mod observed;
mod open;
mod open_error;
mod reader;
mod record;
mod remembered;
mod replays;
mod retry_schedules;
mod rounds;
mod schema;
mod security_events;
mod settings;
mod shared;
mod sources;
mod statistics;
mod sweep;
mod tally;
mod transfer;
mod unfinished;
mod work;
mod writer;

pub use access::revoke;
pub use audit::AuditReader;
pub use checkpoint::CheckpointLoop;
pub use config::SqliteConfig;
pub use copies::{CopyError, backup, restore};
pub use directory::DataDirectory;
pub use handle::SqliteStore;
pub use open::Surroundings;
pub use open_error::OpenError;
pub use settings::{setting, swap_setting};
pub use transfer::SqliteTransfer;
pub use writer::WriterLoop;
