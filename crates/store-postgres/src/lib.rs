//! The cluster's store: [`store::Store`] on PostgreSQL, for a Postrider of many nodes.
//!
//! All SQL is here. N equal nodes share one database, and none leads: each has a lease, whose epoch
//! names it as the owner of deliveries. What concurrent requests write is committed as a group,
//! with a statement for each table, and the lease renewed in the same transaction. Reads see one
//! state of everything.
//!
//! Nothing here reads the wall clock or draws randomness; leases are in the database's time.
//! [`PostgresStore::open`] gives the two loops to whoever spawns tasks.
//!
//! Map, in the order of a message's way: [`accept`] · [`claim`] · [`record`] · [`deliveries`] and
//! [`pending`] (their rows) · [`work`] and [`sweep`] (housekeeping) · [`change`] (what is
//! configured) · [`access`] (who may come in) · [`applications`], [`endpoints`], [`event_types`],
//! [`messages`], [`attempts`], [`observed`], [`endpoint_messages`], [`statistics`], [`paging`]
//! (lists and counts) · [`request`], [`inbox`], [`writer`], [`commit`], [`batch`], [`fate`],
//! [`unwritten`], [`keys`], [`locks`] (the machinery) · [`node`], [`lease`], [`sole`],
//! [`mod@nodes`] (among the others) · [`open`](mod@open), [`schema`], [`partitions`], [`location`],
//! [`trust`], [`pools`], [`sql`] (the database) · [`mod@backup`] · [`transfer`] (to and from other
//! stores) · [`mod@fill`] (measurements).
#![allow(rustdoc::private_intra_doc_links)]

mod accept;
mod access;
mod all_messages;
mod applications;
mod attempts;
mod audit;
mod backup;
mod batch;
mod change;
mod claim;
mod columns;
mod commit;
mod config;
mod deliveries;
mod delivery_list;
mod endpoint_messages;
mod endpoints;
mod event_types;
mod failure;
mod fate;
mod fill;
mod handle;
mod inbox;
mod keys;
mod lease;
mod location;
mod locks;
mod messages;
mod node;
mod nodes;
mod observed;
mod open;
mod open_error;
mod paging;
mod partitions;
mod pending;
mod pools;
mod record;
mod replays;
mod request;
mod retry_schedules;
mod rounds;
mod schema;
mod security_events;
mod settings;
mod shared;
mod sole;
mod sources;
mod sql;
mod statistics;
mod sweep;
mod tally;
mod transfer;
mod trust;
mod unwritten;
mod work;
mod writer;

pub use access::revoke;
pub use audit::AuditReader;
pub use backup::{CopyError, backup, restore};
pub use config::PostgresConfig;
pub use fill::fill;
pub use handle::PostgresStore;
pub use lease::LeaseLoop;
pub use nodes::nodes;
pub use open::Surroundings;
pub use open_error::OpenError;
pub use settings::{setting, swap_setting};
pub use transfer::PostgresTransfer;
pub use writer::WriterLoop;
