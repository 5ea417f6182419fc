//! Three real nodes on one real PostgreSQL with a synchronous standby, under steady load, and one
//! thing after another that breaks under them: nodes, the way to the database, the database,
//! clocks. What was answered with `202` is counted against what arrived.
//!
//! It looks at the product from outside, and knows no room of it but `webhook`, the receivers'
//! library. It says nothing of speed: the load is far below what the nodes can do.
//!
//! Map: [`scenarios`] (what is broken, and what must hold) · [`run`](mod@run) (how a scenario goes)
//! · [`nodes`], [`proxy`], [`protocol`], [`mod@database`], [`session`], [`clock`] (what can be
//! broken) · [`load`] (the clients) · [`receiver`] (the endpoints) · [`ledger`] (every message,
//! from its time to be sent to its arrivals) · [`row`] (what a scenario found).
#![allow(rustdoc::private_intra_doc_links)]

pub mod clock;
pub mod database;
pub mod ledger;
pub mod load;
pub mod nodes;
mod protocol;
pub mod proxy;
pub mod receiver;
pub mod row;
pub mod run;
pub mod scenarios;
pub mod session;
