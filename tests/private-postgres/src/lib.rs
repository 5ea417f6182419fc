//! A real PostgreSQL for tests: started by them, reached through a Unix socket in a directory of
//! its own, and gone after them, also when they are killed. It never touches a server that runs on
//! the machine, and never skips: a machine without PostgreSQL is told what to install.
//!
//! - [`Server::shared`] is one server for all tests of a run, whatever their number of processes.
//!   Each test makes a [`Database`] of its own in it.
//! - [`Server::start`] is a server for one test alone, which may stop it and start it again.
//! - [`Server::start_below`] is one for a program that is no test, which is told what is missing.
//! - [`Standby::start`] is a standby of one of them, which has every commit before it is answered.
//! - [`Pooler::start`] is a PgBouncer in front of one of them.
//! - [`Patroni::start`] is two servers that Patroni runs, a primary and its synchronous standby.
//!
//! Committed is not on disk: `fsync` is off, unless a test asks for it.
//!
//! Map: [`binaries`] (what is installed) · [`room`] (where, and as whom) · [`cluster`] (make and
//! run one) · [`watchdog`] (what ends it) · [`server`] · [`shared`](mod@shared) · [`database`] ·
//! [`standby`], [`synchronous`] · [`pooler`] · [`patroni`], [`member`].
#![allow(rustdoc::private_intra_doc_links)]

mod binaries;
mod cluster;
mod database;
mod member;
mod patroni;
mod pooler;
mod room;
mod server;
mod shared;
mod standby;
mod synchronous;
mod watchdog;

pub use database::Database;
pub use patroni::Patroni;
pub use pooler::Pooler;
pub use server::Server;
pub use standby::Standby;
