//! The API in one process with a real store: what its contract says, as claims.

mod messages;
mod world;
