//! What a webhook sender costs: a load client, a receiver and a bare relay, each run in a process
//! of its own, and the rounds in which they are measured beside each other.
//!
//! Three ways are measured with the same client and the same receiver: `raw`, straight from one to
//! the other; `relay`, through a relay that stores and signs nothing, which is what two HTTP
//! exchanges cost; and `postrider`, through a server that speaks Postrider's API. A fourth is
//! `gateway`: signed requests as other services send them, through a server's sources; and what a
//! flood of badly signed ones does to them.
//!
//! It talks to no other room: a server is a process that is started, or a URL that is given. It
//! prints nothing; the binary shows what [`run`] gives back. The load client
//! deliberately speaks plain HTTP only: TLS would measure it. What TLS costs a server is measured
//! at its other side: the receiver speaks it, where [`options`] of endpoints are measured.
//!
//! Map: [`plan`] (what to measure), [`run`] (rounds), `measure` (one measurement), `target` (what
//! it goes through), `home` (its own servers' stores), `tenants` (applications and endpoints),
//! `sources` (the gateway's), `history` (filled stores), `beside` (what goes on meanwhile),
//! [`company`] (who else is there), `look` (who reads), `subjects` (what pages are about),
//! [`options`] (what endpoints are given) · `process`, `usage` (children, their CPU and memory),
//! `worker` (those that are told what to do) · [`load`], [`flood`], [`receiver`], [`relay`],
//! [`database`] (the parts that run as processes), `stdin` (what they are told) · `payload` (how
//! messages are told apart), `keys`, `sign`, `pace`, `book` (what arrived) · `dial`, `serving`,
//! `control` (HTTP, both ways) · `histogram`, [`report`] (numbers) · `clock` · [`vigil`] (made-up
//! traffic that detection is measured by).

mod beside;
mod book;
mod clock;
pub mod company;
mod control;
pub mod database;
mod dial;
mod error;
pub mod flood;
pub mod hang;
mod histogram;
mod history;
mod home;
mod keys;
pub mod load;
mod look;
mod measure;
pub mod options;
mod pace;
mod payload;
pub mod plan;
mod process;
pub mod receiver;
pub mod relay;
pub mod report;
mod run;
mod serving;
mod sign;
mod sources;
mod stdin;
mod subjects;
mod target;
mod tenants;
mod usage;
pub mod vigil;
mod worker;

pub use company::Company;
pub use error::BenchError;
pub use measure::{PAGE_WITHIN, PageFigures, Pages, PagesReport, run_pages};
pub use options::{EndpointOption, EndpointOptions};
pub use plan::{Given, Plan, Server, Way};
pub use report::Report;
pub use run::{Stage, Step, run};
