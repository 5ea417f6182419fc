//! The API in one process with a real store: what its contract says, as claims.

mod attempts;
mod batch;
mod lists;
mod messages;
mod sinks;
mod standings;
mod world;
