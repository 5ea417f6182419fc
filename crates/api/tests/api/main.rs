//! The API in one process with a real store: what its contract says, as claims.

mod batch;
mod messages;
mod world;
